"""What asyncio event loops take for callbacks, timers, futures and tasks.

Every program is pinned to one core and does batches of 10,000 operations for a fixed time. Times are
CPU time of the process, user and system: nothing sleeps here. `call_soon` is a callback that schedules
the next; "queued" are 10,000 that are scheduled before the first is called. A loop that polls less often
than once a round is faster here; pyuv.asyncio polls at least every 8 rounds or 0.1 ms.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Column, Sample, Settings

from suites import loops

NAME = "scheduler"
TITLE = "asyncio: the scheduler"
REFERENCE = loops.REFERENCE
COLUMNS = [
    Column("ns per operation", lambda sample: sample.cpu_ns, 0),
    Column("operations/s", lambda sample: 1e9 / sample.cpu_ns),
]

CASES = {
    "call_soon": "call_soon",
    "call_soon, 10,000 queued": "call_soon_queued",
    "call_later": "call_later",
    "a timer made and cancelled": "timer_cancelled",
    "sleep(0)": "sleep_0",
    "a future set and awaited": "future_round",
    "a task in gather": "task_in_gather",
    "call_soon_threadsafe": "call_soon_threadsafe",
}


def rate(sample: Sample) -> float:
    return 1 / sample.cpu_ns


def time_of_reference(sample: Sample, reference: Sample) -> float:
    return sample.cpu_ns / reference.cpu_ns


LIMITS = [limit for case in CASES for limit in loops.of_each_peer(case, "time", time_of_reference, at_most=1)]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    # aiofastnet has transports, and leaves the scheduler as it is.
    clients = [client for client in loops.CLIENTS if "+" not in client]
    yield loops.pinned(settings, "scheduler", CASES, clients)
