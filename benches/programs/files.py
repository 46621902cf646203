"""A closed loop of file operations in one of the ways Python has: what c/files.c does.

    files.py --client NAME --case stat|read --folder FOLDER --files N --in-flight N

`stat` asks for one file's status and reads its size; `read` opens a file, reads 4 KiB and closes
it, each of the three an operation of its own unless the client's name says "one hop".
"""

import argparse
import asyncio
import os
from collections.abc import Iterator
from typing import Any

from event_loops import keep_busy, new_loop
from measure import Run

SIZE = 4096


def direct(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    """Plain blocking calls, one after the other."""
    if case == "stat":
        for path in paths:
            if os.stat(path).st_size != SIZE:
                run.errors += 1
    else:
        for path in paths:
            if len(open_read_close(path)) != SIZE:
                run.errors += 1
    return "os"


def direct_file(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    """Plain blocking calls through a file object, as most programs write them."""
    for path in paths:
        with open(path, "rb") as file:
            if len(file.read(SIZE)) != SIZE:
                run.errors += 1
    return "open"


def open_read_close(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    content = os.read(fd, SIZE)
    os.close(fd)
    return content


class PyuvStats:
    """Status requests in flight: each answer asks for the next file's."""

    def __init__(self, run: Run, paths: Iterator[str], loop: Any) -> None:
        import pyuv.fs

        self.run, self.paths, self.loop, self.stat = run, paths, loop, pyuv.fs.stat

    def next(self) -> None:
        for path in self.paths:
            self.stat(self.loop, path, self.on_stat)
            return

    def on_stat(self, request: Any) -> None:
        if request.error is not None or request.result.st_size != SIZE:
            self.run.errors += 1
        for path in self.paths:
            self.stat(self.loop, path, self.on_stat)
            return


class PyuvReads:
    """One chain of open, read and close: the end of each starts the next."""

    def __init__(self, run: Run, paths: Iterator[str], loop: Any) -> None:
        import pyuv.fs

        self.run, self.paths, self.loop, self.fs = run, paths, loop, pyuv.fs
        self.fd = -1

    def next(self) -> None:
        for path in self.paths:
            self.fs.open(self.loop, path, os.O_RDONLY, 0, self.on_open)
            return

    def on_open(self, request: Any) -> None:
        self.fd = request.result
        self.fs.read(self.loop, self.fd, SIZE, 0, self.on_read)

    def on_read(self, request: Any) -> None:
        if request.error is not None or len(request.result) != SIZE:
            self.run.errors += 1
        self.fs.close(self.loop, self.fd, self.on_close)

    def on_close(self, request: Any) -> None:
        if request.error is not None:
            self.run.errors += 1
        self.next()


def pyuv_callbacks(run: Run, paths: Iterator[str], case: str, in_flight: int, io_uring: bool = False) -> str:
    import pyuv

    loop = pyuv.Loop()
    if io_uring:
        os.environ["UV_USE_IO_URING"] = "1"
        loop.configure(io_uring=True)
    kind = PyuvStats if case == "stat" else PyuvReads
    for _ in range(in_flight):
        kind(run, paths, loop).next()
    loop.run()
    return f"pyuv {pyuv.__version__}"


def pyuv_io_uring(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    return pyuv_callbacks(run, paths, case, in_flight, io_uring=True)


async def to_thread(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    """The standard library's way: each blocking call on the default thread pool."""

    async def stat(path: str) -> bool:
        return (await asyncio.to_thread(os.stat, path)).st_size == SIZE

    async def read(path: str) -> bool:
        fd = await asyncio.to_thread(os.open, path, os.O_RDONLY)
        content = await asyncio.to_thread(os.read, fd, SIZE)
        await asyncio.to_thread(os.close, fd)
        return len(content) == SIZE

    await keep_busy(run, paths, in_flight, stat if case == "stat" else read)
    return "asyncio"


async def to_thread_once(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    """The three calls written as one function: one hop to the thread pool."""

    async def read(path: str) -> bool:
        return len(await asyncio.to_thread(open_read_close, path)) == SIZE

    await keep_busy(run, paths, in_flight, read)
    return "asyncio"


async def aiofiles_calls(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    from importlib.metadata import version

    import aiofiles
    import aiofiles.os

    async def stat(path: str) -> bool:
        status: os.stat_result = await aiofiles.os.stat(path)
        return status.st_size == SIZE

    async def read(path: str) -> bool:
        async with aiofiles.open(path, "rb") as file:
            return len(await file.read(SIZE)) == SIZE

    await keep_busy(run, paths, in_flight, stat if case == "stat" else read)
    return f"aiofiles {version('aiofiles')}"


async def asyncfiles_calls(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    import asyncfiles

    async def read(path: str) -> bool:
        async with asyncfiles.open(path, "rb") as file:
            return len(await file.read(SIZE)) == SIZE

    await keep_busy(run, paths, in_flight, read)
    return f"asyncfiles {asyncfiles.__version__}"


SYNC_CLIENTS = {
    "direct": direct,
    "direct-file": direct_file,
    "pyuv": pyuv_callbacks,
    "pyuv-io_uring": pyuv_io_uring,
}
ASYNC_CLIENTS = {
    "to_thread": to_thread,
    "to_thread-once": to_thread_once,
    "aiofiles": aiofiles_calls,
    "asyncfiles": asyncfiles_calls,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=[*SYNC_CLIENTS, *ASYNC_CLIENTS])
    parser.add_argument("--loop", default="asyncio", choices=["asyncio", "uvloop"])
    parser.add_argument("--case", required=True, choices=["stat", "read"])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()

    run = Run(options.seconds, options.warmup)
    paths = run.items([f"{options.folder}/{number}" for number in range(options.files)])
    if options.client in SYNC_CLIENTS:
        version = SYNC_CLIENTS[options.client](run, paths, options.case, options.in_flight)
    else:
        with asyncio.Runner(loop_factory=new_loop(options.loop)) as runner:
            drive = ASYNC_CLIENTS[options.client]
            version = runner.run(drive(run, paths, options.case, options.in_flight))
    run.report(version)


main()
