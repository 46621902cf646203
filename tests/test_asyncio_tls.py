"""TLS on the transports: what goes both ways, ends of every kind, and what dropped handshakes leave."""

import asyncio
import gc
import os
import socket
import ssl
import struct
import threading
import weakref

import pytest
import pyuv.asyncio
from asyncioutil import Recorder, both_loops, reports, run
from tlsutil import (
    CERTIFICATE,
    client_context,
    echo,
    echoed,
    ended,
    in_thread_tls_server,
    server_context,
    start_server,
    way,
)

from util import collect, in_child, open_fds

__all__ = ["way"]

pytestmark = pytest.mark.usefixtures("way")

HANDSHAKES = int(os.environ.get("PYUV_EXAMPLES", "300"))
"""How many handshakes are dropped in the test of that."""


@both_loops
def test_data_goes_both_ways(factory):
    async def main():
        server, address = await start_server(echo)
        reader, writer = await asyncio.open_connection(*address, ssl=client_context())
        assert writer.get_extra_info("peername") == address
        assert isinstance(writer.get_extra_info("ssl_object"), ssl.SSLObject)
        assert writer.get_extra_info("peercert")["subject"] == ((("commonName", "localhost"),),)
        assert writer.get_extra_info("cipher")
        for size in (1, 1000, 16_384, 3_000_000):
            data = os.urandom(size)
            writer.write(data)
            assert await reader.readexactly(size) == data
        writer.writelines([b"several ", bytearray(b"pieces "), memoryview(b"at once")])
        assert await reader.readexactly(22) == b"several pieces at once"
        await ended(writer)
        server.close()
        await server.wait_closed()

    run(factory, main())


@both_loops
def test_a_connection_becomes_a_secure_one(factory):
    async def serve(reader, writer):
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"go ahead\n")
        await writer.start_tls(server_context())
        await echo(reader, writer)

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(client_context(), server_hostname="localhost")
        await echoed(reader, writer, 1_000_000)
        await ended(writer)
        server.close()
        await server.wait_closed()

    run(factory, main())


@both_loops
def test_a_certificate_that_nobody_trusts_is_refused(factory):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        server, address = await start_server(echo)
        before = None
        for _ in range(3):
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection(*address, ssl=ssl.create_default_context())
            with pytest.raises(ssl.SSLCertVerificationError, match="match"):
                await asyncio.open_connection(*address, ssl=client_context(), server_hostname="elsewhere")
            await asyncio.sleep(0.01)
            assert before in (None, open_fds())
            before = open_fds()
        server.close()

    run(factory, main())


class Paused(Recorder):
    """Reads nothing after the first data."""

    def data_received(self, data):
        super().data_received(data)
        self.transport.pause_reading()


@both_loops
@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_close_with_unread_data_ends_soon(factory, end):
    async def pour(reader, writer):
        try:
            while True:
                writer.write(bytes(100_000))
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        server, address = await start_server(pour)
        transport, protocol = await loop.create_connection(
            Paused, *address, ssl=client_context(), ssl_shutdown_timeout=60
        )
        while transport.is_reading():
            await asyncio.sleep(0.001)
        # Until nothing more fits anywhere on the way.
        await asyncio.sleep(0.1)
        begin = loop.time()
        getattr(transport, end)()
        await protocol.lost
        assert loop.time() - begin < 20
        server.close()

    run(factory, main())


@both_loops
def test_a_close_that_the_peer_does_not_answer_ends_with_its_time(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        peer = server_context().wrap_bio(incoming, outgoing, server_side=True)
        theirs.setblocking(False)
        connecting = asyncio.ensure_future(
            loop.create_connection(
                Recorder,
                sock=ours,
                ssl=client_context(),
                server_hostname="localhost",
                ssl_shutdown_timeout=0.1,
            )
        )
        while True:
            try:
                peer.do_handshake()
            except ssl.SSLWantReadError:
                await loop.sock_sendall(theirs, outgoing.read())
                incoming.write(await loop.sock_recv(theirs, 100_000))
            else:
                break
        await loop.sock_sendall(theirs, outgoing.read())
        transport, protocol = await connecting
        transport.close()
        assert isinstance(await protocol.lost, TimeoutError)
        theirs.close()

    run(factory, main())


@both_loops
def test_what_is_written_before_a_close_arrives(factory):
    data = os.urandom(2_000_000)

    async def answer(reader, writer):
        writer.write(data)
        await ended(writer)

    async def main():
        server, address = await start_server(answer)
        reader, writer = await asyncio.open_connection(*address, ssl=client_context())
        assert await reader.read() == data
        await ended(writer)
        server.close()
        await server.wait_closed()

    run(factory, main())


class Echo(asyncio.Protocol):
    """Writes within every callback that it can."""

    def connection_made(self, transport):
        self.transport = transport
        self.waits = []
        self.paused = False
        transport.write(b"hello")

    def data_received(self, data):
        self.waits.append(data)
        self.flush()

    def flush(self):
        while self.waits and not self.paused:
            self.transport.write(self.waits.pop(0))

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False
        self.flush()

    def connection_lost(self, exception):
        self.transport.write(b"too late")


@both_loops
@pytest.mark.parametrize("limit", [None, 1000])
def test_writes_from_within_callbacks_under_load(factory, limit):
    """A small limit has the transport pause and resume within the callbacks all the time."""
    connections, rounds = 20, 30

    def protocol():
        made = Echo()
        if limit is not None:
            begin = made.connection_made
            made.connection_made = lambda transport: (
                transport.set_write_buffer_limits(high=limit),
                begin(transport),
            )
        return made

    async def ask(address, number):
        reader, writer = await asyncio.open_connection(*address, ssl=client_context())
        assert await reader.readexactly(5) == b"hello"
        for size in range(rounds):
            await echoed(reader, writer, 1 + (size * 7919 * (number + 1)) % 60_000)
        await ended(writer)

    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()
        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=server_context())
        address = server.sockets[0].getsockname()
        await asyncio.gather(*(ask(address, number) for number in range(connections)))
        server.close()
        await server.wait_closed()
        assert contexts == []

    run(factory, main())


