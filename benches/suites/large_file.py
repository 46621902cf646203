"""One large file in memory-backed storage: 1 GiB from its beginning to its end, in blocks of 1 MiB.

One operation is one block. The reference is `dd bs=1M`, from the file to /dev/null and from /dev/zero to
a new file. "direct" is `os.readv` into one buffer and `os.write` of one, in one thread. pyuv has 4
reads or 2 writes in flight with offsets, `fs.readinto` reused buffers and `fs.write` from them, so that
its memory does not depend on the file's length; the resident size is that at the end. aiofiles and
`to_thread` have one block at a time. `fs.read_file` reads all of it in one piece.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "large_file"
TITLE = "One large file"
REFERENCE = "dd"
COLUMNS = [
    Column("MiB/s", lambda sample: sample.rate),
    Column("CPU µs/block", lambda sample: sample.cpu_ns / 1000, 0),
    Column("resident MiB", lambda sample: sample.rss_kib[-1] / 1024, 0),
]

BLOCKS = 1024
READ = "read 1 GiB"
WRITE = "write 1 GiB"
CASES = {READ: "read", WRITE: "write"}

CLIENTS = [REFERENCE, "direct", "pyuv", "pyuv, io_uring", "asyncio.to_thread", "aiofiles"]
READ_FILE = "pyuv, read_file"
OWN = {REFERENCE, "direct", "pyuv", "pyuv, io_uring", READ_FILE}
"""Measured without peers too."""


LIMITS = [
    Limit("read, of dd", READ, ratio, at_least=0.95),
    Limit("write, of dd", WRITE, ratio, at_least=0.95),
    Limit(
        "memory while reading, MiB more than os.readv takes",
        READ,
        lambda sample, other: (sample.rss_kib[-1] - other.rss_kib[-1]) / 1024,
        at_most=24,
        digits=0,
        against="direct",
    ),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        source = Path(folder) / "source"
        with open(source, "wb") as file:
            for _ in range(BLOCKS):
                file.write(b"x" * (1 << 20))
        chosen = []
        for case, name in CASES.items():
            path = source if name == "read" else Path(folder) / "target"
            for client in (*CLIENTS, READ_FILE) if name == "read" else CLIENTS:
                what = (
                    "--client",
                    client,
                    "--case",
                    name,
                    "--path",
                    path,
                    "--blocks",
                    BLOCKS,
                    *settings.timing,
                )
                command = settings.program("large_file", *what)
                chosen.append(Cell(case, client, command, peer=client not in OWN))
        yield chosen
