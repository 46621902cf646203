"""Connections that come and go: begun and ended in callbacks, reset, dropped by thousands."""

import asyncio
import os
import random
import socket
import struct

import pytest
from asyncioutil import Recorder, both_loops, connected, reports, run

from util import collect, in_child, open_fds

DROPPED = 3000
"""So many connections are opened and dropped."""


async def settled(before):
    """Waits until no more descriptors than these are open."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 20
    while (now := open_fds()) > before and loop.time() < end:
        await asyncio.sleep(0.01)
    assert now == before


@both_loops
def test_connections_are_begun_and_ended_in_close_callbacks(factory):
    """Each connection that is lost ends others, and begins two more until there were enough."""
    begun = 0
    live = set()

    class Churning(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            live.add(self)
            transport.write(b"x" * numbers.choice([1, 1000, 300_000]))

        def data_received(self, data):
            if numbers.random() < 0.3:
                self.transport.close()

        def connection_lost(self, exception):
            loop = asyncio.get_running_loop()
            live.discard(self)
            for other in list(live)[: numbers.randrange(3)]:
                numbers.choice([other.transport.abort, other.transport.close])()
            self.transport.write(b"too late")
            self.transport.close()
            # A descriptor is watched and no more, whose number was another connection's a moment ago.
            reader, writer = os.pipe()
            loop.add_reader(reader, print)
            loop.add_writer(writer, print)
            loop.remove_reader(reader)
            loop.remove_writer(writer)
            os.close(reader)
            os.close(writer)
            for _ in range(2):
                begin(loop)

    def begin(loop):
        nonlocal begun
        if begun >= 500:
            return
        begun += 1
        if numbers.random() < 0.5:
            tasks.add(loop.create_task(loop.create_connection(Churning, *address)))
        else:
            one, other = socket.socketpair()
            tasks.add(loop.create_task(loop.create_connection(Churning, sock=one)))
            tasks.add(loop.create_task(loop.create_connection(Churning, sock=other)))

    async def main():
        nonlocal address
        loop = asyncio.get_running_loop()
        contexts = reports()
        server = await loop.create_server(Churning, "127.0.0.1", 0, backlog=1000)
        address = server.sockets[0].getsockname()
        # The first time a loop opens what it keeps.
        _, protocol, peer = await connected()
        peer.close()
        await protocol.lost
        await asyncio.sleep(0.01)
        before = open_fds()
        for _ in range(10):
            begin(loop)
        while live or begun < 500 or not all(task.done() for task in tasks):
            await asyncio.sleep(0.001)
            for other in list(live)[:10]:
                other.transport.abort()
        for task in tasks:
            task.result()
        await settled(before)
        server.close()
        assert contexts == []

    numbers = random.Random(20)
    tasks = set()
    address = None
    run(factory, main())


@both_loops
def test_a_server_closes_in_its_connections_close_callback(factory):
    class Closing(Recorder):
        def connection_lost(self, exception):
            super().connection_lost(exception)
            server.close()

    async def main():
        nonlocal server
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Closing, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        _, protocol = await loop.create_connection(Closing, *address)
        protocol.transport.abort()
        await asyncio.wait_for(server.wait_closed(), 30)
        assert await protocol.lost is None
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(Recorder, *address)

    server = None
    run(factory, main())


@both_loops
def test_everything_is_closed_in_a_data_callback(factory):
    """Whoever is read first closes all the others, whose data waits in the same poll."""

    class Closing(Recorder):
        def data_received(self, data):
            super().data_received(data)
            read.append(self)
            for transport, protocol, _ in made:
                if protocol is not self:
                    transport.abort()

    async def main():
        for _ in range(50):
            made.append(await connected(Closing))
        for _, _, peer in made:
            peer.send(b"x")
        while not read:
            await asyncio.sleep(0)
        await asyncio.gather(*(protocol.lost for _, protocol, _ in made if protocol is not read[0]))
        assert len(read) == 1
        read[0].transport.close()
        await read[0].lost
        for _, _, peer in made:
            peer.close()

    made, read = [], []
    run(factory, main())


@both_loops
def test_connections_that_are_opened_and_dropped_leave_nothing(factory):
    """Some are reset, some closed, some before they are accepted."""

    async def serve(reader, writer):
        try:
            await reader.read(10)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def drop(address, number):
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            if number % 3 == 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await loop.sock_connect(sock, address)
            if number % 2:
                await loop.sock_sendall(sock, b"x")

    async def main():
        contexts = reports()
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=200)
        address = server.sockets[0].getsockname()
        await drop(address, 1)
        await asyncio.sleep(0.01)
        before = open_fds()
        for first in range(0, DROPPED, 100):
            await asyncio.gather(*(drop(address, first + number) for number in range(100)))
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.001)
        await settled(before)
        server.close()
        # What accepts may meet a connection that is gone.
        assert [context for context in contexts if not isinstance(context.get("exception"), OSError)] == []

    run(factory, main())


GROWTH = """
import asyncio, gc, sys
import pyuv.asyncio
from pyuv.util import resident_set_memory

async def serve(reader, writer):
    writer.write(await reader.read(100))
    writer.close()

async def ask(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"question")
    await reader.read()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=200)
    address = server.sockets[0].getsockname()

    async def some():
        for _ in range(15):
            await asyncio.gather(*(ask(address) for _ in range(100)))
        await asyncio.sleep(0.01)
        gc.collect()
        return len(gc.get_objects()), resident_set_memory()

    await some()
    objects, memory = await some()
    for _ in range(2):
        now, grown = await some()
    print(now - objects)
    print((grown - memory) // 1024)
    server.close()

pyuv.asyncio.run(main())
"""


def test_connections_leave_no_memory():
    objects, kilobytes = map(int, in_child(GROWTH))
    # 3,000 connections, with a task and two streams each.
    assert objects < 500
    assert kilobytes < 1500


@both_loops
def test_a_reset_in_the_middle_of_a_long_write_ends_it(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            transport, protocol = await loop.create_connection(Recorder, *listener.getsockname())
            peer, _ = await loop.sock_accept(listener)
            transport.pause_reading()
            transport.write(bytes(30_000_000))
            assert len(await loop.sock_recv(peer, 1000)) > 0
            assert transport.get_write_buffer_size() > 0
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            assert isinstance(await protocol.lost, (ConnectionResetError, BrokenPipeError))
            assert transport.get_write_buffer_size() == 0

    run(factory, main())


@both_loops
def test_a_reset_in_the_middle_of_a_file_ends_it(factory, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(30_000_000))

    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener, path.open("rb") as file:
            listener.setblocking(False)
            transport, protocol = await loop.create_connection(Recorder, *listener.getsockname())
            peer, _ = await loop.sock_accept(listener)
            sending = asyncio.ensure_future(loop.sendfile(transport, file))
            assert len(await loop.sock_recv(peer, 1000)) > 0
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            with pytest.raises(ConnectionError):
                await sending
            transport.abort()
            await protocol.lost

    run(factory, main())


@both_loops
def test_connections_that_are_dropped_without_a_close_are_collected(factory):
    async def main():
        before = None
        for _ in range(3):
            for _ in range(20):
                made = await connected()
                made[2].close()
                await made[1].lost
            made = None
            await asyncio.sleep(0.01)
            collect()
            assert before in (None, open_fds())
            before = open_fds()

    run(factory, main())
