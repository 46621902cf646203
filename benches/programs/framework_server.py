"""A server of echo, or of HTTP that says hello, in a framework on one of the loops that it can have.

    framework_server.py --framework twisted --loop pyuv|epoll|asyncio|uvloop --what echo|http
    framework_server.py --framework tornado --loop pyuv|asyncio|uvloop --what echo|http

Prints its port and version, and serves until it is ended.
"""

import argparse
import asyncio
import socket
from importlib import import_module
from importlib.metadata import version
from typing import Any

HOST = "127.0.0.1"
HELLO = b"Hello"
LOOPS = {"asyncio": "asyncio", "uvloop": "uvloop", "pyuv": "pyuv.asyncio"}


def new_event_loop(name: str) -> asyncio.AbstractEventLoop:
    made: asyncio.AbstractEventLoop = import_module(LOOPS[name]).new_event_loop()
    return made


def ready(port: int, *packages: str) -> None:
    print(port, ", ".join(f"{package} {version(package)}" for package in packages), flush=True)


def install_reactor(loop: str) -> None:
    if loop == "pyuv":
        import pyuv.twisted

        pyuv.twisted.install()
    elif loop == "epoll":
        from twisted.internet import epollreactor

        epollreactor.install()
    else:
        from twisted.internet import asyncioreactor

        asyncioreactor.install(new_event_loop(loop))


def twisted_server(loop: str, what: str) -> None:
    install_reactor(loop)
    from twisted.internet import protocol, reactor

    factory: Any
    if what == "echo":

        class Echo(protocol.Protocol):
            def dataReceived(self, data: bytes) -> None:
                self.transport.write(data)

        factory = protocol.Factory.forProtocol(Echo)
    else:
        from twisted.web.resource import Resource
        from twisted.web.server import Site

        class Hello(Resource):
            isLeaf = True

            def render_GET(self, request: Any) -> bytes:
                return HELLO

        factory = Site(Hello())
    port = reactor.listenTCP(0, factory, backlog=1024, interface=HOST)
    ready(port.getHost().port, "twisted")
    reactor.run()


def tornado_server(loop: str, what: str) -> None:
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.tcpserver import TCPServer
    from tornado.web import Application, RequestHandler

    class Echo(TCPServer):
        async def handle_stream(self, stream: Any, address: Any) -> None:
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                await stream.write(await stream.read_bytes(128 * 1024, partial=True))

    class Hello(RequestHandler):
        def get(self) -> None:
            self.write(HELLO)

    async def main() -> None:
        (listener,) = bind_sockets(0, HOST, backlog=1024)
        server = Echo() if what == "echo" else HTTPServer(Application([("/", Hello)]))
        server.add_sockets([listener])
        ready(listener.getsockname()[1], "tornado")
        await asyncio.Event().wait()

    asyncio.set_event_loop(event_loop := new_event_loop(loop))
    event_loop.run_until_complete(main())


SERVERS = {"twisted": twisted_server, "tornado": tornado_server}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--framework", required=True, choices=SERVERS)
    parser.add_argument("--loop", required=True)
    parser.add_argument("--what", required=True, choices=["echo", "http"])
    parser.add_argument("--transport", choices=["tcp"], default="tcp")
    options = parser.parse_args()
    SERVERS[options.framework](options.loop, options.what)


main()
