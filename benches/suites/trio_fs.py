"""Files in trio's tasks, in memory-backed storage: what awaiting costs when the disk costs nothing.

A status, and a file of 4 KiB opened, read and closed, of 1,000 files, one and 16 at a time. "direct" makes
the blocking calls in the one thread; "trio" is `trio.Path` and `trio.open_file`.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "trio_fs"
TITLE = "trio: files"
REFERENCE = "direct"
COLUMNS = [
    Column("operations/s", lambda sample: sample.rate),
    Column("user µs", lambda sample: sample.user_us, 2),
    Column("system µs", lambda sample: sample.system_us, 2),
]

FILES, SIZE = 1000, 4096

OURS, TRIO, TO_THREAD = "pyuv", "trio", "trio.to_thread"
CLIENTS = {REFERENCE: "direct", OURS: "pyuv", TRIO: "trio", TO_THREAD: "to_thread"}

STAT_ONE, STAT = "stat", "stat, 16 in flight"
READ_ONE, READ = "open, read 4 KiB, close", "open, read 4 KiB, close, 16 in flight"
CASES: dict[str, tuple[str, int]] = {
    STAT_ONE: ("stat", 1),
    STAT: ("stat", 16),
    READ_ONE: ("read", 1),
    READ: ("read", 16),
}
"""What the program calls a case, and how many are in flight."""

LIMITS = [
    *(Limit(f"{case}: of trio.Path", case, ratio, at_least=3, against=TRIO) for case in (STAT_ONE, STAT)),
    *(
        Limit(f"{case}: of trio.open_file", case, ratio, at_least=1, against=TRIO)
        for case in (READ_ONE, READ)
    ),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        for number in range(FILES):
            (Path(folder) / str(number)).write_bytes(b"x" * SIZE)
        yield [
            Cell(case, client, command(settings, name, which, folder), peer=client not in (REFERENCE, OURS))
            for case, which in CASES.items()
            for client, name in CLIENTS.items()
        ]


def command(settings: Settings, client: str, case: tuple[str, int], folder: str) -> tuple[str, ...]:
    name, in_flight = case
    what = ("--case", name, "--folder", folder, "--files", FILES, "--in-flight", in_flight)
    return settings.program("trio_files", "--client", client, *what, *settings.timing)
