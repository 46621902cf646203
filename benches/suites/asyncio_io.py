"""What asyncio event loops take for file descriptors, connections, child processes and pipes.

`add_reader` is on 1,000 sockets, of which 100 become readable at a time. A connection is opened, told one
byte, and closed, 16 at a time, both ends on the same loop. A child is `true`, 4 at a time; the pipe is the
standard output of `head`, which writes zeros. Programs are pinned to one core, but the children are not.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Column, Limit, Sample, Settings, ratio

from suites import loops

NAME = "asyncio_io"
TITLE = "asyncio: descriptors, connections, children"
REFERENCE = loops.REFERENCE
COLUMNS = [
    Column("operations/s", lambda sample: sample.rate),
    Column("user µs", lambda sample: sample.user_us, 2),
    Column("system µs", lambda sample: sample.system_us, 2),
]

CASES = {
    "add_reader, an event of 1,000 sockets": "readers",
    "add_reader and remove_reader": "add_and_remove",
    "a connection opened and closed": "connections",
    "a child process": "children",
    "64 KiB from a child's pipe": "pipe",
}
IDLE = "10 s in which nothing happens"


def milliseconds(sample: Sample, _: Sample) -> float:
    return (sample.user + sample.system) * 1e3


LIMITS = [
    *(limit for where in CASES for limit in loops.of_each_peer(where, "operations/s", ratio, at_least=1)),
    Limit(f"{IDLE}: CPU, ms", IDLE, milliseconds, at_most=10, client=loops.OURS),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    yield loops.pinned(settings, "asyncio_io", CASES | {IDLE: "idle"}, loops.CLIENTS)
