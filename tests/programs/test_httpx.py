"""httpx on pyuv's event loop: HTTP/1.1 by uvicorn, HTTP/2 by hypercorn on the same loop, plain and by TLS."""

import asyncio
import contextlib
import random
import signal

import httpx
import hypercorn.asyncio
import hypercorn.config
import pytest
from application import application
from bodies import data, pieces
from onloop import run
from serverprocess import free_port
from tlsutil import CERTIFICATE, client_context
from uvicornserver import TLS, Uvicorn

LIMITS = httpx.Limits(max_connections=30)
BIG = 3_000_000


@pytest.fixture(scope="module", params=[[], TLS], ids=["plain", "tls"])
def uvicorn(request, tmp_path_factory):
    with Uvicorn(tmp_path_factory.mktemp("uvicorn"), *request.param) as server:
        yield server
        assert server.finish(signal.SIGTERM)[0] == -signal.SIGTERM


def client(**options):
    return httpx.AsyncClient(verify=client_context(), limits=LIMITS, timeout=30, **options)


async def echo_many(session, url, number):
    """As many requests at once, each with a body of its own."""
    bodies = [data(random.Random(seed).randrange(1, 20_000), seed) for seed in range(number)]
    answers = await asyncio.gather(*(session.post(f"{url}/echo", content=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * number
    assert [answer.content for answer in answers] == bodies
    return {answer.http_version for answer in answers}


async def echo_big(session, url):
    """Up and down at once, in pieces."""
    body, received = data(BIG), bytearray()
    async with session.stream("POST", f"{url}/echo", content=pieces(body)) as response:
        async for piece in response.aiter_raw():
            received += piece
    assert received == body


async def left(session, url):
    """A request that times out, and one whose answer is not read to the end."""
    with pytest.raises(httpx.ReadTimeout):
        await session.get(f"{url}/never", timeout=0.05)
    async with session.stream("GET", f"{url}/bytes/{BIG}") as response:
        async for piece in response.aiter_raw():
            assert not any(piece)
            break
    # It goes on with others.
    assert (await session.get(f"{url}/")).content == b"Hello"


async def cancelled(session, url):
    """Requests whose tasks are cancelled when the server has them, who notices each."""

    async def waiting():
        return int((await session.get(f"{url}/waiting")).content)

    tasks = [asyncio.create_task(session.get(f"{url}/never")) for _ in range(20)]
    while await waiting() < len(tasks):
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ends} == {asyncio.CancelledError}
    while await waiting():
        await asyncio.sleep(0.01)


def test_hundreds_of_requests_at_once(uvicorn):
    async def main():
        async with client() as session:
            return await echo_many(session, uvicorn.url, 200)

    assert run(main()) == {"HTTP/1.1"}


def test_bodies_stream_up_and_down(uvicorn):
    async def main():
        async with client() as session:
            await asyncio.gather(*(echo_big(session, uvicorn.url) for _ in range(3)))

    run(main())


def test_requests_are_given_up_in_the_middle(uvicorn):
    async def main():
        async with client() as session:
            await left(session, uvicorn.url)
            await cancelled(session, uvicorn.url)

    run(main())


@contextlib.asynccontextmanager
async def hypercorn_server():
    """HTTP/2 by TLS, on the running loop; its URL."""
    settings = hypercorn.config.Config()
    settings.bind = [f"127.0.0.1:{free_port()}"]
    settings.certfile = settings.keyfile = str(CERTIFICATE)
    settings.errorlog = settings.accesslog = None
    end = asyncio.Event()
    serving = asyncio.create_task(
        hypercorn.asyncio.serve(application, settings, shutdown_trigger=end.wait, mode="asgi")
    )
    try:
        yield f"https://{settings.bind[0].replace('127.0.0.1', 'localhost')}"
    finally:
        end.set()
        await serving


async def until_it_serves(session, url):
    while True:
        try:
            return await session.get(f"{url}/")
        except httpx.ConnectError:
            await asyncio.sleep(0.02)


def test_http_2(capfd):
    async def main():
        async with hypercorn_server() as url, client(http2=True, http1=False) as session:
            assert (await until_it_serves(session, url)).http_version == "HTTP/2"
            assert await echo_many(session, url, 200) == {"HTTP/2"}
            await asyncio.gather(*(echo_big(session, url) for _ in range(3)))
            await left(session, url)

    run(main())
    assert "lifespan.startup on pyuv.asyncio" in capfd.readouterr().out
