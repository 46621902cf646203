"""Files in asyncio programs: statuses, whole files and lines, in each of the ways that there are.

    awaited_files.py --client NAME --case stat|read|many|lines --folder FOLDER [--files N] [--in-flight N]

The folder holds files named by their numbers, and one named `lines`.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

from event_loops import keep_busy, new_loop
from file_clients import Direct, Ours, parse, read_file
from measure import Meter, Run, report

LOOK = 1024
"""The clock is read once in so many lines."""


class Aiofiles:
    def __init__(self) -> None:
        import aiofiles
        import aiofiles.os

        self.aiofiles = aiofiles
        self.version = f"aiofiles {version('aiofiles')}"

    async def stat(self, path: str) -> int:
        return (await self.aiofiles.os.stat(path)).st_size

    async def read(self, path: str) -> bytes:
        async with self.aiofiles.open(path, "rb") as file:
            return await file.read()

    def lines(self, path: str) -> Any:
        return self.aiofiles.open(path)


class Asyncfiles:
    """It has no status of its own."""

    def __init__(self) -> None:
        import asyncfiles

        self.asyncfiles = asyncfiles
        self.version = f"asyncfiles {asyncfiles.__version__}"

    async def stat(self, path: str) -> int:
        raise NotImplementedError

    async def read(self, path: str) -> bytes:
        async with self.asyncfiles.open(path, "rb") as file:
            return await file.read()

    def lines(self, path: str) -> Any:
        return self.asyncfiles.open(path)


class Anyio:
    def __init__(self) -> None:
        import anyio

        self.anyio = anyio
        self.version = f"anyio {version('anyio')}"

    async def stat(self, path: str) -> int:
        return (await self.anyio.Path(path).stat()).st_size

    async def read(self, path: str) -> bytes:
        async with await self.anyio.open_file(path, "rb") as file:
            return await file.read()

    def lines(self, path: str) -> Any:
        return Opened(self.anyio.open_file(path))


class Opened:
    """What is to be awaited first, as an asynchronous context manager."""

    def __init__(self, opening: Awaitable[Any]) -> None:
        self.opening = opening

    async def __aenter__(self) -> Any:
        self.file = await self.opening
        return self.file

    async def __aexit__(self, *exception: object) -> None:
        await self.file.aclose()


class ToThread:
    """One trip to a thread for all that is done with a file."""

    version = "asyncio"

    async def stat(self, path: str) -> int:
        return (await asyncio.to_thread(os.stat, path)).st_size

    async def read(self, path: str) -> bytes:
        return await asyncio.to_thread(read_file, path)


CLIENTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "direct": ("asyncio", Direct),
    "pyuv": ("pyuv.asyncio", lambda: Ours("pyuv.asyncio.fs")),
    "pyuv-batches": ("pyuv.asyncio", lambda: Ours("pyuv.asyncio.fs")),
    "aiofiles": ("asyncio", Aiofiles),
    "asyncfiles": ("asyncio", Asyncfiles),
    "anyio": ("asyncio", Anyio),
    "to_thread": ("asyncio", ToThread),
}
"""The event loop that each runs on, and what does it."""


async def whole(client: Any, options: argparse.Namespace) -> None:
    """Statuses, or whole files: so many at a time."""
    run = Run(options.seconds, options.warmup)
    paths = [f"{options.folder}/{number}" for number in range(options.files)]
    size = os.stat(paths[0]).st_size

    async def stat(path: str) -> bool:
        return bool(await client.stat(path) == size)

    async def read(path: str) -> bool:
        return len(await client.read(path)) == size

    await keep_busy(run, run.items(paths), options.in_flight, stat if options.case == "stat" else read)
    run.report(client.version)


async def lines(client: Any, options: argparse.Namespace) -> None:
    """The lines of a large file, again and again."""
    path = f"{options.folder}/lines"
    meter, count, until = Meter(), 0, time.perf_counter() + options.warmup
    started = False

    def is_over() -> bool:
        nonlocal started, until, count
        if time.perf_counter() < until:
            return False
        if started:
            return True
        started, count = True, 0
        meter.start()
        until = time.perf_counter() + options.seconds
        return False

    over = False
    while not over:
        if options.client == "direct":
            with open(path) as file:
                for _line in file:
                    count += 1
                    if not count % LOOK and is_over():
                        over = True
                        break
        elif options.client == "pyuv-batches":
            async with client.lines(path) as file:
                async for some in file.batches():
                    for _line in some:
                        count += 1
                    if is_over():
                        over = True
                        break
        else:
            async with client.lines(path) as file:
                async for _line in file:
                    count += 1
                    if not count % LOOK and is_over():
                        over = True
                        break
    meter.stop()
    report(count, meter, client.version)


def main() -> None:
    options = parse(__doc__.splitlines()[0], CLIENTS, ["stat", "read", "many", "lines"])
    loop, kind = CLIENTS[options.client]
    with asyncio.Runner(loop_factory=new_loop(loop)) as runner:
        runner.run((lines if options.case == "lines" else whole)(kind(), options))


main()
