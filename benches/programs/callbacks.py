"""The loop's own cost in Python: what c/callbacks.c does, on pyuv, asyncio or uvloop.

    callbacks.py --client pyuv|asyncio|uvloop --case idle|timers|async|pingpong [--handles N]

The loop runs for a fixed time, ended by a timer, and the measured callbacks count nothing: pyuv's
iterations come from `Loop.metrics()` (`uv_metrics_info`), rounds of timers from one marker among
them. asyncio has no idle handle: there a callback asks for itself again with `call_soon`, and one
of them counts.
"""

import argparse
import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from event_loops import loop_version, new_loop
from measure import Meter, report

TIMEOUT = 0.001


class Client(Protocol):
    version: str

    def run_for(self, seconds: float) -> None: ...
    def prepare(self, case: str, handles: int) -> Callable[[], int]:
        """Starts the case; gives a function that counts operations, or rounds of `handles`."""
        ...

    def finish(self) -> None: ...


class Pyuv:
    def __init__(self) -> None:
        import pyuv

        self.pyuv = pyuv
        self.version = f"pyuv {pyuv.__version__}"
        self.loop = pyuv.Loop()
        self.handles: list[Any] = []
        self.finish: Callable[[], None] = lambda: None

    def run_for(self, seconds: float) -> None:
        end = self.pyuv.Timer(self.loop)
        self.loop.update_time()
        end.start(lambda timer: self.loop.stop(), seconds, 0)
        self.loop.run()
        end.close()
        self.loop.run(self.pyuv.UV_RUN_NOWAIT)

    def prepare(self, case: str, handles: int) -> Callable[[], int]:
        start: Callable[[int], Callable[[], int]] = getattr(self, f"start_{case}")
        return start(handles)

    def iterations(self) -> int:
        count: int = self.loop.metrics().loop_count
        return count

    def start_idle(self, handles: int) -> Callable[[], int]:
        def on_idle(idle: Any) -> None:
            pass

        self.handles = [self.pyuv.Idle(self.loop) for _ in range(handles)]
        for idle in self.handles:
            idle.start(on_idle)
        return self.iterations

    def start_timers(self, handles: int) -> Callable[[], int]:
        rounds = 0

        def on_timer(timer: Any) -> None:
            timer.start(on_timer, TIMEOUT, 0)

        def on_marker(timer: Any) -> None:
            nonlocal rounds
            rounds += 1
            timer.start(on_marker, TIMEOUT, 0)

        self.handles = [self.pyuv.Timer(self.loop) for _ in range(handles)]
        for timer in self.handles:
            timer.start(on_timer, TIMEOUT, 0)
        self.handles[0].start(on_marker, TIMEOUT, 0)
        return lambda: rounds

    def start_async(self, handles: int) -> Callable[[], int]:
        self.handles = [self.pyuv.Async(self.loop, lambda handle: handle.send())]
        self.handles[0].send()
        return self.iterations

    def start_pingpong(self, handles: int) -> Callable[[], int]:
        ready = threading.Event()

        def other() -> None:
            loop = self.pyuv.Loop()
            there = self.pyuv.Async(loop, lambda handle: here.send())
            leave = self.pyuv.Async(loop, lambda handle: loop.stop())
            self.handles = [here, there, leave]
            ready.set()
            loop.run()

        def on_here(handle: Any) -> None:
            there.send()

        here = self.pyuv.Async(self.loop, on_here)
        thread = threading.Thread(target=other)
        thread.start()
        ready.wait()
        _, there, leave = self.handles

        def finish() -> None:
            leave.send()
            thread.join()

        self.finish = finish
        there.send()
        return self.iterations


class Asyncio:
    def __init__(self, factory: Callable[[], asyncio.AbstractEventLoop], version: str) -> None:
        self.factory = factory
        self.version = version
        self.loop = factory()
        self.finish: Callable[[], None] = lambda: None

    def run_for(self, seconds: float) -> None:
        self.loop.call_later(seconds, self.loop.stop)
        self.loop.run_forever()

    def prepare(self, case: str, handles: int) -> Callable[[], int]:
        start: Callable[[int], Callable[[], int]] = getattr(self, f"start_{case}")
        return start(handles)

    def _again(self, handles: int, again: Callable[[Callable[[], None]], object]) -> Callable[[], int]:
        """`handles` callbacks that pass themselves to `again`; the first counts."""
        rounds = 0

        def plain() -> None:
            again(plain)

        def marker() -> None:
            nonlocal rounds
            rounds += 1
            again(marker)

        again(marker)
        for _ in range(handles - 1):
            again(plain)
        return lambda: rounds

    def start_idle(self, handles: int) -> Callable[[], int]:
        return self._again(handles, self.loop.call_soon)

    def start_timers(self, handles: int) -> Callable[[], int]:
        return self._again(handles, partial(self.loop.call_later, TIMEOUT))

    def start_async(self, handles: int) -> Callable[[], int]:
        return self._again(1, self.loop.call_soon_threadsafe)

    def start_pingpong(self, handles: int) -> Callable[[], int]:
        rounds = 0
        other = self.factory()
        thread = threading.Thread(target=other.run_forever)
        thread.start()

        def here() -> None:
            nonlocal rounds
            rounds += 1
            other.call_soon_threadsafe(there)

        def there() -> None:
            self.loop.call_soon_threadsafe(here)

        def finish() -> None:
            other.call_soon_threadsafe(other.stop)
            thread.join()

        self.finish = finish
        other.call_soon_threadsafe(there)
        return lambda: rounds


def client(name: str) -> Client:
    if name == "pyuv":
        return Pyuv()
    return Asyncio(new_loop(name), loop_version(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=["pyuv", "asyncio", "uvloop"])
    parser.add_argument("--case", required=True, choices=["idle", "timers", "async", "pingpong"])
    parser.add_argument("--handles", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()

    measured = client(options.client)
    count = measured.prepare(options.case, options.handles)
    if options.warmup:
        measured.run_for(options.warmup)
    meter = Meter()
    before = count()
    meter.start()
    measured.run_for(options.seconds)
    meter.stop()
    operations = (count() - before) * options.handles
    measured.finish()
    report(operations, meter, measured.version)


main()
