"""The event loops that the suites of asyncio compare, as programs/event_loops.py names them."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec

from harness.machine import two_cores
from harness.model import Cell, Limit, Sample, Settings

REFERENCE = "asyncio"
OURS = "pyuv.asyncio"
PEERS = tuple(
    peer
    for peer in ("uvloop", "uvloop+aiofastnet", "rloop", "rsloop", "zuvloop")
    # rsloop is built by a nightly Rust alone, and zuvloop runs on Python 3.14 and later.
    if all(find_spec(part) for part in peer.split("+"))
)
CLIENTS = (REFERENCE, OURS, *PEERS)


def of_each_peer(
    where: str,
    title: str,
    value: Callable[[Sample, Sample], float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    of_all: bool = False,
) -> list[Limit]:
    """The limit of a case to each peer: to all of them is to the best."""
    return [
        Limit(
            f"{where}: {title}, of {peer}",
            where,
            value,
            at_least=at_least,
            at_most=at_most,
            client=OURS,
            against=peer,
            of_all=of_all,
        )
        for peer in PEERS
    ]


def pinned(settings: Settings, program: str, cases: dict[str, str], clients: Iterable[str]) -> list[Cell]:
    """The cells of a program on one core; `cases` are the headings, and what the program calls them."""
    core, _ = two_cores()
    return [
        Cell(
            where,
            client,
            settings.program(program, "--client", client, "--case", name, *settings.timing),
            core,
            peer=client in PEERS,
        )
        for where, name in cases.items()
        for client in clients
    ]
