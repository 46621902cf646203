"""The echo servers of asyncio in the other cells: one connection and 500, Unix sockets, datagrams.

As the suite before. These are three short rounds, enough to see what is out of line.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Limit, Settings

from suites import echo, loops
from suites.asyncio_echo import MODES, cell, is_missing

NAME = "asyncio_transports"
TITLE = "asyncio: echo, other transports"
REFERENCE = loops.REFERENCE
COLUMNS = echo.COLUMNS
LIMITS: list[Limit] = []
REPEAT, SECONDS = 3, 0.5

# Datagrams have one way.
WAYS = [
    *((mode, "tcp", connections) for mode in MODES for connections in (1, 500)),
    *(
        (mode, "unix", connections)
        for mode in ("protocol", "buffered", "streams")
        for connections in (1, 16, 500)
    ),
    *(("protocol", "udp", connections) for connections in (1, 16, 500)),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    yield [
        cell(settings, case(mode, transport, size, connections), client, mode, transport, size, connections)
        for mode, transport, connections in WAYS
        for size in echo.SIZES
        if transport != "udp" or size <= echo.LARGEST_DATAGRAM
        for client in loops.CLIENTS
        if not is_missing(mode, transport, client)
    ]


def case(mode: str, transport: str, size: int, connections: int) -> str:
    where = echo.case(transport, size, connections)
    return where if transport == "udp" else f"{MODES[mode]}, {where}"
