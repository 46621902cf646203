"""Lookups of every kind, cancelled, timed out and closed at random: each ends once, and nothing is left."""

import asyncio
import random
import socket

import pytest
import pyuv.asyncio
from asyncioutil import reports, run
from pyuv import dns as raw
from pyuv.asyncio import aiodns, dns
from pyuv.error import UVError

from util import open_fds

NAMES = [
    "www.example.com",
    "alias.example.com",
    "nosuch.example.com",
    "servfail.example.com",
    "truncate.example.com",
    "timeout.example.com",
    "delay-20.wild.example.com",
    "garbage.example.com",
    "localhost",
    "x" * 64,
]


def lookup(chance, resolver, old):
    """A function that gives something to await."""
    loop = asyncio.get_running_loop()
    name = chance.choice(NAMES)
    timeout = chance.choice([None, None, 0, 0.002, 0.02])
    choices = [
        lambda: resolver.query(name, chance.choice(["A", "AAAA", "MX"]), timeout=timeout),
        lambda: resolver.search(name, timeout=timeout),
        lambda: resolver.getaddrinfo(name, 80, timeout=timeout),
        lambda: resolver.gethostbyname(name, timeout=timeout),
        lambda: resolver.gethostbyaddr("192.0.2.10", timeout=timeout),
        lambda: resolver.getnameinfo(("192.0.2.10", 80), timeout=timeout),
        lambda: resolver.reinit(),
        lambda: loop.getaddrinfo(name, 80),
        lambda: loop.getnameinfo(("192.0.2.10", 80)),
        lambda: old.query(name, "A"),
        lambda: old.getaddrinfo(name),
    ]
    return chance.choice(choices)


async def awaited(ask):
    return await ask()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_each_lookup_ends_and_nothing_is_left(seed, dns_server, udp_peer):
    chance = random.Random(seed)
    servers = [[dns_server.address], [dns_server.address, udp_peer.address], [udp_peer.address]]
    options = {"timeout": 0.05, "tries": 2, "max_in_flight": 8, "query_cache_max_ttl": seed % 2}

    async def round_of_lookups():
        resolver = dns.Resolver(chance.choice(servers), **options)
        dns.set_resolver(resolver)
        old = aiodns.DNSResolver(chance.choice(servers), **options)
        tasks = []
        for _ in range(60):
            tasks.append(asyncio.create_task(awaited(lookup(chance, resolver, old))))
            happens = chance.random()
            if happens < 0.3:
                chance.choice(tasks).cancel()
            elif happens < 0.4:
                resolver.servers = chance.choice(servers)
            elif happens < 0.43:
                resolver.cancel()
                old.cancel()
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice([0, 0, 0.001, 0.01]))
        if chance.random() < 0.5:
            resolver.close()
            await old.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        known = (UVError, socket.gaierror, aiodns.error.DNSError, ValueError, asyncio.CancelledError)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, known):
                # What pycares says of a channel that was closed before it was asked.
                assert str(outcome) == "Channel is destroyed, no new queries allowed"
        for channel in (resolver._channel, old._channel):
            while channel.active_queries:
                await asyncio.sleep(0.002)
        assert resolver.active_queries == 0
        assert resolver._lookups._abandoned == 0
        assert old._lookups._abandoned == 0
        resolver.close()
        await old.close()
        return sum(not isinstance(outcome, BaseException) for outcome in outcomes)

    async def main():
        contexts = reports()
        await round_of_lookups()
        before = open_fds()
        answered = [await round_of_lookups() for _ in range(3)]
        # The close of a channel is over in the next turn.
        await asyncio.sleep(0.01)
        assert open_fds() <= before
        assert contexts == []
        return answered

    async def bounded():
        async with asyncio.timeout(40):
            return await main()

    answered = run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), bounded())
    assert sum(answered) > 0


@pytest.mark.parametrize("name", ["www.example.com", "alias.example.com", "192.0.2.1", "localhost"])
def test_the_loop_s_lookups_are_cancelled_at_every_step(name, dns_server):
    """Either it is cancelled and leaves nothing, or it was done already."""

    async def main():
        contexts = reports()
        loop = asyncio.get_running_loop()
        resolver = dns.Resolver([dns_server.address])
        dns.set_resolver(resolver)
        outcomes = {"cancelled": 0, "done": 0}
        for ask in (lambda: loop.getaddrinfo(name, 80), lambda: loop.getnameinfo(("192.0.2.10", 80))):
            for steps in range(12):
                task = asyncio.create_task(ask())
                for _ in range(steps):
                    await asyncio.sleep(0 if steps < 6 else 0.001)
                task.cancel()
                try:
                    await task
                    outcomes["done"] += 1
                except asyncio.CancelledError:
                    outcomes["cancelled"] += 1
                while resolver.active_queries:
                    await asyncio.sleep(0.002)
        assert contexts == []
        return outcomes

    outcomes = run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), main())
    assert outcomes["cancelled"] > 0
    assert sum(outcomes.values()) == 24


def test_one_resolver_s_end_leaves_the_others(dns_server):
    async def main():
        first, second = (dns.Resolver([dns_server.address]) for _ in range(2))
        slow = asyncio.create_task(first.query("timeout.example.com"))
        wanted = asyncio.create_task(second.query("delay-50.wild.example.com"))
        await asyncio.sleep(0.01)
        first.close()
        with pytest.raises(UVError) as caught:
            await slow
        assert caught.value.code == raw.ARES_EDESTRUCTION
        assert (await wanted).answer
        second.close()

    run(pyuv.asyncio.new_event_loop, main())
