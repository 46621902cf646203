"""An echo server in one of the ways Python has: what c/echo_server.c does.

    echo_server.py --server pyuv|pyuv.asyncio|uvloop|rloop|asyncio --transport tcp|unix|udp [--path PATH]
        [--mode protocol|busy|parts|buffered|streams|sock]

"busy" is a protocol beside a callback that schedules itself for ever; "parts" answers in two writes.

Prints its port (or path) and version, and serves until it is ended.
"""

import argparse
import asyncio
import contextlib
import resource
import socket
from typing import Any

from event_loops import CLIENTS, loop_version, new_loop

HOST = "127.0.0.1"


def pyuv_server(transport: str, path: str) -> None:
    import pyuv

    loop = pyuv.Loop()

    def on_read(stream: Any, data: bytes | None, error: int | None) -> None:
        if data is None:
            stream.close()
        else:
            stream.write(data)

    def on_tcp(server: Any, error: int | None) -> None:
        client = pyuv.TCP(loop)
        server.accept(client)
        client.nodelay(True)
        client.start_read(on_read)

    def on_unix(server: Any, error: int | None) -> None:
        client = pyuv.Pipe(loop)
        server.accept(client)
        client.start_read(on_read)

    def on_datagram(socket: Any, address: Any, flags: int, data: bytes | None, error: int | None) -> None:
        if data is not None:
            socket.send(address, data)

    server: Any
    if transport == "tcp":
        server = pyuv.TCP(loop)
        server.bind((HOST, 0))
        server.listen(on_tcp, 1024)
    elif transport == "unix":
        server = pyuv.Pipe(loop)
        server.bind(path)
        server.listen(on_unix, 1024)
    else:
        server = pyuv.UDP(loop)
        server.bind((HOST, 0))
        server.start_recv(on_datagram)
    ready(path or server.getsockname()[1], f"pyuv {pyuv.__version__}")
    loop.run()


class Echo(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class EchoInParts(Echo):
    """As a web server does: the head of a response, and its body."""

    def data_received(self, data: bytes) -> None:
        middle = len(data) // 2
        self.transport.write(data[:middle])
        self.transport.write(data[middle:])


class EchoDatagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.transport.sendto(data, address)


class BufferedEcho(asyncio.BufferedProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = memoryview(bytearray(256 * 1024))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.transport.write(self.buffer[:nbytes].tobytes())


PROTOCOLS = {"protocol": Echo, "busy": Echo, "parts": EchoInParts, "buffered": BufferedEcho}


async def stream_server(name: str, transport: str, path: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(256 * 1024):
                writer.write(data)

    if transport == "unix":
        server = await asyncio.start_unix_server(serve, path, backlog=1024, limit=256 * 1024)
    else:
        server = await asyncio.start_server(serve, HOST, 0, backlog=1024, limit=256 * 1024)
    ready(path or server.sockets[0].getsockname()[1], name)
    await asyncio.Event().wait()


async def sock_server(name: str) -> None:
    loop = asyncio.get_running_loop()

    async def serve(sock: socket.socket) -> None:
        with contextlib.suppress(ConnectionError), sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := await loop.sock_recv(sock, 256 * 1024):
                await loop.sock_sendall(sock, data)

    serving = set()
    with socket.create_server((HOST, 0), backlog=1024) as server:
        server.setblocking(False)
        ready(server.getsockname()[1], name)
        while True:
            sock, _ = await loop.sock_accept(server)
            serving.add(asyncio.ensure_future(serve(sock)))


async def protocol_server(transport: str, path: str, name: str, protocol: Any, busy: bool) -> None:
    loop = asyncio.get_running_loop()
    if busy:

        def again() -> None:
            loop.call_soon(again)

        again()
    if transport == "unix":
        await loop.create_unix_server(protocol, path, backlog=1024)
        ready(path, name)
    elif transport == "tcp":
        server = await loop.create_server(protocol, HOST, 0, backlog=1024)
        ready(server.sockets[0].getsockname()[1], name)
    else:
        datagrams, _ = await loop.create_datagram_endpoint(EchoDatagrams, (HOST, 0))
        ready(datagrams.get_extra_info("sockname")[1], name)
    await asyncio.Event().wait()


def ready(address: object, name: str) -> None:
    print(address, name, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, choices=["pyuv", *CLIENTS])
    parser.add_argument("--mode", default="protocol", choices=[*PROTOCOLS, "streams", "sock"])
    parser.add_argument("--transport", required=True, choices=["tcp", "unix", "udp"])
    parser.add_argument("--path", default="")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.server == "pyuv":
        pyuv_server(options.transport, options.path)
        return
    name = loop_version(options.server)
    with asyncio.Runner(loop_factory=new_loop(options.server)) as runner:
        if protocol := PROTOCOLS.get(options.mode):
            busy = options.mode == "busy"
            runner.run(protocol_server(options.transport, options.path, name, protocol, busy))
        elif options.mode == "streams":
            runner.run(stream_server(name, options.transport, options.path))
        else:
            runner.run(sock_server(name))


main()
