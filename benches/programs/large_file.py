"""One large file, read or written from end to end in blocks of 1 MiB, one pass after another.

large_file.py --client NAME --case read|write --path PATH --blocks N
"""

import argparse
import asyncio
import importlib
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from measure import Meter, report

BLOCK = 1 << 20
READS, WRITES = 4, 2
"""In flight. Linux has one write to a file wait for another."""
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

Client = Callable[[str, int], str]


def short(count: object) -> None:
    raise SystemExit(f"a block of {BLOCK} bytes came out as {count}")


def read_direct(path: str, blocks: int) -> str:
    buffer = bytearray(BLOCK)
    fd = os.open(path, os.O_RDONLY)
    for _ in range(blocks):
        if (count := os.readv(fd, [buffer])) != BLOCK:
            short(count)
    os.close(fd)
    return "os"


def write_direct(path: str, blocks: int) -> str:
    buffer = bytearray(BLOCK)
    fd = os.open(path, WRITE_FLAGS, 0o600)
    for _ in range(blocks):
        if (count := os.write(fd, buffer)) != BLOCK:
            short(count)
    os.close(fd)
    return "os"


class Chain:
    """Moves blocks one after the other, by a buffer of its own. It refers to itself from its request alone,
    so that no collector is needed for the buffer to go."""

    def __init__(self, move: Callable[[bytearray, int, Callable[[Any], None]], Any], numbers: Iterator[int]):
        self.move = move
        self.numbers = numbers
        self.buffer = bytearray(BLOCK)

    def following(self) -> None:
        for number in self.numbers:
            self.move(self.buffer, number * BLOCK, self.done)
            return

    def done(self, request: Any) -> None:
        if request.result != BLOCK:
            short(request.result)
        self.following()


def pyuv_blocks(path: str, blocks: int, flags: int, io_uring: bool) -> str:
    import pyuv
    from pyuv import fs

    loop = pyuv.Loop()
    if io_uring:
        os.environ["UV_USE_IO_URING"] = "1"
        loop.configure(io_uring=True)
    fd = fs.open(loop, path, flags, 0o600)
    function, in_flight = (fs.readinto, READS) if flags == os.O_RDONLY else (fs.write, WRITES)
    move: Any = partial(function, loop, fd)
    numbers = iter(range(blocks))
    for _ in range(in_flight):
        Chain(move, numbers).following()
    loop.run()
    fs.close(loop, fd)
    return f"pyuv {pyuv.__version__}"


def pyuv_read_file(path: str, blocks: int) -> str:
    import pyuv

    loop = pyuv.Loop()
    request = pyuv.fs.read_file(loop, path, lambda request: None)
    loop.run()
    if len(request.result) != blocks * BLOCK:
        short(request.error)
    return f"pyuv {pyuv.__version__}"


def read_to_thread(path: str, blocks: int) -> str:
    async def main() -> None:
        buffer = bytearray(BLOCK)
        fd = await asyncio.to_thread(os.open, path, os.O_RDONLY)
        for _ in range(blocks):
            if (count := await asyncio.to_thread(os.readv, fd, [buffer])) != BLOCK:
                short(count)
        await asyncio.to_thread(os.close, fd)

    asyncio.run(main())
    return "asyncio"


def write_to_thread(path: str, blocks: int) -> str:
    async def main() -> None:
        buffer = bytearray(BLOCK)
        fd = await asyncio.to_thread(os.open, path, WRITE_FLAGS, 0o600)
        for _ in range(blocks):
            if (count := await asyncio.to_thread(os.write, fd, buffer)) != BLOCK:
                short(count)
        await asyncio.to_thread(os.close, fd)

    asyncio.run(main())
    return "asyncio"


def read_aiofiles(path: str, blocks: int) -> str:
    import aiofiles

    async def main() -> None:
        async with aiofiles.open(path, "rb", buffering=0) as file:
            for _ in range(blocks):
                if len(block := await file.read(BLOCK)) != BLOCK:
                    short(len(block))

    asyncio.run(main())
    return aiofiles_version()


def write_aiofiles(path: str, blocks: int) -> str:
    import aiofiles

    async def main() -> None:
        buffer = bytearray(BLOCK)
        async with aiofiles.open(path, "wb", buffering=0) as file:
            for _ in range(blocks):
                if (count := await file.write(buffer)) != BLOCK:
                    short(count)

    asyncio.run(main())
    return aiofiles_version()


def aiofiles_version() -> str:
    from importlib.metadata import version

    return f"aiofiles {version('aiofiles')}"


def dd(case: str, path: str, blocks: int, meter: Meter) -> str:
    """A process of its own, timed from its start to its end."""
    where = (f"if={path}", "of=/dev/null") if case == "read" else ("if=/dev/zero", f"of={path}")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(["dd", *where, "bs=1M", f"count={blocks}", "status=none"], check=True)
    meter.seconds = time.perf_counter() - begin
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    meter.user = usage.ru_utime - before.ru_utime
    meter.system = usage.ru_stime - before.ru_stime
    return "coreutils"


def pyuv_client(flags: int, io_uring: bool) -> Client:
    return lambda path, blocks: pyuv_blocks(path, blocks, flags, io_uring)


CLIENTS: dict[str, dict[str, Client]] = {
    "read": {
        "direct": read_direct,
        "pyuv": pyuv_client(os.O_RDONLY, False),
        "pyuv, io_uring": pyuv_client(os.O_RDONLY, True),
        "pyuv, read_file": pyuv_read_file,
        "asyncio.to_thread": read_to_thread,
        "aiofiles": read_aiofiles,
    },
    "write": {
        "direct": write_direct,
        "pyuv": pyuv_client(WRITE_FLAGS, False),
        "pyuv, io_uring": pyuv_client(WRITE_FLAGS, True),
        "asyncio.to_thread": write_to_thread,
        "aiofiles": write_aiofiles,
    },
}


MODULES = {"direct": "os", "pyuv": "pyuv.fs", "asyncio.to_thread": "asyncio", "aiofiles": "aiofiles"}


def one_pass(client: str, case: str, path: str, blocks: int, meter: Meter) -> str:
    if case == "write" and os.path.exists(path):
        # Each begins with a file that is not there.
        os.unlink(path)
    if client == "dd":
        return dd(case, path, blocks, meter)
    move = CLIENTS[case][client]
    meter.start()
    version = move(path, blocks)
    meter.stop()
    return version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True)
    parser.add_argument("--case", required=True, choices=list(CLIENTS))
    parser.add_argument("--path", required=True)
    parser.add_argument("--blocks", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0)
    options = parser.parse_args()

    if options.client != "dd":
        # Imported before the clock starts.
        importlib.import_module(MODULES[options.client.split(",")[0]])
    total, operations = Meter(), 0
    while total.seconds < options.seconds:
        meter = Meter()
        version = one_pass(options.client, options.case, options.path, options.blocks, meter)
        total.seconds += meter.seconds
        total.user += meter.user
        total.system += meter.system
        operations += options.blocks
    report(operations, total, version)


main()
