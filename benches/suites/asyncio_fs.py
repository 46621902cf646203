"""Files in asyncio programs, in memory-backed storage: what awaiting costs when the disk costs nothing.

A status, and a file of 4 KiB opened, read and closed, of 1,000 files, one and 16 at a time; the same of
10,000 files, 16 at a time; and the lines of a file of 256 MiB, of 80 bytes each, by `async for`. "direct"
makes the blocking calls in the loop's one thread. `pyuv` is pyuv.asyncio.fs on pyuv's event loop, "pyuv,
batches" its lines by `batches()`; the others run on asyncio's own loop, and asyncfiles has no status of its
own. A trip to a thread for each line, as aiofiles and anyio make one, is measured for as long as the others
are, not to the end of the file.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "asyncio_fs"
TITLE = "asyncio: files"
REFERENCE = "direct"
COLUMNS = [
    Column("operations/s", lambda sample: sample.rate),
    Column("user µs", lambda sample: sample.user_us, 2),
    Column("system µs", lambda sample: sample.system_us, 2),
]

FILES, MANY = 1000, 10_000
SIZE = 4096
LINES_SIZE = 256 * 1024 * 1024
LINE = b"x" * 79 + b"\n"

OURS = "pyuv"
BATCHES = "pyuv, batches"
AIOFILES, ASYNCFILES, ANYIO, TO_THREAD = "aiofiles", "asyncfiles", "anyio", "asyncio.to_thread"
CLIENTS = {
    REFERENCE: "direct",
    OURS: "pyuv",
    BATCHES: "pyuv-batches",
    AIOFILES: "aiofiles",
    ASYNCFILES: "asyncfiles",
    ANYIO: "anyio",
    TO_THREAD: "to_thread",
}
OWN = {REFERENCE, OURS, BATCHES}
"""Measured without peers too."""

STAT_ONE, STAT = "stat", "stat, 16 in flight"
READ_ONE, READ = "open, read 4 KiB, close", "open, read 4 KiB, close, 16 in flight"
READ_MANY = "10,000 files of 4 KiB, 16 in flight"
LINES = "a line of a large file"
CASES: dict[str, tuple[str, int, int]] = {
    STAT_ONE: ("stat", FILES, 1),
    STAT: ("stat", FILES, 16),
    READ_ONE: ("read", FILES, 1),
    READ: ("read", FILES, 16),
    READ_MANY: ("many", MANY, 16),
    LINES: ("lines", 1, 1),
}
"""What the program calls a case, how many files there are, and how many are in flight."""

LEFT_OUT = {
    *((case, BATCHES) for case in CASES if case != LINES),
    *((case, ASYNCFILES) for case in (STAT_ONE, STAT)),
    (LINES, TO_THREAD),
}

LIMITS = [
    *(Limit(f"{case}: of aiofiles", case, ratio, at_least=8, against=AIOFILES) for case in (STAT_ONE, STAT)),
    *(Limit(f"{case}: of aiofiles", case, ratio, at_least=1, against=AIOFILES) for case in (READ_ONE, READ)),
    Limit(f"{READ_MANY}: of aiofiles", READ_MANY, ratio, at_least=1, against=AIOFILES),
    Limit(f"{LINES}: of the builtin's", LINES, ratio, at_least=0.5),
    Limit(f"{LINES}, in batches: of the builtin's", LINES, ratio, at_least=0.5, client=BATCHES),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        for number in range(MANY):
            (Path(folder) / str(number)).write_bytes(b"x" * SIZE)
        with (Path(folder) / "lines").open("wb") as file:
            block = LINE * 10_000
            for _ in range(LINES_SIZE // len(block)):
                file.write(block)
        yield [
            Cell(case, client, command(settings, name, which, folder), peer=client not in OWN)
            for case, which in CASES.items()
            for client, name in CLIENTS.items()
            if (case, client) not in LEFT_OUT
        ]


def command(settings: Settings, client: str, case: tuple[str, int, int], folder: str) -> tuple[str, ...]:
    name, files, in_flight = case
    what = ("--case", name, "--folder", folder, "--files", files, "--in-flight", in_flight)
    return settings.program("awaited_files", "--client", client, *what, *settings.timing)
