"""A server ends in the middle of its work: no connection is left, and every protocol learns of its end."""

import asyncio
import sys

import pytest
from asyncioutil import both_loops, run

from util import open_fds

pytestmark = pytest.mark.skipif(sys.version_info < (3, 13), reason="since Python 3.13")

CONNECTIONS = 50


class Counted(asyncio.Protocol):
    """Sends back what comes, and notes its end."""

    def __init__(self, kept):
        kept.append(self)
        self.ends = []

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, error):
        self.ends.append(error)


class Busy(Counted):
    """Sends something as soon as it has got it back."""

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.write(b"x" * 100)


@both_loops
@pytest.mark.parametrize("how", ["close_clients", "abort_clients"])
def test_clients_are_ended_after_the_deadline(factory, how):
    async def scenario():
        loop = asyncio.get_running_loop()
        served, clients = [], []
        server = await loop.create_server(lambda: Counted(served), "127.0.0.1", 0, backlog=CONNECTIONS)
        address = server.sockets[0].getsockname()
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: Busy(clients), *address)
        while len(served) < CONNECTIONS:
            await asyncio.sleep(0)
        # A few turns in the middle of it.
        await asyncio.sleep(0.01)
        server.close()
        assert not any(protocol.ends for protocol in served)
        getattr(server, how)()
        await asyncio.wait_for(server.wait_closed(), 20)
        while not all(protocol.ends for protocol in (*served, *clients)):
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert [len(protocol.ends) for protocol in (*served, *clients)] == [1] * (2 * CONNECTIONS)
        assert [protocol.ends for protocol in served] == [[None]] * CONNECTIONS

    async def main():
        # What a loop keeps from its first connection on is there afterwards.
        await scenario()
        before = open_fds()
        await scenario()
        assert open_fds() == before

    run(factory, main())
