"""An echo server in one of the ways Python has: what c/echo_server.c does.

    echo_server.py --server pyuv|uvloop|rloop|asyncio --transport tcp|unix|udp [--path PATH]

Prints its port (or path) and version, and serves until it is ended.
"""

import argparse
import asyncio
import resource
from importlib.metadata import version
from typing import Any

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


class EchoDatagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.transport.sendto(data, address)


async def protocol_server(transport: str, path: str, name: str) -> None:
    loop = asyncio.get_running_loop()
    if transport == "unix":
        await loop.create_unix_server(Echo, path, backlog=1024)
        ready(path, name)
    elif transport == "tcp":
        server = await loop.create_server(Echo, HOST, 0, backlog=1024)
        ready(server.sockets[0].getsockname()[1], name)
    else:
        datagrams, _ = await loop.create_datagram_endpoint(EchoDatagrams, (HOST, 0))
        ready(datagrams.get_extra_info("sockname")[1], name)
    await asyncio.Event().wait()


def ready(address: object, name: str) -> None:
    print(address, name, flush=True)


def loop_factory(server: str) -> Any:
    if server == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    if server == "rloop":
        import rloop

        return rloop.new_event_loop
    return asyncio.SelectorEventLoop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, choices=["pyuv", "uvloop", "rloop", "asyncio"])
    parser.add_argument("--transport", required=True, choices=["tcp", "unix", "udp"])
    parser.add_argument("--path", default="")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.server == "pyuv":
        pyuv_server(options.transport, options.path)
        return
    name = "asyncio" if options.server == "asyncio" else f"{options.server} {version(options.server)}"
    with asyncio.Runner(loop_factory=loop_factory(options.server)) as runner:
        runner.run(protocol_server(options.transport, options.path, name))


main()
