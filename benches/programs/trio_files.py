"""Files in trio's tasks: statuses and whole files, in each of the ways that there are.

    trio_files.py --client NAME --case stat|read --folder FOLDER [--files N] [--in-flight N]

The folder holds files named by their numbers.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

import trio
from file_clients import Direct, Ours, parse, read_file
from measure import Run


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


CLIENTS: dict[str, Callable[[], Any]] = {
    "direct": Direct,
    "pyuv": lambda: Ours("pyuv.trio.fs"),
    "trio": Trio,
    "to_thread": ToThread,
}


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
    options = parse(__doc__.splitlines()[0], CLIENTS, ["stat", "read"])
    client = CLIENTS[options.client]()
    trio.run(keep_busy, client, options).report(client.version)


main()
