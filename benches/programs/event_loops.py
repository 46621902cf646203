"""What the programs that run on asyncio or uvloop share."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version

from measure import Run


def new_loop(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "uvloop":
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
        return factory
    return asyncio.SelectorEventLoop


def loop_version(name: str) -> str:
    return f"uvloop {version('uvloop')}" if name == "uvloop" else "asyncio"


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
