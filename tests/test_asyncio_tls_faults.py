"""TLS with peers and protocols that misbehave."""

import asyncio
import socket
import ssl

import pytest
import pyuv.asyncio
from asyncioutil import Recorder, both_loops, collected_warnings, failing, reports, run
from tlsutil import client_context, echoed, ended, server_context, way

__all__ = ["way"]

pytestmark = pytest.mark.usefixtures("way")


async def pair(server_protocol, client_protocol=Recorder, **options):
    """A server of this protocol, and a connected client's transport and protocol."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(server_protocol, "127.0.0.1", 0, ssl=server_context())
    address = server.sockets[0].getsockname()
    return server, *await loop.create_connection(client_protocol, *address, ssl=client_context(), **options)


class Hello(asyncio.Protocol):
    """Says a word, and echoes."""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"hello")

    def data_received(self, data):
        self.transport.write(data)


@both_loops
@pytest.mark.parametrize("method", ["connection_made", "data_received", "eof_received"])
def test_a_protocol_that_raises_loses_its_connection(factory, method):
    async def main():
        contexts = reports()

        class Ends(Hello):
            def connection_made(self, transport):
                super().connection_made(transport)
                transport.close()

        try:
            server, _, protocol = await pair(Ends, failing(Recorder, method))
            await protocol.lost
        except (ZeroDivisionError, OSError):
            server = None
        await asyncio.sleep(0.01)
        assert [str(context["exception"]) for context in contexts if "exception" in context] == [method]
        if server is not None:
            server.close()

    run(factory, main())
    # Some of asyncio's own loops leave a socket to the collector.
    collected_warnings()


@both_loops
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_exception_that_ends_the_program_leaves_the_loop(factory, kind):
    async def main():
        _, _, protocol = await pair(Hello, failing(Recorder, "data_received", kind))
        await protocol.lost

    with pytest.raises(kind):
        run(factory, main())
    # Nobody has closed anything.
    collected_warnings()


@both_loops
def test_garbage_ends_the_connection(factory):
    class Garbage(Hello):
        def data_received(self, data):
            # Below TLS, and what no record begins with.
            self.transport.get_extra_info("socket")._sock.send(b"nonsense" * 10)

    async def main():
        reports()
        server, transport, protocol = await pair(Garbage)
        transport.write(b"go on")
        error = await protocol.lost
        assert isinstance(error, ssl.SSLError)
        assert transport.is_closing()
        server.close()

    run(factory, main())


def test_a_protocol_that_is_paused_stops_the_peer():
    """What is kept for it has a bound, and arrives later. On the asyncio of Python 3.13.0 it never does."""

    class Pours(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            self.paused = paused
            self.more()

        def more(self):
            while not paused.is_set() and self.transport.get_write_buffer_size() < 100_000_000:
                self.transport.write(bytes(100_000))
                sent.append(100_000)

        def pause_writing(self):
            paused.set()

    sent = []
    paused = asyncio.Event()

    class Paused(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()

    async def main():
        server, transport, protocol = await pair(Pours, Paused)
        assert not transport.is_reading()
        await paused.wait()
        await asyncio.sleep(0.05)
        assert sum(sent) < 20_000_000
        assert not protocol.data
        transport.resume_reading()
        assert transport.is_reading()
        while len(protocol.data) < sum(sent):
            await asyncio.sleep(0.01)
        assert len(protocol.data) == sum(sent)
        transport.abort()
        server.close()

    pyuv.asyncio.run(main())


@both_loops
def test_pausing_and_resuming_lose_nothing(factory):
    class Stutters(Recorder):
        def data_received(self, data):
            super().data_received(data)
            self.transport.pause_reading()
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.transport.resume_reading)

    async def main():
        server, transport, protocol = await pair(Hello, Stutters)
        data = bytes(range(256)) * 4000
        transport.write(data)
        while len(protocol.data) < 5 + len(data):
            await asyncio.sleep(0.001)
        assert protocol.data == b"hello" + data
        transport.close()
        await protocol.lost
        server.close()

    run(factory, main())


@both_loops
def test_the_end_comes_after_what_a_paused_protocol_has_not_read(factory):
    class Ends(Hello):
        def connection_made(self, transport):
            transport.write(bytes(200_000))
            transport.close()

    class Paused(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()

    async def main():
        server, transport, protocol = await pair(Ends, Paused)
        await asyncio.sleep(0.05)
        assert "eof_received" not in protocol.calls
        transport.resume_reading()
        assert await protocol.lost is None
        assert len(protocol.data) == 200_000
        assert protocol.calls == ["connection_made", "eof_received", "connection_lost"]
        server.close()

    run(factory, main())


@both_loops
def test_another_protocol_gets_what_comes_after(factory):
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self):
            self.got = bytearray()
            self.buffer = bytearray(1000)

        def get_buffer(self, sizehint):
            return self.buffer

        def buffer_updated(self, nbytes):
            self.got += self.buffer[:nbytes]

    async def main():
        server, transport, protocol = await pair(Hello)
        while not protocol.data:
            await asyncio.sleep(0.001)
        other = Buffered()
        transport.set_protocol(other)
        assert transport.get_protocol() is other
        transport.write(bytes(5000))
        while len(other.got) < 5000:
            await asyncio.sleep(0.001)
        transport.set_protocol(protocol)
        transport.write(b"again")
        while not protocol.data.endswith(b"again"):
            await asyncio.sleep(0.001)
        transport.abort()
        await protocol.lost
        server.close()

    run(factory, main())


@both_loops
def test_what_is_no_bytes_is_refused(factory):
    async def main():
        server, transport, protocol = await pair(Hello)
        for wrong in ("text", 5, None):
            with pytest.raises(TypeError):
                transport.write(wrong)
        with pytest.raises(NotImplementedError):
            transport.write_eof()
        assert not transport.can_write_eof()
        transport.write(b"")
        transport.writelines([])
        while not protocol.data:
            await asyncio.sleep(0.001)
        transport.close()
        assert await protocol.lost is None
        assert protocol.data == b"hello"
        server.close()

    run(factory, main())


@both_loops
def test_limits_are_those_that_were_set(factory):
    async def main():
        server, transport, _ = await pair(Hello)
        assert transport.get_write_buffer_limits() == (128 * 1024, 512 * 1024)
        transport.set_write_buffer_limits(high=1000)
        assert transport.get_write_buffer_limits() == (250, 1000)
        with pytest.raises(ValueError, match="high"):
            transport.set_write_buffer_limits(high=1, low=2)
        assert transport.get_write_buffer_size() == 0
        transport.abort()
        server.close()

    run(factory, main())


def test_a_loop_that_is_closed_in_a_handshake_ends():
    """With a peer that has heard the hello, and does not answer."""
    loop = pyuv.asyncio.new_event_loop()

    async def main(listener):
        connecting = asyncio.ensure_future(
            asyncio.open_connection(
                *listener.getsockname(), ssl=client_context(), server_hostname="localhost"
            )
        )
        peer, _ = await loop.sock_accept(listener)
        assert await loop.sock_recv(peer, 1)
        return peer, connecting

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        peer, connecting = loop.run_until_complete(main(listener))
        loop.close()
        assert not connecting.done()
        peer.close()
    # Nobody runs it any more.
    connecting._log_destroy_pending = False
    del connecting
    collected_warnings()


def test_a_transport_that_is_forgotten_says_so():
    """As any other that was not closed."""

    async def main():
        server, _, protocol = await pair(Hello)
        while not protocol.data:
            await asyncio.sleep(0.001)
        server.close()

    pyuv.asyncio.run(main())
    assert any("unclosed transport <SSLTransport open on" in text for text in collected_warnings())


@both_loops
def test_many_clients_at_once(factory):
    async def ask(address, number):
        reader, writer = await asyncio.open_connection(*address, ssl=client_context())
        assert await reader.readexactly(5) == b"hello"
        await echoed(reader, writer, 1 + number * 1009)
        await ended(writer)

    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()
        server = await loop.create_server(Hello, "127.0.0.1", 0, ssl=server_context(), backlog=200)
        address = server.sockets[0].getsockname()
        await asyncio.gather(*(ask(address, number) for number in range(100)))
        server.close()
        assert contexts == []

    run(factory, main())
