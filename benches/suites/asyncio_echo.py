"""Echo servers on asyncio event loops, in the ways that asyncio has: protocol, buffered protocol, streams,
and the loop's `sock_` methods; TCP, 16 connections.

As in the suite before the server has one core to itself and the load, compiled C in a closed loop, the
other. User and system time are the server's. "In two writes" answers as web servers do, a head and a body.
Beside a callback that schedules itself for ever, I/O is still to be polled: see p99.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Limit, Sample, Settings, ratio

from suites import echo, loops

NAME = "asyncio_echo"
TITLE = "asyncio: echo"
REFERENCE = loops.REFERENCE
COLUMNS = echo.COLUMNS

MODES = {
    "protocol": "protocol",
    "buffered": "buffered protocol",
    "streams": "streams",
    "sock": "sock methods",
}
PARTS = ("parts", "protocol, in two writes")
BUSY = ("busy", "protocol, beside a busy callback")
P99_US = 1000


def is_missing(mode: str, transport: str, client: str) -> bool:
    """What a peer does not have, or does not finish."""
    return client == "rloop" and (mode == "buffered" or transport == "unix")


def case(mode: str, size: int) -> str:
    return f"{MODES[mode]}, {echo.SIZES[size]}"


def limits() -> Iterator[Limit]:
    for mode in MODES:
        for size in echo.SIZES:
            where = case(mode, size)
            yield from loops.of_each_peer(where, "requests/s", ratio, at_least=1)
            user = echo.user_of_reference
            yield from loops.of_each_peer(where, "user CPU per request", user, at_most=0.9, of_all=True)
    yield Limit(
        f"{BUSY[1]}: p99, µs", BUSY[1], p99, at_most=P99_US, digits=0, client=loops.OURS, against=REFERENCE
    )


def p99(sample: Sample, _: Sample) -> float:
    return sample.p99_us


LIMITS = list(limits())


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    yield [
        *(
            cell(settings, case(mode, size), client, mode, "tcp", size, 16)
            for mode in MODES
            for size in echo.SIZES
            for client in loops.CLIENTS
            if not is_missing(mode, "tcp", client)
        ),
        *(
            cell(settings, title, client, mode, "tcp", size, 16)
            for (mode, title), size in ((PARTS, 1024), (BUSY, 64))
            for client in loops.CLIENTS
        ),
    ]


def cell(
    settings: Settings, where: str, client: str, mode: str, transport: str, size: int, connections: int
) -> Cell:
    measured = command(settings, client, mode, transport, size, connections)
    return Cell(where, client, measured, peer=client in loops.PEERS)


def command(
    settings: Settings, client: str, mode: str, transport: str, size: int, connections: int, idle: int = 0
) -> tuple[str, ...]:
    """Runs one server under one load."""
    server = settings.program("echo_server", "--server", client, "--mode", mode)
    return echo.command_of(settings, server, transport, size, connections, idle)
