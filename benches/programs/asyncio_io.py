"""What an asyncio event loop takes for descriptors, connections, child processes and pipes.

    asyncio_io.py --client pyuv.asyncio|uvloop|rloop|asyncio --case CASE

Each case sets itself up and gives a coroutine function that does some operations and says how many; it is
called again until the time is over.
"""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from event_loops import Batch, run_batches

SOCKETS, READY = 1000, 100
CHUNK = 64 * 1024


@asynccontextmanager
async def readers() -> AsyncIterator[Batch]:
    loop = asyncio.get_running_loop()
    pairs = [socket.socketpair() for _ in range(SOCKETS)]
    left, done = 0, loop.create_future()

    def on_readable(sock: socket.socket) -> None:
        nonlocal left
        sock.recv(1)
        left -= 1
        if not left:
            done.set_result(None)

    for ours, _ in pairs:
        ours.setblocking(False)
        loop.add_reader(ours, on_readable, ours)

    async def batch() -> int:
        nonlocal left, done
        for first in range(SOCKETS // READY):
            left, done = READY, loop.create_future()
            for _, theirs in pairs[first :: SOCKETS // READY]:
                theirs.send(b"x")
            await done
        return SOCKETS

    yield batch
    for pair in pairs:
        loop.remove_reader(pair[0])
        for sock in pair:
            sock.close()


@asynccontextmanager
async def add_and_remove() -> AsyncIterator[Batch]:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    async def batch() -> int:
        for _ in range(SOCKETS):
            loop.add_reader(ours, int)
            loop.remove_reader(ours)
        await asyncio.sleep(0)
        return SOCKETS

    yield batch
    ours.close()
    theirs.close()


class Greeted(asyncio.Protocol):
    """One end of a connection: it is over with the first byte."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        pass

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(None)


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"x")
        transport.close()


@asynccontextmanager
async def connections() -> AsyncIterator[Batch]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Greeting, "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()

    async def some() -> None:
        for _ in range(10):
            transport, protocol = await loop.create_connection(Greeted, host, port)
            await protocol.lost
            transport.close()

    async def batch() -> int:
        await asyncio.gather(*(some() for _ in range(16)))
        return 160

    yield batch
    server.close()


@asynccontextmanager
async def children() -> AsyncIterator[Batch]:
    async def one() -> None:
        child = await asyncio.create_subprocess_exec("true")
        assert await child.wait() == 0

    async def batch() -> int:
        await asyncio.gather(*(one() for _ in range(4)))
        return 4

    yield batch


@asynccontextmanager
async def pipe() -> AsyncIterator[Batch]:
    async def batch() -> int:
        total = 500 * CHUNK
        options = {"stdout": asyncio.subprocess.PIPE, "limit": 4 * CHUNK}
        child = await asyncio.create_subprocess_exec("head", "-c", str(total), "/dev/zero", **options)
        assert child.stdout is not None
        while data := await child.stdout.read(CHUNK):
            total -= len(data)
        assert await child.wait() == total == 0
        return 500

    yield batch


@asynccontextmanager
async def idle() -> AsyncIterator[Batch]:
    async def batch() -> int:
        await asyncio.sleep(10)
        return 1

    yield batch


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cases = {case.__name__: case for case in (readers, add_and_remove, connections, children, pipe, idle)}
    run_batches(__doc__.splitlines()[0], cases, once={"idle"})


main()
