"""Integers through one queue: half of the threads put, half get.

    queue_items.py --client pyuv|queue.Queue|queue.SimpleQueue --threads N [--maxsize N]

In rounds: each putter puts its share of a round's items, each getter gets as many, all of them start
together and meet at the end. One operation is one item, put and got.
"""

import argparse
import platform
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from measure import Meter, report

ITEMS = 200_000
"""Of a round, all threads together: enough that meeting costs nothing beside it."""


def make(client: str, maxsize: int) -> tuple[Any, str]:
    """An empty queue, and its version."""
    if client == "pyuv":
        import pyuv

        return pyuv.thread.Queue(maxsize), f"pyuv {pyuv.__version__}"
    python = f"Python {platform.python_version()}"
    if client == "queue.Queue":
        return queue.Queue(maxsize), python
    if maxsize:
        raise SystemExit("a SimpleQueue has no bound")
    return queue.SimpleQueue(), python


def put_share(items: Any, share: int) -> None:
    put = items.put
    for item in range(share):
        put(item)


def get_share(items: Any, share: int) -> None:
    get = items.get
    for _ in range(share):
        get()


class Crew:
    """Threads that do a round whenever they are told to."""

    def __init__(self, items: Any, threads: int) -> None:
        self.share = ITEMS // (threads // 2)
        self.operations = self.share * (threads // 2)
        self.start = threading.Barrier(threads + 1)
        self.end = threading.Barrier(threads + 1)
        self.going = True
        jobs = [put_share, get_share] * (threads // 2)
        self.threads = [threading.Thread(target=self.work, args=(job, items)) for job in jobs]
        for thread in self.threads:
            thread.start()

    def work(self, job: Callable[[Any, int], None], items: Any) -> None:
        while True:
            self.start.wait()
            if not self.going:
                return
            job(items, self.share)
            self.end.wait()

    def round(self) -> None:
        self.start.wait()
        self.end.wait()

    def rounds(self, seconds: float) -> int:
        """How many it took until `seconds` were over; one at least."""
        count = 0
        until = time.perf_counter() + seconds
        while not count or time.perf_counter() < until:
            self.round()
            count += 1
        return count

    def leave(self) -> None:
        self.going = False
        self.start.wait()
        for thread in self.threads:
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=["pyuv", "queue.Queue", "queue.SimpleQueue"])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--maxsize", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()
    if options.threads < 2 or options.threads % 2:
        parser.error("as many threads put as get")

    items, version = make(options.client, options.maxsize)
    crew = Crew(items, options.threads)
    if options.warmup:
        crew.rounds(options.warmup)
    meter = Meter()
    meter.start()
    count = crew.rounds(options.seconds)
    meter.stop()
    crew.leave()
    report(count * crew.operations, meter, version)


main()
