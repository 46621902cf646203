"""What the programs that run on asyncio's event loop and others share."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from importlib.metadata import version

from measure import Meter, Run, report

Batch = Callable[[], Awaitable[int]]
"""Does some operations, and says how many."""

CLIENTS = ("pyuv.asyncio", "uvloop", "uvloop+aiofastnet", "rloop", "rsloop", "zuvloop", "asyncio")


def new_loop(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    name, _, transports = name.partition("+")
    if name == "asyncio":
        return asyncio.SelectorEventLoop
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module(name).new_event_loop
    if not transports:
        return factory
    patch = import_module(transports).patch_loop

    def patched() -> asyncio.AbstractEventLoop:
        loop = factory()
        patch(loop)
        return loop

    return patched


def loop_version(name: str) -> str:
    if name == "asyncio":
        return name
    return ", ".join(f"{part} {version(part.partition('.')[0])}" for part in name.split("+"))


def parse(description: str, cases: Iterable[str]) -> argparse.Namespace:
    """The command line of a program that does one of some cases for a time."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--client", required=True, choices=CLIENTS)
    parser.add_argument("--case", required=True, choices=cases)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    return parser.parse_args()


async def keep_busy(
    run: Run, items: Iterator[str], in_flight: int, work: Callable[[str], Awaitable[bool]]
) -> None:
    """A closed loop of `in_flight` tasks; `work` says whether its item came out right."""

    async def worker() -> None:
        for item in items:
            try:
                good = await work(item)
            except Exception:
                good = False
            if not good:
                run.errors += 1

    await asyncio.gather(*(worker() for _ in range(in_flight)))


def run_batches(
    description: str,
    cases: Mapping[str, Callable[[], AbstractAsyncContextManager[Batch]]],
    *,
    once: Container[str] = (),
) -> None:
    """Does the case that the command line names, again and again until the time is over, or once."""
    options = parse(description, cases)

    async def measure() -> tuple[int, Meter]:
        async with cases[options.case]() as batch:
            end = time.perf_counter() + options.warmup
            while options.case not in once and time.perf_counter() < end:
                await batch()
            meter, operations = Meter(), 0
            meter.start()
            end = time.perf_counter() + options.seconds
            while time.perf_counter() < end:
                operations += await batch()
            meter.stop()
        return operations, meter

    with asyncio.Runner(loop_factory=new_loop(options.client)) as runner:
        operations, meter = runner.run(measure())
    report(operations, meter, loop_version(options.client))
