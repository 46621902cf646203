"""Files in memory-backed storage: what each way of asking costs when the disk costs nothing.

1,000 files of 4 KiB in /dev/shm; 16 operations in flight on all cores, in a closed loop. "direct"
makes the plain blocking calls, one after the other, in one thread: `os.stat`; `os.open`, `os.read`,
`os.close`, beside which "direct, open() object" reads the same through the file object that most
programs use. User and system time are those of the whole process, pool threads included. In the case
"open, read 4 KiB, close" each of the three is an operation of its own (pyuv: three callbacks),
except where a client's name says otherwise. "pyuv, io_uring" is `Loop.configure(io_uring=True)` with
`UV_USE_IO_URING=1`.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "files"
TITLE = "Files"
REFERENCE = "direct"
COLUMNS = [
    Column("operations/s", lambda sample: sample.rate),
    Column("user µs/op", lambda sample: sample.user_us, 1),
    Column("system µs/op", lambda sample: sample.system_us, 1),
]

FILES = 1000
SIZE = 4096
IN_FLIGHT = 16

STAT = "stat"
READ = "open, read 4 KiB, close"
CASES = {STAT: "stat", READ: "read"}

C_ON_LIBUV = "C on libuv"
OPEN_OBJECT = "direct, open() object"
IO_URING = "pyuv, io_uring"
ONE_HOP = "asyncio.to_thread, one hop"
AIOFILES = "aiofiles"
ASYNCFILES = "asyncfiles"
CLIENTS = {
    REFERENCE: ("--client", "direct"),
    OPEN_OBJECT: ("--client", "direct-file"),
    "pyuv": ("--client", "pyuv"),
    IO_URING: ("--client", "pyuv-io_uring"),
    ASYNCFILES: ("--client", "asyncfiles"),
    "asyncio.to_thread": ("--client", "to_thread"),
    "asyncio.to_thread on uvloop": ("--client", "to_thread", "--loop", "uvloop"),
    ONE_HOP: ("--client", "to_thread-once"),
    AIOFILES: ("--client", "aiofiles"),
}
OWN = {"pyuv", IO_URING, REFERENCE, OPEN_OBJECT}
"""Measured without peers too."""

READ_ONLY = {OPEN_OBJECT, ONE_HOP, ASYNCFILES}
"""Clients that have no stat of their own, or the same one."""


LIMITS = [
    Limit("stat/s, of direct calls", STAT, ratio, at_least=0.9),
    Limit("stat/s, of aiofiles", STAT, ratio, at_least=20, digits=1, against=AIOFILES),
    Limit("CPU per stat, all threads, us", STAT, lambda sample, _: sample.cpu_ns / 1000, at_most=7),
    Limit(
        "open+read+close/s, of direct calls (open() object)", READ, ratio, at_least=1.3, against=OPEN_OBJECT
    ),
    Limit("open+read+close/s, of aiofiles", READ, ratio, at_least=20, digits=1, against=AIOFILES),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    with filled_folder() as folder:
        yield list(clients(settings, folder))


@contextmanager
def filled_folder() -> Iterator[str]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        for number in range(FILES):
            (Path(folder) / str(number)).write_bytes(b"x" * SIZE)
        yield folder


def clients(settings: Settings, folder: str) -> Iterator[Cell]:
    for case, name in CASES.items():
        arguments = arguments_of(settings, name, folder)
        yield Cell(case, C_ON_LIBUV, settings.reference("files", *arguments))
        for client, which in CLIENTS.items():
            if case == STAT and client in READ_ONLY:
                continue
            command = settings.program("files", *which, *arguments)
            yield Cell(case, client, command, peer=client not in OWN)


def arguments_of(settings: Settings, name: str, folder: str) -> tuple[object, ...]:
    what = ("--case", name, "--folder", folder, "--files", FILES)
    return (*what, "--in-flight", IN_FLIGHT, *settings.timing)
