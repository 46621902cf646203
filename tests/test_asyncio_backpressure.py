"""Peers that never read: what waits for them stays within the limits."""

import asyncio
import socket

import pytest
from asyncioutil import Recorder, both_loops, connected, run


class Heedful(Recorder):
    """Writes for ever, but not while it is asked to pause."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self.most = 0
        self.paused = False

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False

    def pour(self):
        while not self.paused:
            self.transport.write(bytes(10_000))
            self.most = max(self.most, self.transport.get_write_buffer_size())


@both_loops
def test_what_waits_for_a_peer_that_never_reads_stays_within_the_limit(factory):
    async def main():
        transport, protocol, peer = await connected(Heedful)
        protocol.pour()
        for _ in range(5):
            await asyncio.sleep(0.01)
            protocol.pour()
        high = transport.get_write_buffer_limits()[1]
        assert high < protocol.most <= high + 10_000
        transport.abort()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_a_stream_that_nobody_reads_stops_its_peer(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours, limit=10_000)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(loop.sock_sendall(theirs, bytes(100_000_000)), 0.5)
        assert not writer.transport.is_reading()
        # The limit twice, and what came last; asyncio reads 256 KiB at once.
        assert len(reader._buffer) <= 2 * 10_000 + 256 * 1024
        theirs.close()
        writer.transport.abort()

    run(factory, main())


@both_loops
def test_drain_waits_for_a_peer_that_does_not_read_and_is_cancelled(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        _, writer = await asyncio.open_connection(sock=ours)
        writer.write(bytes(1_000_000))
        drains = [asyncio.ensure_future(writer.drain()) for _ in range(2)]
        await asyncio.sleep(0.01)
        assert not any(drain.done() for drain in drains)
        drains[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await drains[0]
        received = 0
        while received < 1_000_000:
            received += len(await loop.sock_recv(theirs, 1 << 20))
        await drains[1]
        theirs.close()
        writer.close()
        await writer.wait_closed()

    run(factory, main())