class Buffered(asyncio.BufferedProtocol):
    """An echo that reads into a buffer of its own."""

    def connection_made(self, transport):
        self.transport = transport
        self.buffer = bytearray(5000)

    def get_buffer(self, sizehint):
        return memoryview(self.buffer)

    def buffer_updated(self, nbytes):
        self.transport.write(bytes(memoryview(self.buffer)[:nbytes]))


@both_loops
def test_a_buffered_protocol_reads_into_its_own_buffer(factory):
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Buffered, "127.0.0.1", 0, ssl=server_context())
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=client_context())
        await echoed(reader, writer, 1_000_000)
        await ended(writer)
        server.close()
        await server.wait_closed()

    run(factory, main())


@both_loops
def test_a_reset_is_the_protocols_exception(factory):
    async def reset(reader, writer):
        await reader.readexactly(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def main():
        loop = asyncio.get_running_loop()
        server, address = await start_server(reset)
        transport, protocol = await loop.create_connection(Recorder, *address, ssl=client_context())
        transport.write(b"x")
        assert isinstance(await protocol.lost, ConnectionResetError)
        for _ in range(10):
            transport.write(b"goes nowhere")
        server.close()

    run(factory, main())


@both_loops
def test_a_peer_that_says_no_word_of_tls_is_refused(factory):
    async def serve(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await ended(writer)

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        # A peer that goes while the client still says hello resets the connection.
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=client_context())
        server.close()
        await server.wait_closed()

    run(factory, main())


@both_loops
def test_a_handshake_that_takes_too_long_is_ended(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            with pytest.raises(ConnectionAbortedError, match="handshake is taking longer"):
                await loop.create_connection(
                    Recorder, *silent.getsockname(), ssl=client_context(), ssl_handshake_timeout=0.05
                )
            peer, _ = silent.accept()
            # The hello, and then the end.
            while await loop.run_in_executor(None, peer.recv, 10_000):
                pass
            peer.close()

    run(factory, main())


@both_loops
def test_a_handshake_is_cancelled_at_every_step(factory):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        server, address = await start_server(echo)
        context = client_context()
        connected, before = 0, None
        for steps in range(100):
            connecting = asyncio.ensure_future(loop.create_connection(Recorder, *address, ssl=context))
            for _ in range(steps):
                await asyncio.sleep(0)
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
            if not isinstance(outcome, asyncio.CancelledError):
                outcome[0].abort()
                connected += 1
            if steps % 10 == 0:
                while len(asyncio.all_tasks()) > 1:
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0.02)
                assert before in (None, open_fds())
                # The first time a loop opens what it keeps.
                before = open_fds() if steps else None
        assert connected < 100
        server.close()

    run(factory, main())


def test_a_handshake_that_was_dropped_leaves_nothing():
    """Of the server's side and of the client's, in every state of the handshake."""
    left, growth = map(int, in_child(DROPPED, CERTIFICATE, HANDSHAKES))
    assert left == 0
    # A handshake that stays takes 40 KiB and more.
    assert growth < 2048 + HANDSHAKES


DROPPED = """
import asyncio, gc, socket, ssl, sys
import pyuv.asyncio
from pyuv.asyncio._tls import SSLTransport, TLSCore
from pyuv.util import resident_set_memory

certificate, count = sys.argv[1], int(sys.argv[2])
server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_side.load_cert_chain(certificate)
client_side = ssl.create_default_context(cafile=certificate)

# What a client says first.
said = ssl.MemoryBIO()
try:
    client_side.wrap_bio(ssl.MemoryBIO(), said, server_hostname="localhost").do_handshake()
except ssl.SSLWantReadError:
    hello = said.read()

async def drop_as_client(address, number):
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        said = [b"", hello[:10], hello, b"GET / HTTP/1.1\\r\\n\\r\\n", hello + b"nonsense"][number % 5]
        await loop.sock_sendall(sock, said)
        # Who has said enough is answered.
        if number % 2 and number % 5 >= 2:
            try:
                await loop.sock_recv(sock, 10)
            except ConnectionError:
                pass

async def drop_as_server(reader, writer):
    if dropped[0] % 2:
        await reader.read(1000)
    dropped[0] += 1
    writer.transport.abort()

async def connect(address):
    try:
        await asyncio.open_connection(*address, ssl=client_side)
    except (OSError, ssl.SSLError):
        return
    raise AssertionError("it was connected")

dropped = [0]

async def never(reader, writer):
    raise AssertionError("it was connected")

async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    server = await asyncio.start_server(never, "127.0.0.1", 0, ssl=server_side)
    dropping = await asyncio.start_server(drop_as_server, "127.0.0.1", 0)
    async def some(number):
        for first in range(0, number, 20):
            await asyncio.gather(
                *(drop_as_client(server.sockets[0].getsockname(), first + n) for n in range(10)),
                *(connect(dropping.sockets[0].getsockname()) for n in range(10)),
            )
        while any(isinstance(it, (SSLTransport, TLSCore)) for it in gc.get_objects()):
            await asyncio.sleep(0.01)
            gc.collect()
    # What is kept for good comes with the first ones.
    await some(300)
    growths = []
    for _ in range(3):
        before = resident_set_memory()
        await some(count)
        gc.collect()
        growths.append((resident_set_memory() - before) // 1024)
    print(sum(isinstance(it, (ssl.SSLObject, SSLTransport, TLSCore)) for it in gc.get_objects()))
    # An allocator takes a few MiB at a time; what is lost is lost each time.
    print(min(growths))
    server.close()
    dropping.close()

pyuv.asyncio.run(main())
"""


@both_loops
def test_connections_that_are_dropped_are_collected(factory):
    async def main():
        loop = asyncio.get_running_loop()
        server, address = await start_server(echo)
        gone = []
        for end in ("abort", "close"):
            transport, protocol = await loop.create_connection(Recorder, *address, ssl=client_context())
            gone += [weakref.ref(transport), weakref.ref(transport.get_extra_info("ssl_object"))]
            getattr(transport, end)()
            await protocol.lost
            del transport, protocol
        await asyncio.sleep(0.01)
        collect()
        assert [reference() for reference in gone] == [None] * 4
        server.close()

    run(factory, main())


@both_loops
def test_a_file_is_sent_encrypted(factory, tmp_path):
    path = tmp_path / "file"
    data = os.urandom(300_000)
    path.write_bytes(data)

    async def serve(reader, writer):
        with path.open("rb") as file:
            sent = await asyncio.get_running_loop().sendfile(writer.transport, file, 10)
            assert sent == len(data) - 10
        await ended(writer)

    async def main():
        server, address = await start_server(serve)
        reader, writer = await asyncio.open_connection(*address, ssl=client_context())
        assert await reader.read() == data[10:]
        await ended(writer)
        server.close()
        await server.wait_closed()

    run(factory, main())


def test_a_failed_handshake_leaves_nothing_to_the_collector():
    from pyuv.asyncio._tls import SSLTransport, TLSCore
    from pyuv.asyncio._transports import SocketTransport

    kinds = (SSLTransport, TLSCore, SocketTransport)

    async def connect(address):
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(asyncio.Protocol, *address)
        try:
            await loop.start_tls(
                transport, protocol, ssl.create_default_context(), server_hostname="localhost"
            )
        except ssl.SSLCertVerificationError:
            return True

    async def main(address):
        gc.collect()
        gc.disable()
        try:
            assert await connect(address)
            # It is lost in the next round.
            await asyncio.sleep(0.01)
            return [found for found in gc.get_objects() if isinstance(found, kinds)]
        finally:
            gc.enable()

    with in_thread_tls_server() as address:
        assert pyuv.asyncio.run(main(address)) == []


def test_a_peer_that_ends_and_does_not_read_has_its_time():
    """What is queued for it would be for ever, as it is on the asyncio of older Pythons."""

    def serve(listener, full):
        connection, _ = listener.accept()
        with connection:
            secure = server_context().wrap_socket(connection, server_side=True)
            full.wait()
            secure.shutdown(socket.SHUT_WR)
            lost.wait()
            secure.close()

    lost = threading.Event()

    async def main(address, full):
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(
            Recorder, *address, ssl=client_context(), server_hostname="localhost", ssl_shutdown_timeout=0.1
        )
        while not transport.get_write_buffer_size():
            transport.write(bytes(1_000_000))
            await asyncio.sleep(0)
        transport.close()
        full.set()
        try:
            assert isinstance(await protocol.lost, TimeoutError)
        finally:
            lost.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        full = threading.Event()
        thread = threading.Thread(target=serve, args=(listener, full))
        thread.start()
        try:
            pyuv.asyncio.run(main(listener.getsockname(), full))
        finally:
            full.set()
            lost.set()
            thread.join()


@both_loops
def test_start_tls_on_a_transport_that_is_being_closed_gives_none(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport, protocol = await loop.create_connection(Recorder, *listener.getsockname())
            transport.close()
            assert (
                await loop.start_tls(transport, protocol, client_context(), server_hostname="localhost")
                is None
            )
            assert transport.is_closing()

    run(factory, main())
