"""aiohttp on pyuv's event loop, client and server, plain and by TLS."""

import asyncio
import contextlib
import hashlib
import random

import aiohttp
import pytest
from aiohttp import web
from bodies import data, pieces
from onloop import run
from tlsutil import client_context, server_context

BIG = 5_000_000
WAITING = web.AppKey("waiting", asyncio.Semaphore)
GONE = web.AppKey("gone", asyncio.Semaphore)
both_ways = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


async def digest(request):
    """Reads a body as it comes, and says what it was."""
    hashed = hashlib.sha256()
    async for piece in request.content.iter_any():
        hashed.update(piece)
    return web.Response(text=hashed.hexdigest())


async def echo(request):
    response = web.StreamResponse()
    await response.prepare(request)
    async for piece in request.content.iter_any():
        await response.write(piece)
    await response.write_eof()
    return response


async def never(request):
    request.app[WAITING].release()
    try:
        await asyncio.Event().wait()
    finally:
        request.app[GONE].release()


async def messages(request):
    socket = web.WebSocketResponse(max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket


@contextlib.asynccontextmanager
async def serving(tls, folder=None):
    """A server and a client of it; the latter, the URL and the application."""
    application = web.Application(client_max_size=0)
    application[WAITING], application[GONE] = asyncio.Semaphore(0), asyncio.Semaphore(0)
    application.router.add_post("/digest", digest)
    application.router.add_post("/echo", echo)
    application.router.add_get("/never", never)
    application.router.add_get("/messages", messages)
    if folder is not None:
        application.router.add_static("/files", folder)
    # A handler is cancelled when its client goes.
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context() if tls else None)
    await site.start()
    port = runner.addresses[0][1]
    connector = aiohttp.TCPConnector(limit=40, ssl=client_context() if tls else True)
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session, f"{'https' if tls else 'http'}://127.0.0.1:{port}", application
    finally:
        await runner.cleanup()


@both_ways
def test_hundreds_of_requests_at_once(tls):
    bodies = [data(random.Random(seed).randrange(1, 40_000), seed) for seed in range(400)]

    async def main():
        async with serving(tls) as (session, url, _):

            async def echoed(body):
                async with session.post(f"{url}/echo", data=body) as response:
                    return await response.read()

            return await asyncio.gather(*map(echoed, bodies))

    assert run(main()) == bodies


@both_ways
def test_bodies_stream_up_and_down(tls):
    bodies = [data(BIG, seed) for seed in range(4)]

    async def main():
        async with serving(tls) as (session, url, _):

            async def echoed(body):
                received = bytearray()
                async with session.post(f"{url}/echo", data=pieces(body)) as response:
                    async for piece in response.content.iter_any():
                        received += piece
                assert received == body

            async def told(body):
                async with session.post(f"{url}/digest", data=pieces(body)) as response:
                    assert await response.text() == hashlib.sha256(body).hexdigest()

            await asyncio.gather(*map(echoed, bodies), *map(told, bodies))

    run(main())


@both_ways
def test_files_are_sent(tls, tmp_path):
    body = data(BIG)
    (tmp_path / "big").write_bytes(body)

    async def main():
        async with serving(tls, tmp_path) as (session, url, _):

            async def part(start, end):
                headers = {"Range": f"bytes={start}-{end - 1}"}
                async with session.get(f"{url}/files/big", headers=headers) as response:
                    assert response.status == 206
                    assert await response.read() == body[start:end]

            async with session.get(f"{url}/files/big") as response:
                assert await response.read() == body
            await asyncio.gather(*(part(start, start + BIG // 10) for start in range(0, BIG, BIG // 10)))

    run(main())


@both_ways
def test_messages_go_both_ways(tls):
    async def main():
        async with serving(tls) as (session, url, _):

            async def talk(seed):
                async with session.ws_connect(f"{url}/messages", max_msg_size=0) as socket:
                    for size in (0, 1, 125, 126, 65_535, 65_536, 300_000):
                        message = data(size, seed)
                        await socket.send_bytes(message)
                        assert await socket.receive_bytes() == message
                    await socket.send_str("ö" * seed)
                    assert await socket.receive_str() == "ö" * seed

            await asyncio.gather(*map(talk, range(1, 41)))

    run(main())


@both_ways
def test_requests_are_given_up_in_the_middle(tls):
    async def main():
        async with serving(tls) as (session, url, application):
            timeout = aiohttp.ClientTimeout(total=0.1)
            with pytest.raises(asyncio.TimeoutError):
                await session.get(f"{url}/never", timeout=timeout)
            await application[WAITING].acquire()
            tasks = [asyncio.create_task(session.get(f"{url}/never")) for _ in range(30)]
            for _ in tasks:
                await application[WAITING].acquire()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
            # The server notices each.
            for _ in range(len(tasks) + 1):
                await application[GONE].acquire()
            async with session.post(f"{url}/echo", data=b"goes on") as response:
                assert await response.read() == b"goes on"

    run(main())
