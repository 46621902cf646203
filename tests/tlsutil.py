"""TLS for tests: contexts of both sides by the certificate in fixtures/, servers, and clients' steps."""

import asyncio
import contextlib
import os
import pathlib
import socket
import ssl
import threading

import pytest
from pyuv.asyncio import _tls

CERTIFICATE = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "certificates" / "localhost.pem"


@pytest.fixture(params=["short", "memory BIOs"])
def way(request, monkeypatch):
    """The ways to OpenSSL: its own functions, where this Python's are known, or CPython's methods."""
    monkeypatch.setattr(_tls, "SHORT_WAY", request.param == "short")
    return request.param


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_context():
    return ssl.create_default_context(cafile=CERTIFICATE)


async def start_server(serve, context=None, **options):
    """A TLS server, and the address for open_connection()."""
    context = server_context() if context is None else context
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, **options)
    return server, server.sockets[0].getsockname()


async def echo(reader, writer):
    try:
        while data := await reader.read(100_000):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def echoed(reader, writer, size):
    data = os.urandom(size)
    writer.write(data)
    assert await reader.readexactly(size) == data


async def ended(writer):
    writer.close()
    await writer.wait_closed()


@contextlib.contextmanager
def in_thread_tls_server():
    """Shakes hands with whoever comes, in a thread of its own; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    server_context().wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
