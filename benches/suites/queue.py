"""Integers through one queue between threads: half of the threads put, half get.

Rounds of 200,000 items, in which each putter puts its share and each getter gets as many; all start
together and meet at the end. One operation is one item, put and got. With a GIL one thread runs at a
time, so this measures what a put and a get cost, and how often and how dearly threads wake each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Column, Limit, Settings, ratio

NAME = "queue"
TITLE = "Queues between threads"
REFERENCE = "queue.Queue"
COLUMNS = [
    Column("items/s", lambda sample: sample.rate),
    Column("CPU ns/item", lambda sample: sample.cpu_ns),
]

THREADS = (2, 4, 100)
SIMPLE = "queue.SimpleQueue"
BOUND = 1000
BOUNDED = f"2 threads, room for {BOUND:,} items"
CASES = {f"{threads} threads": (threads, 0) for threads in THREADS} | {BOUNDED: (2, BOUND)}


LIMITS = [Limit(f"items/s, of queue.Queue, {case}", case, ratio, at_least=5) for case in CASES] + [
    Limit(f"items/s, of {SIMPLE}, {case}", case, ratio, at_least=0.5, against=SIMPLE)
    for case in CASES
    if case != BOUNDED
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    chosen = []
    for case, (threads, bound) in CASES.items():
        for client in (REFERENCE, "pyuv", SIMPLE):
            # A SimpleQueue has no bound.
            if client == SIMPLE and bound:
                continue
            arguments = ("--client", client, "--threads", threads, "--maxsize", bound, *settings.timing)
            chosen.append(Cell(case, client, settings.program("queue_items", *arguments)))
    yield chosen
