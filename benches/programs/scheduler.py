"""What an asyncio event loop takes for its callbacks, timers, futures and tasks.

    scheduler.py --client pyuv.asyncio|uvloop|rloop|asyncio --case CASE

Each case is a coroutine that does `BATCH` operations; it is run again until the time is over.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from event_loops import loop_version, new_loop, parse
from measure import Meter, report

BATCH = 10_000


async def call_soon(loop: asyncio.AbstractEventLoop) -> None:
    done = loop.create_future()

    def again(left: int) -> None:
        if left:
            loop.call_soon(again, left - 1)
        else:
            done.set_result(None)

    again(BATCH)
    await done


async def call_soon_queued(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(BATCH):
        loop.call_soon(int)
    await asyncio.sleep(0)


async def call_later(loop: asyncio.AbstractEventLoop) -> None:
    done = loop.create_future()
    for _ in range(BATCH):
        loop.call_later(0, int)
    loop.call_later(0, done.set_result, None)
    await done


async def timer_cancelled(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(BATCH):
        loop.call_later(100, int).cancel()


async def sleep_0(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(BATCH):
        await asyncio.sleep(0)


async def future_round(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(BATCH):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


async def nothing() -> None:
    pass


async def task_in_gather(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(BATCH // 100):
        await asyncio.gather(*(nothing() for _ in range(100)))


async def call_soon_threadsafe(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(BATCH):
        loop.call_soon_threadsafe(int)
    await asyncio.sleep(0)


CASES: dict[str, Callable[[asyncio.AbstractEventLoop], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        call_soon,
        call_soon_queued,
        call_later,
        timer_cancelled,
        sleep_0,
        future_round,
        task_in_gather,
        call_soon_threadsafe,
    )
}


async def run_for(seconds: float, case: str) -> int:
    """How many operations were done in the time, and a little more."""
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    operations = 0
    while time.perf_counter() < end:
        await CASES[case](loop)
        operations += BATCH
    return operations


def main() -> None:
    options = parse(__doc__.splitlines()[0], CASES)
    with asyncio.Runner(loop_factory=new_loop(options.client)) as runner:
        runner.run(run_for(options.warmup, options.case))
        meter = Meter()
        meter.start()
        operations = runner.run(run_for(options.seconds, options.case))
        meter.stop()
    report(operations, meter, loop_version(options.client))


main()
