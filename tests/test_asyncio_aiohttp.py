"""`pyuv.asyncio.aiohttp`: the resolver for aiohttp, with a client and a server of aiohttp's."""

import asyncio
import socket

import aiohttp
import aiohttp.abc
import pytest
import pyuv.asyncio
from aiohttp import web
from asyncioutil import run
from dnsserver import DNSServer
from pyuv.asyncio import dns
from pyuv.asyncio.aiohttp import AsyncResolver
from pyuv.error import HandleClosedError

from util import in_child

ZONE = """\
$ORIGIN web.example.
$TTL 60
@       SOA     ns hostmaster 1 7200 3600 1209600 60
@       NS      ns
ns      A       127.0.0.1
www     A       127.0.0.1
www     AAAA    ::1
here    CNAME   www
"""


@pytest.fixture(scope="module")
def web_server(tmp_path_factory):
    """A name server for names of this machine."""
    zone = tmp_path_factory.mktemp("zone") / "web.zone"
    zone.write_text(ZONE)
    with DNSServer(zone) as server:
        yield server


async def serve():
    """A web server on a free port of 127.0.0.1: its runner and the port."""

    async def hello(request):
        return web.Response(text=f"hello {request.host.partition(':')[0]}")

    application = web.Application()
    application.router.add_get("/", hello)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, site._server.sockets[0].getsockname()[1]


def test_it_is_what_aiohttp_takes():
    assert issubclass(AsyncResolver, aiohttp.abc.AbstractResolver)


@pytest.mark.parametrize("host", ["www.web.example", "here.web.example"])
def test_a_client_finds_its_server_by_name(host, web_server):
    async def main():
        runner, port = await serve()
        connector = aiohttp.TCPConnector(resolver=AsyncResolver([web_server.address]))
        async with aiohttp.ClientSession(connector=connector) as session:
            texts = []
            for _ in range(3):
                async with session.get(f"http://{host}:{port}/") as response:
                    texts.append(await response.text())
        await runner.cleanup()
        return texts, asyncio.get_running_loop()._default_executor

    texts, executor = run(pyuv.asyncio.new_event_loop, main())
    assert texts == [f"hello {host}"] * 3
    assert executor is None


def test_a_name_that_is_not_there_is_aiohttp_s_error(web_server):
    async def main():
        connector = aiohttp.TCPConnector(resolver=AsyncResolver([web_server.address]))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorDNSError, match=r"nosuch\.web\.example"):
                await session.get("http://nosuch.web.example/")

    run(pyuv.asyncio.new_event_loop, main())


def test_a_client_s_timeout_ends_the_lookup(udp_peer):
    async def main():
        resolver = AsyncResolver([udp_peer.address])
        connector = aiohttp.TCPConnector(resolver=resolver)
        timeout = aiohttp.ClientTimeout(total=0.05)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            with pytest.raises(asyncio.TimeoutError):
                await session.get("http://www.web.example/")
        await resolver.close()
        assert resolver._resolver.closed

    run(pyuv.asyncio.new_event_loop, main())


@pytest.mark.parametrize("family", [socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("host", ["www.web.example", "127.0.0.1", "::1", "fe80::1%lo", "nosuch.web.example"])
def test_results_are_those_of_aiohttp_s_threaded_resolver(host, family, web_server):
    """Which asks the event loop, and that asks the same server."""

    async def outcome(resolver):
        try:
            return await resolver.resolve(host, 80, family)
        except OSError as error:
            return type(error), error.errno

    async def main():
        dns.set_resolver(dns.Resolver([web_server.address]))
        ours, theirs = AsyncResolver(), aiohttp.ThreadedResolver()
        assert await outcome(ours) == await outcome(theirs)
        await ours.close()

    run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), main())


def test_the_loop_s_resolver_outlives_those_that_ask_it(web_server):
    async def main():
        dns.set_resolver(dns.Resolver([web_server.address]))
        first = AsyncResolver()
        await first.close()
        second = AsyncResolver()
        assert await second.resolve("www.web.example", 80)
        own = AsyncResolver([web_server.address], tries=1)
        await own.close()
        await own.close()
        with pytest.raises(HandleClosedError):
            await own.resolve("www.web.example", 80)

    run(pyuv.asyncio.new_event_loop, main())


def test_another_event_loop_is_refused():
    async def main():
        with pytest.raises(RuntimeError, match=r"needs an event loop of pyuv\.asyncio"):
            AsyncResolver()

    run(asyncio.SelectorEventLoop, main())


def test_without_aiohttp_it_cannot_be_imported():
    code = """
import sys
sys.modules["aiohttp"] = None
import pyuv.asyncio.dns
try:
    import pyuv.asyncio.aiohttp
except ImportError as error:
    print(error.name)
"""
    assert in_child(code) == ["aiohttp.abc"]
