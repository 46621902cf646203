"""What the programs that measure awaited files share: two of the clients, and the command line."""

import argparse
import os
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any


class Direct:
    """Blocking calls in the one thread: what everything else is compared to."""

    version = "open"

    async def stat(self, path: str) -> int:
        return os.stat(path).st_size

    async def read(self, path: str) -> bytes:
        return read_file(path)


class Ours:
    """What `pyuv.asyncio.fs` and `pyuv.trio.fs` have in common."""

    def __init__(self, module: str) -> None:
        self.fs: Any = import_module(module)
        self.version = f"pyuv {version('pyuv')}"

    async def stat(self, path: str) -> int:
        return (await self.fs.stat(path)).st_size

    async def read(self, path: str) -> bytes:
        async with self.fs.open(path, "rb") as file:
            return await file.read()

    def lines(self, path: str) -> Any:
        return self.fs.open(path)


def read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def parse(description: str, clients: Iterable[str], cases: Iterable[str]) -> argparse.Namespace:
    """The command line of a program that does one of some cases with the files of a folder."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--client", required=True, choices=list(clients))
    parser.add_argument("--case", required=True, choices=list(cases))
    parser.add_argument("--folder", required=True)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    return parser.parse_args()
