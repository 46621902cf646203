"""asyncio's streams on transports that feed a standard reader without its methods, and any other by them."""

import asyncio
import socket

import pytest
from asyncioutil import both_loops, run


async def opened(**limit):
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours, **limit)
    return reader, writer, theirs


async def closed(writer, peer):
    writer.close()
    await writer.wait_closed()
    peer.close()


@both_loops
def test_every_way_of_reading(factory):
    async def main():
        loop = asyncio.get_running_loop()
        reader, writer, peer = await opened()
        await loop.sock_sendall(peer, b"a line\nexactly!until;rest")
        assert await reader.readline() == b"a line\n"
        assert await reader.readexactly(8) == b"exactly!"
        assert await reader.readuntil(b";") == b"until;"
        assert await reader.read(100) == b"rest"
        waiting = asyncio.create_task(reader.readexactly(6))
        for part in (b"ab", b"cd", b"ef"):
            await loop.sock_sendall(peer, part)
            await asyncio.sleep(0.001)
        assert await waiting == b"abcdef"
        peer.shutdown(socket.SHUT_WR)
        assert await reader.read() == b""
        assert reader.at_eof()
        await closed(writer, peer)

    run(factory, main())


@both_loops
def test_a_reader_that_is_full_reads_no_more(factory):
    async def main():
        loop = asyncio.get_running_loop()
        reader, writer, peer = await opened(limit=1000)
        data = bytes(range(256)) * 8000
        sending = asyncio.create_task(loop.sock_sendall(peer, data))
        while writer.transport.is_reading():
            await asyncio.sleep(0.001)
        assert not sending.done()
        received = bytearray()
        while len(received) < len(data):
            received += await reader.read(50_000)
        assert received == data
        await sending
        await closed(writer, peer)

    run(factory, main())


@both_loops
def test_a_reader_with_methods_of_its_own_is_called(factory, monkeypatch):
    seen = []

    class Reader(asyncio.StreamReader):
        def feed_data(self, data):
            seen.append(bytes(data))
            super().feed_data(data)

    async def through(reader):
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
        await loop.sock_sendall(theirs, b"data")
        assert await reader.read(10) == b"data"
        assert seen == [b"data"]
        seen.clear()
        transport.close()
        theirs.close()
        await asyncio.sleep(0)

    async def main():
        loop = asyncio.get_running_loop()
        await through(Reader(loop=loop))
        patched = asyncio.StreamReader(loop=loop)
        feed = patched.feed_data
        patched.feed_data = lambda data: (seen.append(bytes(data)), feed(data))
        await through(patched)
        original = asyncio.StreamReader.feed_data
        monkeypatch.setattr(
            asyncio.StreamReader,
            "feed_data",
            lambda self, data: (seen.append(bytes(data)), original(self, data))[1],
        )
        await through(asyncio.StreamReader(loop=loop))
        monkeypatch.undo()

    run(factory, main())


@both_loops
def test_a_buffer_that_somebody_looks_at_ends_the_connection(factory):
    """A bytearray cannot grow meanwhile; the connection ends with the error, as on asyncio's own loop."""

    async def main():
        loop = asyncio.get_running_loop()
        errors = []
        loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
        reader, writer, peer = await opened()
        await loop.sock_sendall(peer, b"first")
        assert await reader.readexactly(2) == b"fi"
        view = memoryview(reader._buffer)
        await loop.sock_sendall(peer, b"second")
        with pytest.raises(BufferError):
            await writer.wait_closed()
        view.release()
        assert [type(error) for error in errors] == [BufferError]
        peer.close()

    run(factory, main())


@both_loops
def test_a_reader_that_is_gone_takes_nothing(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)

        def protocol():
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop))

        transport, _ = await loop.create_connection(protocol, sock=ours)
        await loop.sock_sendall(theirs, b"for nobody")
        await asyncio.sleep(0.01)
        transport.abort()
        theirs.close()
        await asyncio.sleep(0)

    run(factory, main())
