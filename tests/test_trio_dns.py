"""pyuv.trio.dns: lookups that are awaited from trio's tasks."""

import pytest
import trio
from lookups import LOOKUPS, assert_same
from pyuv import dns as raw
from pyuv.error import DNSError, HandleClosedError
from pyuv.trio import dns
from trioutil import run

from util import answer


@pytest.mark.parametrize("method", LOOKUPS)
def test_what_is_awaited_is_what_the_channel_says(method, make_channel, dns_server):
    arguments = LOOKUPS[method]
    expected, errorno = answer(make_channel(domains=["example.com"]), method, *arguments)
    assert errorno is None

    async def by_resolver():
        async with dns.Resolver([dns_server.address], domains=["example.com"]) as resolver:
            return await getattr(resolver, method)(*arguments)

    async def by_function():
        dns.set_resolver(dns.Resolver([dns_server.address], domains=["example.com"]))
        return await getattr(dns, method)(*arguments)

    for found in run(by_resolver), run(by_function):
        assert_same(found, expected)


def test_errors_are_the_channel_s(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver:
            with pytest.raises(DNSError, match=r"no\.example\.com") as error:
                await resolver.query("no.example.com", "A")
            assert error.value.args[0] == raw.ARES_ENOTFOUND
            with pytest.raises(ValueError, match="type"):
                await resolver.query("example.com", "NONSENSE")
        with pytest.raises(HandleClosedError):
            await resolver.query("example.com")

    run(main)


def test_many_ask_at_once(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver, trio.open_nursery() as nursery:

            async def ask():
                assert (await resolver.query("www.example.com", "A")).answer

            for _ in range(200):
                nursery.start_soon(ask)

    run(main)


async def all_ended(resolver):
    with trio.fail_after(10):
        while resolver.active_queries:
            await trio.sleep(0.001)


def test_a_lookup_that_is_cancelled_ends(udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address]) as resolver:
            with trio.move_on_after(0.05) as scope:
                await resolver.query("www.example.com")
            assert scope.cancelled_caught
            await all_ended(resolver)
            with trio.CancelScope() as scope:
                scope.cancel()
                await resolver.query("www.example.com")
            assert scope.cancelled_caught
            assert resolver.active_queries == 0
            with pytest.raises(TimeoutError):
                await resolver.query("www.example.com", timeout=0.05)
            await all_ended(resolver)

    run(main)


def test_a_resolver_ends_with_its_run(udp_peer):
    async def main():
        dns.get_resolver().servers = [udp_peer.address]
        with trio.move_on_after(0.02):
            await dns.query("www.example.com")
        return dns.get_resolver(), dns.Resolver([udp_peer.address])

    resolver, other = run(main)
    assert resolver.closed

    async def again():
        with pytest.raises(RuntimeError, match="another"):
            await other.query("www.example.com")
        with pytest.raises(ValueError, match="another"):
            dns.set_resolver(other)

    run(again)
    other.close()
