"""What every measured program shares: clocks, the closed loop's book-keeping, one line of JSON.

Each program measures itself: a warm-up, then wall time and the process's own user and system CPU
(`getrusage`, all threads) over a known number of operations. The C references do the same in
`c/measure.c`.
"""

import json
import os
import resource
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, cycle, islice
from typing import TypeVar

BATCH = 64
"""The clock is read once in so many operations."""

RSS_SAMPLES = 10

T = TypeVar("T")


class Meter:
    """Wall and CPU seconds between `start` and `stop`, of this process or of its children."""

    def __init__(self, *, children: bool = False) -> None:
        self.seconds = self.user = self.system = 0.0
        self._whose = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF

    def start(self) -> None:
        usage = resource.getrusage(self._whose)
        self.user, self.system = usage.ru_utime, usage.ru_stime
        self.seconds = time.perf_counter()

    def stop(self) -> None:
        self.seconds = time.perf_counter() - self.seconds
        usage = resource.getrusage(self._whose)
        self.user, self.system = usage.ru_utime - self.user, usage.ru_stime - self.system


class Run:
    """A closed loop: a warm-up, then `seconds` (or `operations`, if not 0) measured.

    Whoever finishes an operation takes the next item of `items` and starts on it; when the items
    end, the run is over. As many operations are in flight when the meter stops as when it started,
    so what was issued between equals what was done.
    """

    def __init__(self, seconds: float, warmup: float, operations: int = 0) -> None:
        self.seconds = seconds
        self.warmup = warmup
        self.operations = operations
        self.meter = Meter()
        self.issued = 0
        self.errors = 0
        self.rss: list[int] = []

    def items(self, source: Iterable[T]) -> Iterator[T]:
        """The operations to do, without end until the time is over."""
        # An iterator in C: what the harness costs in Python would be taken for the client's.
        return chain.from_iterable(self._batches(cycle(source)))

    def _batches(self, forever: Iterator[T]) -> Iterator[Iterator[T]]:
        until = time.perf_counter() + self.warmup
        while time.perf_counter() < until:
            yield islice(forever, BATCH)
        self.meter.start()
        until = time.perf_counter() + self.seconds
        while self.issued < self.operations if self.operations else time.perf_counter() < until:
            yield islice(forever, BATCH)
            self.issued += BATCH
            self._sample_rss()
        self.meter.stop()

    def _sample_rss(self) -> None:
        step = self.operations // RSS_SAMPLES
        if step and len(self.rss) < RSS_SAMPLES and self.issued >= step * (len(self.rss) + 1):
            self.rss.append(resident_kib())

    def report(self, version: str) -> None:
        report(self.issued, self.meter, version, self.errors, self.rss)


def resident_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)


def report(operations: int, meter: Meter, version: str, errors: int = 0, rss: Sequence[int] = ()) -> None:
    print(
        json.dumps(
            {
                "operations": operations,
                "errors": errors,
                "seconds": meter.seconds,
                "user": meter.user,
                "system": meter.system,
                "version": version,
                "rss_kib": [*rss, resident_kib()],
            }
        ),
        flush=True,
    )


def started(command: list[str], core: int, out: int | None = subprocess.PIPE) -> "subprocess.Popen[str]":
    """Starts a process that has one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(command, stdout=out, text=True)
    finally:
        os.sched_setaffinity(0, before)
