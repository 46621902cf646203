"""What TLS takes on an asyncio event loop, both ends of 16 connections together.

    asyncio_tls.py --client pyuv.asyncio|uvloop|uvloop+aiofastnet|asyncio --case CASE

An operation is a message that comes back, or a handshake with the connection that it is for.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from event_loops import Batch, run_batches

CERTIFICATE = Path(__file__).parents[2] / "fixtures" / "certificates" / "localhost.pem"
CONNECTIONS = 16
SIZES = {"64": 64, "16k": 16 * 1024, "100k": 100 * 1024}


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(CERTIFICATE)
    return server_side, ssl.create_default_context(cafile=CERTIFICATE)


class Echo(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Asks(asyncio.Protocol):
    """Sends a message so many times, each when the one before has come back."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, message: bytes, times: int) -> asyncio.Future[None]:
        self.message, self.left, self.missing = message, times, len(message)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport.write(message)
        return self.done

    def data_received(self, data: bytes) -> None:
        self.missing -= len(data)
        if self.missing:
            return
        self.left -= 1
        if self.left:
            self.missing = len(self.message)
            self.transport.write(self.message)
        else:
            self.done.set_result(None)


@asynccontextmanager
async def protocols(size: int) -> AsyncIterator[Batch]:
    loop = asyncio.get_running_loop()
    server_side, client_side = contexts()
    server = await loop.create_server(Echo, "127.0.0.1", 0, ssl=server_side)
    host, port = server.sockets[0].getsockname()
    connected = [await loop.create_connection(Asks, host, port, ssl=client_side) for _ in range(CONNECTIONS)]
    message = bytes(size)
    times = 50 if size < 1024 else 5

    async def batch() -> int:
        await asyncio.gather(*(protocol.ask(message, times) for _, protocol in connected))
        return CONNECTIONS * times

    yield batch
    for transport, _ in connected:
        transport.abort()
    server.close()


@asynccontextmanager
async def streams(size: int) -> AsyncIterator[Batch]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(256 * 1024):
            writer.write(data)
        writer.close()

    server_side, client_side = contexts()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side, limit=256 * 1024)
    host, port = server.sockets[0].getsockname()
    connected = [
        await asyncio.open_connection(host, port, ssl=client_side, limit=256 * 1024)
        for _ in range(CONNECTIONS)
    ]
    message = bytes(size)
    times = 50 if size < 1024 else 5

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times):
            writer.write(message)
            await reader.readexactly(size)

    async def batch() -> int:
        await asyncio.gather(*(ask(reader, writer) for reader, writer in connected))
        return CONNECTIONS * times

    yield batch
    for _, writer in connected:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in connected))
    server.close()


@asynccontextmanager
async def handshakes() -> AsyncIterator[Batch]:
    loop = asyncio.get_running_loop()
    server_side, client_side = contexts()
    server = await loop.create_server(Echo, "127.0.0.1", 0, ssl=server_side)
    host, port = server.sockets[0].getsockname()

    async def one() -> None:
        transport, _ = await loop.create_connection(Asks, host, port, ssl=client_side)
        transport.abort()

    async def batch() -> int:
        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
        return CONNECTIONS

    yield batch
    server.close()


def main() -> None:
    cases = {
        f"{kind.__name__}-{name}": partial(kind, size)
        for kind in (protocols, streams)
        for name, size in SIZES.items()
    }
    run_batches(__doc__.splitlines()[0], cases | {"handshakes": handshakes})


main()
