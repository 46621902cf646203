"""Echo servers on asyncio event loops, in the ways that asyncio has: protocol, buffered protocol, streams,
and the loop's `sock_` methods.

As in the suite before the server has one core to itself and the load, compiled C in a closed loop, the
other; TCP, 16 connections. User and system time are the server's.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Limit, Sample, Settings, ratio

from suites import echo

NAME = "asyncio_echo"
TITLE = "asyncio: echo"
REFERENCE = "asyncio"
OURS = "pyuv.asyncio"
PEERS = ("uvloop", "rloop")
COLUMNS = echo.COLUMNS

MODES = {
    "protocol": "protocol",
    "buffered": "buffered protocol",
    "streams": "streams",
    "sock": "sock methods",
}
MISSING = {("buffered", "rloop")}
"""What a peer does not have, or does not finish."""


def case(mode: str, size: int) -> str:
    return f"{MODES[mode]}, {echo.SIZES[size]}"


def user_of_reference(sample: Sample, reference: Sample) -> float:
    return sample.user_us / reference.user_us


def limits() -> Iterator[Limit]:
    for mode in MODES:
        for size in echo.SIZES:
            where = case(mode, size)
            for peer in PEERS:
                if (mode, peer) in MISSING:
                    continue
                yield Limit(
                    f"{where}: requests/s, of {peer}", where, ratio, at_least=1, client=OURS, against=peer
                )
                yield Limit(
                    f"{where}: user CPU per request, of {peer}",
                    where,
                    user_of_reference,
                    at_most=0.9,
                    client=OURS,
                    against=peer,
                )


LIMITS = list(limits())


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    yield [
        Cell(
            case(mode, size),
            client,
            echo.command_of(
                settings,
                settings.program("echo_server", "--server", client, "--mode", mode),
                "tcp",
                size,
                16,
            ),
            peer=client in PEERS,
        )
        for mode in MODES
        for size in echo.SIZES
        for client in (REFERENCE, OURS, *PEERS)
        if (mode, client) not in MISSING
    ]
