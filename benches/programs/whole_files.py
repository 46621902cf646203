"""A closed loop of whole files, read or written, in one of the ways Python has.

whole_files.py --client NAME --case read|write --folder FOLDER --files N --in-flight N
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from event_loops import keep_busy
from measure import Run

SIZE = 4096
DATA = b"x" * SIZE


def read(path: str) -> bool:
    with open(path, "rb") as file:
        return len(file.read()) == SIZE


def write(path: str) -> bool:
    with open(path, "wb") as file:
        return file.write(DATA) == SIZE


def direct(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    """Plain blocking calls, one after the other."""
    job = read if case == "read" else write
    for path in paths:
        if not job(path):
            run.errors += 1
    return "open"


def pyuv_callbacks(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
    """Whole-file requests in flight: the end of each starts the next."""
    import pyuv
    from pyuv import fs

    loop = pyuv.Loop()

    def start_read() -> None:
        for path in paths:
            fs.read_file(loop, path, on_read)
            return

    def on_read(request: Any) -> None:
        if request.error is not None or len(request.result) != SIZE:
            run.errors += 1
        start_read()

    def start_write() -> None:
        for path in paths:
            fs.write_file(loop, path, DATA, callback=on_write)
            return

    def on_write(request: Any) -> None:
        if request.result != SIZE:
            run.errors += 1
        start_write()

    for _ in range(in_flight):
        (start_read if case == "read" else start_write)()
    loop.run()
    return f"pyuv {pyuv.__version__}"


def in_tasks(
    drive: Callable[[], tuple[str, Callable[[str], Awaitable[bool]], Callable[[str], Awaitable[bool]]]],
) -> Callable[[Run, Iterator[str], str, int], str]:
    """A client of asyncio, from what gives its version and its two ways."""

    def run_tasks(run: Run, paths: Iterator[str], case: str, in_flight: int) -> str:
        version, reading, writing = drive()
        asyncio.run(keep_busy(run, paths, in_flight, reading if case == "read" else writing))
        return version

    return run_tasks


def to_thread() -> Any:
    async def reading(path: str) -> bool:
        return await asyncio.to_thread(read, path)

    async def writing(path: str) -> bool:
        return await asyncio.to_thread(write, path)

    return "asyncio", reading, writing


def of_module(opener: Callable[..., Any], version: str) -> Any:
    """What opens files as `open` does, each call of theirs awaited."""

    async def reading(path: str) -> bool:
        async with opener(path, "rb") as file:
            return len(await file.read()) == SIZE

    async def writing(path: str) -> bool:
        async with opener(path, "wb") as file:
            await file.write(DATA)
        return True

    return version, reading, writing


def aiofiles_calls() -> Any:
    from importlib.metadata import version

    import aiofiles

    return of_module(aiofiles.open, f"aiofiles {version('aiofiles')}")


def asyncfiles_calls() -> Any:
    import asyncfiles

    return of_module(asyncfiles.open, f"asyncfiles {asyncfiles.__version__}")


CLIENTS = {
    "direct": direct,
    "pyuv": pyuv_callbacks,
    "to_thread": in_tasks(to_thread),
    "aiofiles": in_tasks(aiofiles_calls),
    "asyncfiles": in_tasks(asyncfiles_calls),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=list(CLIENTS))
    parser.add_argument("--case", required=True, choices=["read", "write"])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()

    run = Run(options.seconds, options.warmup)
    paths = run.items([f"{options.folder}/{number}" for number in range(options.files)])
    run.report(CLIENTS[options.client](run, paths, options.case, options.in_flight))


main()
