"""The same programs on PyPy and on the Python that runs the benchmarks.

PyPy has CPython's interface for extension modules as an emulation, and each call through it costs; what
Python does between the calls, PyPy compiles. So the cases go from callbacks that do nothing to file
operations, of which the system and the thread pool do most. The programs are pinned to one core, the echo's
load and the name server to the other, and PyPy has 3 seconds before the clock starts. "asyncio on PyPy" is
what there is without pyuv.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from harness import environment
from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Settings

from suites import callbacks, dns, echo, files

NAME = "pypy"
TITLE = "PyPy"
REFERENCE = "pyuv on CPython"
COLUMNS = [
    Column("operations/s", lambda sample: sample.rate),
    Column("user µs", lambda sample: sample.user_us, 2),
    Column("system µs", lambda sample: sample.system_us, 2),
]
LIMITS: list[Limit] = []
REPEAT = 5

WARMUP = 3.0
"""Seconds in which PyPy compiles what is called often."""
IN_FLIGHT = 100
"""Of DNS queries."""

Program = Callable[[Settings, str], tuple[str, ...]]
"""The command of a client, by its name, with what some settings say."""


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    pypy = replace(settings, python=str(environment.pypy()), warmup=WARMUP)
    with dns.serving() as server, files.filled_folder() as folder:
        yield [
            Cell(case, client, command(on, name), core, peer=name != "pyuv")
            for case, (command, core, names) in programs(server, folder).items()
            for client, on, name in (
                (REFERENCE, settings, "pyuv"),
                ("pyuv on PyPy", pypy, "pyuv"),
                ("asyncio on PyPy", pypy, "asyncio"),
            )
            if name in names
        ]


def programs(server: str, folder: str) -> dict[str, tuple[Program, int | None, tuple[str, ...]]]:
    """By case: the program, its core, and the clients that it knows."""
    core, _ = two_cores()

    def calling(case: str, settings: Settings, client: str) -> tuple[str, ...]:
        name, handles = callbacks.CASES[case]
        arguments = ("--case", name, "--handles", handles, *settings.timing)
        return settings.program("callbacks", "--client", client, *arguments)

    def echoing(settings: Settings, client: str) -> tuple[str, ...]:
        program = settings.program("echo_server", "--server", client)
        return echo.command_of(settings, program, "tcp", 1024, 16)

    def querying(settings: Settings, client: str) -> tuple[str, ...]:
        asked = dns.arguments_of(server, IN_FLIGHT, settings.timing)
        return settings.program("dns_queries", "--client", client, *asked)

    def reading(settings: Settings, client: str) -> tuple[str, ...]:
        asked = files.arguments_of(settings, files.CASES[files.READ], folder)
        return settings.program("files", "--client", client, *asked)

    both, ours = ("pyuv", "asyncio"), ("pyuv",)
    return {
        **{case: (partial(calling, case), core, both) for case in (callbacks.ONE_IDLE, callbacks.TIMERS)},
        f"echo: {echo.case('tcp', 1024, 16)}": (echoing, None, both),
        f"DNS over UDP: {dns.case(IN_FLIGHT)}": (querying, core, ours),
        f"files: {files.READ}": (reading, None, ours),
    }
