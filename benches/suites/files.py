"""Files in memory-backed storage: what each way of asking costs when the disk costs nothing.

1,000 files of 4 KiB in /dev/shm; 16 operations in flight on all cores, in a closed loop. "direct"
makes the plain blocking calls, one after the other, in one thread: `os.stat`; `os.open`, `os.read`,
`os.close`, beside which "direct, open() object" reads the same through the file object that most
programs use. User and system time are those of the whole process, pool threads included. In the case
"open, read 4 KiB, close" each of the three is an operation of its own (pyuv: three callbacks),
except where a client's name says otherwise.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Sample, Settings

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
ONE_HOP = "asyncio.to_thread, one hop"
ASYNCFILES = "asyncfiles"
CLIENTS = {
    REFERENCE: ("--client", "direct"),
    OPEN_OBJECT: ("--client", "direct-file"),
    "pyuv": ("--client", "pyuv"),
    ASYNCFILES: ("--client", "asyncfiles"),
    "asyncio.to_thread": ("--client", "to_thread"),
    "asyncio.to_thread on uvloop": ("--client", "to_thread", "--loop", "uvloop"),
    ONE_HOP: ("--client", "to_thread-once"),
    "aiofiles": ("--client", "aiofiles"),
}
OWN = {"pyuv", REFERENCE, OPEN_OBJECT}
"""Measured without peers too."""

READ_ONLY = {OPEN_OBJECT, ONE_HOP, ASYNCFILES}
"""Clients that have no stat of their own, or the same one."""

LIMITS = [
    Limit(
        "stat/s, of direct calls",
        STAT,
        lambda sample, reference: sample.rate / reference.rate,
        at_least=0.72,
    ),
    Limit(
        "open+read+close/s, of direct calls (open() object)",
        READ,
        lambda sample, reference: sample.rate / reference.rate,
        at_least=1.3,
        against=OPEN_OBJECT,
    ),
]


def rate(sample: Sample) -> float:
    return sample.rate


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        for number in range(FILES):
            (Path(folder) / str(number)).write_bytes(b"x" * SIZE)
        yield list(clients(settings, folder))


def clients(settings: Settings, folder: str) -> Iterator[Cell]:
    for case, name in CASES.items():
        what = ("--case", name, "--folder", folder, "--files", FILES)
        arguments = (*what, "--in-flight", IN_FLIGHT, *settings.timing)
        yield Cell(case, C_ON_LIBUV, settings.reference("files", *arguments))
        for client, which in CLIENTS.items():
            if case == STAT and client in READ_ONLY:
                continue
            command = settings.program("files", *which, *arguments)
            yield Cell(case, client, command, peer=client not in OWN)
