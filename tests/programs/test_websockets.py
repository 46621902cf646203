"""websockets on pyuv's event loop, client and server, plain and by TLS; its client with uvicorn."""

import asyncio
import contextlib
import signal

import pytest
import websockets
from bodies import data
from onloop import run
from tlsutil import client_context, server_context
from uvicornserver import Uvicorn
from websockets.asyncio.client import connect
from websockets.asyncio.server import broadcast, serve

both_ways = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
SIZES = (0, 1, 125, 126, 65_535, 65_536, 1_000_000)


async def echo(connection):
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def serving(handler, tls, **options):
    """A server; what makes a client of it."""
    context = server_context() if tls else None
    async with serve(handler, "127.0.0.1", 0, ssl=context, max_size=None, **options) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"{'wss' if tls else 'ws'}://localhost:{port}"
        more = {"ssl": client_context()} if tls else {}
        yield server, lambda **others: connect(url, max_size=None, **more, **others)


async def talk(client, seed):
    """Messages of all sizes there and back, text and in fragments too."""
    for size in SIZES:
        message = data(size, seed)
        await client.send(message)
        assert await client.recv() == message
    await client.send("ö" * seed)
    assert await client.recv() == "ö" * seed
    fragments = [data(30_000, seed), b"", data(1, seed)]
    await client.send(fragments)
    assert await client.recv() == b"".join(fragments)
    await (await client.ping())


@both_ways
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_go_both_ways(compression, tls):
    async def main():
        async with serving(echo, tls, compression=compression) as (_, client):

            async def one(seed):
                async with client(compression=compression) as connection:
                    await talk(connection, seed)

            await asyncio.gather(*map(one, range(1, 13)))

    run(main())


@both_ways
def test_both_sides_send_at_once(tls):
    """More than any buffer holds, so that each has to read while it writes."""
    messages = [data(100_000, seed) for seed in range(100)]

    async def send_all(connection):
        for message in messages:
            await connection.send(message)

    async def receive_all(connection):
        return [await connection.recv() for _ in messages]

    async def both(connection):
        return (await asyncio.gather(send_all(connection), receive_all(connection)))[1]

    async def main():
        received = asyncio.get_running_loop().create_future()

        async def handler(connection):
            received.set_result(await both(connection))

        async with serving(handler, tls) as (_, client), client() as connection:
            assert await both(connection) == messages
            assert await received == messages

    run(main())


def test_a_broadcast_reaches_everybody():
    async def main():
        async def handler(connection):
            await connection.wait_closed()

        async with serving(handler, False) as (server, client), contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(client()) for _ in range(50)]
            while len(server.connections) < len(clients):
                await asyncio.sleep(0.01)
            for number in range(100):
                broadcast(server.connections, str(number))
            expected = [str(number) for number in range(100)]

            async def received(connection):
                return [await connection.recv() for _ in expected]

            assert await asyncio.gather(*map(received, clients)) == [expected] * len(clients)

    run(main())


@both_ways
def test_connections_end_in_every_way(tls):
    async def main():
        async with serving(echo, tls) as (server, client):
            async with client() as connection:
                receiving = asyncio.create_task(connection.recv())
                await asyncio.sleep(0)
                receiving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await receiving
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(connection.recv(), 0.01)
                await talk(connection, 7)
                await connection.close(4000, "enough")
                assert (connection.close_code, connection.close_reason) == (4000, "enough")
            async with client() as connection:
                (theirs,) = server.connections
                connection.transport.abort()
                await theirs.wait_closed()
                assert theirs.close_code == 1006
            async with client() as connection:
                await connection.send("before the end")
                assert await connection.recv() == "before the end"
                server.close()
                with pytest.raises(websockets.ConnectionClosedOK):
                    await connection.recv()
                assert connection.close_code == 1001
            await server.wait_closed()

    run(main())


@pytest.mark.parametrize("protocol", ["websockets", "websockets-sansio"])
def test_a_client_of_uvicorn(protocol, tmp_path):
    async def main(server):
        async def one(seed):
            url = server.url.replace("http", "ws")
            async with connect(url, max_size=None) as connection:
                await talk(connection, seed)

        await asyncio.gather(*map(one, range(1, 13)))

    with Uvicorn(tmp_path, "--ws", protocol) as server:
        run(main(server))
        assert server.finish(signal.SIGTERM)[0] == -signal.SIGTERM
