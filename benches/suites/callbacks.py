"""What pyuv adds to an iteration of libuv's loop.

Every program is pinned to one core and runs its loop for a fixed time, ended by a timer; there is a
warm-up before. Callbacks that do nothing do nothing: iterations are read from `uv_metrics_info`
(`Loop.metrics()`), in C as in Python, and rounds of timers from one marker among 20,000. Times are
CPU time of the process, user and system: on a shared machine they say what wall time says on an
idle one, because these loops never sleep. C is libuv 1.53, the very sources that pyuv links.

asyncio and uvloop have no idle handle; there a callback asks for itself again with `call_soon`, the
nearest they have to "call this in each iteration".
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Sample, Settings

NAME = "callbacks"
TITLE = "Callbacks"
REFERENCE = "C on libuv"
COLUMNS = [
    Column("ns per operation", lambda sample: sample.cpu_ns, 1),
    Column("operations/s", lambda sample: 1e9 / sample.cpu_ns),
]

ONE_IDLE = "1 idle callback"
MANY_IDLES = "1,000 idle callbacks"
TIMERS = "20,000 timers, each starting itself again"
CASES = {
    ONE_IDLE: ("idle", 1),
    MANY_IDLES: ("idle", 1000),
    TIMERS: ("timers", 20_000),
    "an Async that sends to itself": ("async", 1),
    "two loops on two threads, round trip of an Async": ("pingpong", 1),
}

LIMITS = [
    Limit(
        "an idle callback adds, ns",
        ONE_IDLE,
        lambda sample, reference: sample.cpu_ns - reference.cpu_ns,
        at_most=80,
        digits=1,
    ),
    Limit(
        "one of 1,000 idle callbacks, ns",
        MANY_IDLES,
        lambda sample, reference: sample.cpu_ns,
        at_most=80,
        digits=1,
    ),
]


def rate(sample: Sample) -> float:
    return 1 / sample.cpu_ns


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    core, _ = two_cores()
    chosen = []
    for case, (name, handles) in CASES.items():
        arguments = ("--case", name, "--handles", handles, *settings.timing)
        command = settings.reference("callbacks", *arguments)
        chosen.append(Cell(case, REFERENCE, command, core))
        for client in ("pyuv", "uvloop", "asyncio"):
            command = settings.program("callbacks", "--client", client, *arguments)
            chosen.append(Cell(case, client, command, core, peer=client != "pyuv"))
    yield chosen
