"""Servers of frameworks on pyuv, and on all loops of their own: echo, and HTTP that says hello.

The server has one core to itself and the load the other: compiled C in a closed loop for echo, `wrk` for
HTTP. User and system time are the server's. "pyuv" is `pyuv.twisted`'s reactor, and `pyuv.asyncio` for
Tornado; "asyncio" and "uvloop" are these event loops, for Twisted below its reactor on asyncio.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.machine import two_cores
from harness.model import Cell, Limit, Settings, ratio

from suites import echo

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import debian

NAME = "frameworks"
TITLE = "Frameworks"
OURS, EPOLL, ASYNCIO, UVLOOP = "pyuv", "epoll", "asyncio", "uvloop"
REFERENCE = ASYNCIO
COLUMNS = echo.COLUMNS

LOOPS = {"twisted": (ASYNCIO, OURS, EPOLL, UVLOOP), "tornado": (ASYNCIO, OURS, UVLOOP)}
BEST = {"twisted": EPOLL, "tornado": UVLOOP}
"""A framework's best loop so far."""
SIZES = {64: "64 B", 1024: "1 KiB", 64 * 1024: "64 KiB"}
CONNECTIONS, BROWSERS = 16, 64


def case(framework: str, size: int | None) -> str:
    return f"{framework.capitalize()}, {'HTTP' if size is None else f'echo, {SIZES[size]}'}"


LIMITS = [
    Limit(
        f"{case(framework, size)}: requests/s, of {BEST[framework]}",
        case(framework, size),
        ratio,
        at_least=1,
        against=BEST[framework],
    )
    for framework in LOOPS
    for size in (None, *SIZES)
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    yield [
        Cell(case(framework, size), loop, command(settings, framework, loop, size), peer=loop != OURS)
        for framework, loops in LOOPS.items()
        for size in (None, *SIZES)
        for loop in loops
    ]


def command(settings: Settings, framework: str, loop: str, size: int | None) -> tuple[str, ...]:
    """Runs one server under one load."""
    what = "http" if size is None else "echo"
    server = settings.program("framework_server", "--framework", framework, "--loop", loop, "--what", what)
    if size is not None:
        return echo.command_of(settings, server, "tcp", size, CONNECTIONS)
    server_core, load_core = two_cores()
    cores = ("--server-core", server_core, "--load-core", server_core if load_core is None else load_core)
    load = ("--wrk", debian.program("wrk", "wrk"), *cores, "--connections", BROWSERS)
    return settings.program("http_load", *load, *settings.timing, "--", *server)
