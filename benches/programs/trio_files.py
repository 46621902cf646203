"""Files in trio's tasks: statuses and whole files, in each of the ways that there are.

    trio_files.py --client NAME --case stat|read --folder FOLDER [--files N] [--in-flight N]

The folder holds files named by their numbers.
"""

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import trio
from measure import Run


def read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


class Direct:
    """Blocking calls in the one thread: what everything else is compared to."""

    version = "open"

    async def stat(self, path: str) -> int:
        return os.stat(path).st_size

    async def read(self, path: str) -> bytes:
        return read_file(path)


class Ours:
    def __init__(self) -> None:
        from pyuv.trio import fs

        self.fs = fs
        self.version = f"pyuv {version('pyuv')}"

    async def stat(self, path: str) -> int:
        return (await self.fs.stat(path)).st_size

    async def read(self, path: str) -> bytes:
        async with self.fs.open(path, "rb") as file:
            return await file.read()


class Trio:
    """trio's own files and paths: a trip to a thread for each call."""

    version = f"trio {trio.__version__}"

    async def stat(self, path: str) -> int:
        return (await trio.Path(path).stat()).st_size

    async def read(self, path: str) -> bytes:
        async with await trio.open_file(path, "rb") as file:
            return await file.read()


class ToThread:
    """One trip to a thread for all that is done with a file."""

    version = f"trio {trio.__version__}"

    async def stat(self, path: str) -> int:
        return (await trio.to_thread.run_sync(os.stat, path)).st_size

    async def read(self, path: str) -> bytes:
        return await trio.to_thread.run_sync(read_file, path)


CLIENTS: dict[str, Callable[[], Any]] = {"direct": Direct, "pyuv": Ours, "trio": Trio, "to_thread": ToThread}


async def keep_busy(client: Any, options: argparse.Namespace) -> Run:
    run = Run(options.seconds, options.warmup)
    paths = [f"{options.folder}/{number}" for number in range(options.files)]
    size = os.stat(paths[0]).st_size
    items = run.items(paths)

    async def stats() -> None:
        for path in items:
            run.errors += await client.stat(path) != size

    async def reads() -> None:
        for path in items:
            run.errors += len(await client.read(path)) != size

    async with trio.open_nursery() as nursery:
        for _ in range(options.in_flight):
            nursery.start_soon(stats if options.case == "stat" else reads)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=list(CLIENTS))
    parser.add_argument("--case", required=True, choices=["stat", "read"])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()
    client = CLIENTS[options.client]()
    trio.run(keep_busy, client, options).report(client.version)


main()
