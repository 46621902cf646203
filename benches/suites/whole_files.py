"""Whole files in memory-backed storage: 10,000 of 4 KiB, read or written one after the other.

One operation is one file, opened, read to its end or written, and closed; 16 are in flight, in a closed
loop over all files. "direct" does `with open(path, "rb") as file: file.read()`, or `"wb"` and `write`, in
one thread. `fs.read_file` and `fs.write_file` are one trip to the thread pool each, as is "to_thread,
one hop"; aiofiles and asyncfiles make one for each call. Files that are written are there already.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "whole_files"
TITLE = "Whole files"
REFERENCE = "direct"
COLUMNS = [
    Column("files/s", lambda sample: sample.rate),
    Column("user µs/file", lambda sample: sample.user_us, 1),
    Column("system µs/file", lambda sample: sample.system_us, 1),
]

FILES = 10_000
SIZE = 4096
IN_FLIGHT = 16

READ = "read a file of 4 KiB"
WRITE = "write a file of 4 KiB"
CASES = {READ: "read", WRITE: "write"}

AIOFILES = "aiofiles"
CLIENTS = {
    REFERENCE: ("--client", "direct"),
    "pyuv": ("--client", "pyuv"),
    "asyncfiles": ("--client", "asyncfiles"),
    "asyncio.to_thread, one hop": ("--client", "to_thread"),
    AIOFILES: ("--client", "aiofiles"),
}
OWN = {"pyuv", REFERENCE}
"""Measured without peers too."""


LIMITS = [
    Limit("read_file/s, of open().read()", READ, ratio, at_least=1.5),
    Limit("read_file/s, of aiofiles", READ, ratio, at_least=25, digits=1, against=AIOFILES),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        for number in range(FILES):
            (Path(folder) / str(number)).write_bytes(b"x" * SIZE)
        what = ("--folder", folder, "--files", FILES, "--in-flight", IN_FLIGHT, *settings.timing)
        yield [
            Cell(
                case,
                client,
                settings.program("whole_files", *which, "--case", name, *what),
                peer=client not in OWN,
            )
            for case, name in CASES.items()
            for client, which in CLIENTS.items()
        ]
