"""A tree of 100,000 entries in memory-backed storage, warm.

1,111 folders, four deep, in /dev/shm, with 99 files of 1 KiB in each of the last ones. "coreutils" is the
program of that name on the same tree: `du -s` for walk and for du, `cp -r`, `rm -r`; what it takes to
start it counts. "os.walk" and "os.scandir" go through the tree as Python programs do, the second with
`os.scandir` in a function that calls itself; for du they ask for the status of each entry. "pyuv" has
a callback and runs a loop, "pyuv, at once" has none; both make all the Python objects that walk gives.
The copy is on the same storage, and is removed, or made for rmtree, while nothing is measured. An
operation is an entry.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "trees"
TITLE = "Trees"
REFERENCE = "coreutils"
COLUMNS = [
    Column("entries/s", lambda sample: sample.rate),
    Column("user µs/entry", lambda sample: sample.user_us, 2),
    Column("system µs/entry", lambda sample: sample.system_us, 2),
]

FANOUT = 10
FILES = 99
SIZE = 1024

CASES = {"walk": "walk", "du": "du", "copytree": "copytree", "rmtree": "rmtree"}
OS_WALK = "os.walk"
OS_SCANDIR = "os.scandir"
SHUTIL = "shutil"
CLIENTS = {
    "walk": [REFERENCE, "pyuv", "pyuv, at once", OS_WALK, OS_SCANDIR],
    "du": [REFERENCE, "pyuv", "pyuv, at once", OS_WALK, OS_SCANDIR],
    "copytree": [REFERENCE, "pyuv", "pyuv, at once", SHUTIL],
    "rmtree": [REFERENCE, "pyuv", "pyuv, at once", SHUTIL],
}


LIMITS = [
    Limit("walk, of coreutils' du", "walk", ratio, at_least=1.0),
    Limit("du, of coreutils' du", "du", ratio, at_least=1.0),
    Limit("copytree, of shutil", "copytree", ratio, at_least=2.0, against=SHUTIL),
    Limit("rmtree, of shutil", "rmtree", ratio, at_least=2.0, against=SHUTIL),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-", dir=memory if memory.is_dir() else None) as folder:
        grow(Path(folder) / "tree")
        try:
            yield [
                Cell(
                    case,
                    client,
                    settings.program("trees", "--client", client, *which(settings, case, folder)),
                )
                for case in CASES
                for client in CLIENTS[case]
            ]
        finally:
            # Quicker than the context's own way.
            subprocess.run(["rm", "-r", f"{folder}/tree"], check=True)


def which(settings: Settings, case: str, folder: str) -> tuple[str, ...]:
    return ("--case", case, "--folder", folder, *settings.timing)


def grow(root: Path) -> None:
    content = b"x" * SIZE
    for number in range(FANOUT**3):
        folder = root / str(number // FANOUT**2) / str(number // FANOUT % FANOUT) / str(number % FANOUT)
        folder.mkdir(parents=True)
        for file in range(FILES):
            (folder / f"file-{file:04}.txt").write_bytes(content)
