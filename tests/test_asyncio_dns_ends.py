"""How lookups that are awaited end: timeouts, cancelling, closing, servers that fail."""

import asyncio
import gc
import socket
import weakref

import pytest
import pyuv.asyncio
from asyncioutil import reports, run
from lookups import LOOKUPS
from pyuv import dns as raw
from pyuv.asyncio import dns
from pyuv.error import DNSError, HandleClosedError
from test_asyncio_dns import on_loop

from util import collect, in_child, open_fds

SLOW = "timeout.example.com"


async def until(condition):
    """Waits for something to become so; the test's own limit ends it."""
    while not condition():
        await asyncio.sleep(0.002)


def test_a_timeout_of_one_s_own(udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address]) as resolver:
            with pytest.raises(DNSError, match=r"no answer within 0\.05 s: www\.example\.com") as caught:
                await resolver.query("www.example.com", timeout=0.05)
            assert caught.value.code == raw.ARES_ETIMEOUT
            assert isinstance(caught.value, TimeoutError)
            await until(lambda: resolver.active_queries == 0)

    on_loop(main)


def test_a_timeout_that_is_over_at_once(udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address]) as resolver:
            with pytest.raises(TimeoutError):
                await resolver.query("www.example.com", timeout=0)

    on_loop(main)


@pytest.mark.parametrize("method", [*LOOKUPS])
def test_every_lookup_takes_a_timeout(method, udp_peer):
    async def main():
        dns.set_resolver(dns.Resolver([udp_peer.address], lookups="b"))
        arguments = LOOKUPS[method]
        for ask in (getattr(dns, method), getattr(dns.get_resolver(), method)):
            with pytest.raises(TimeoutError):
                await ask(*arguments, timeout=0.01)
        await until(lambda: dns.get_resolver().active_queries == 0)

    on_loop(main)


def test_the_channel_s_own_timeout_is_a_timeout_error_too(udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address], timeout=0.05, tries=1) as resolver:
            with pytest.raises(TimeoutError) as caught:
                await resolver.query("www.example.com")
            assert caught.value.code == raw.ARES_ETIMEOUT

    on_loop(main)


def test_asyncio_s_timeout_ends_the_query(udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address]) as resolver:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await resolver.query("www.example.com")
            await until(lambda: resolver.active_queries == 0)
        assert len(udp_peer.drain()) == 1

    on_loop(main)


def test_a_query_that_is_cancelled_is_not_asked_again(udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address], timeout=0.03, tries=100) as resolver:
            task = asyncio.create_task(resolver.query("www.example.com"))
            await until(lambda: resolver.active_queries == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: resolver.active_queries == 0)
            asked = udp_peer.drain()
            await asyncio.sleep(0.2)
            assert udp_peer.drain() == []
            assert asked

    on_loop(main)


def test_a_lookup_beside_one_that_is_cancelled_goes_on(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver:
            wanted = asyncio.create_task(resolver.query("delay-300.wild.example.com"))
            given_up = asyncio.create_task(resolver.query(SLOW))
            await until(lambda: resolver.active_queries == 2)
            given_up.cancel()
            message = await wanted
            assert message.answer
            # With the last that anybody waits for, the other ends.
            await until(lambda: resolver.active_queries == 0)
            assert given_up.cancelled()

    on_loop(main)


@pytest.mark.parametrize("method", LOOKUPS)
def test_a_lookup_is_cancelled_at_every_step(method, dns_server):
    """Either it is cancelled and leaves nothing, or it was done already."""

    async def main():
        contexts = reports()
        outcomes = {"cancelled": 0, "done": 0}
        async with dns.Resolver([dns_server.address], domains=["example.com"], lookups="b") as resolver:
            before = None
            for steps in range(12):
                task = asyncio.create_task(getattr(resolver, method)(*LOOKUPS[method]))
                for _ in range(steps):
                    await asyncio.sleep(0 if steps < 6 else 0.001)
                task.cancel()
                try:
                    await task
                    outcomes["done"] += 1
                except asyncio.CancelledError:
                    outcomes["cancelled"] += 1
                del task
                await until(lambda: resolver.active_queries == 0)
                if before is None:
                    before = open_fds()
            assert open_fds() <= before
        assert contexts == []
        return outcomes

    outcomes = on_loop(main)
    assert outcomes["cancelled"] > 0
    assert sum(outcomes.values()) == 12


def test_many_that_are_cancelled_leave_nothing(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address], max_in_flight=10) as resolver:
            tasks = [asyncio.create_task(resolver.query(SLOW)) for _ in range(500)]
            await until(lambda: resolver.active_queries == 500)
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(outcome) for outcome in done} == {asyncio.CancelledError}
            await until(lambda: resolver.active_queries == 0)
            assert (await resolver.query("www.example.com")).answer

    on_loop(main)


def test_cancelling_a_resolver_ends_every_lookup(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver:
            tasks = [asyncio.create_task(resolver.query(SLOW)) for _ in range(3)]
            await until(lambda: resolver.active_queries == 3)
            resolver.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(outcome, DNSError)
                assert outcome.code == raw.ARES_ECANCELLED
            assert (await resolver.query("www.example.com")).answer

    on_loop(main)


def test_closing_a_resolver_ends_every_lookup(dns_server):
    async def main():
        resolver = dns.Resolver([dns_server.address])
        tasks = [asyncio.create_task(resolver.query(SLOW)) for _ in range(3)]
        await until(lambda: resolver.active_queries == 3)
        resolver.close()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, DNSError)
            assert outcome.code == raw.ARES_EDESTRUCTION
        with pytest.raises(HandleClosedError):
            await resolver.query("www.example.com")

    on_loop(main)


@pytest.mark.parametrize(("end", "code"), [("cancel", raw.ARES_ECANCELLED), ("close", raw.ARES_EDESTRUCTION)])
def test_what_was_asked_in_the_same_turn_ends_too(end, code, udp_peer):
    async def main():
        resolver = dns.Resolver([udp_peer.address])
        tasks = [asyncio.create_task(resolver.query("www.example.com")) for _ in range(3)]
        await asyncio.sleep(0)
        getattr(resolver, end)()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome.code == code
        resolver.close()

    on_loop(main)


def test_what_was_cancelled_in_the_same_turn_is_not_asked(dns_server, udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address]) as resolver:
            tasks = [asyncio.create_task(resolver.query("www.example.com")) for _ in range(3)]
            await asyncio.sleep(0)
            assert resolver.active_queries == 3
            for task in tasks[:2]:
                task.cancel()
            await asyncio.sleep(0.01)
            assert resolver.active_queries == 1
            resolver.servers = [dns_server.address]
            assert (await tasks[2]).answer
        assert len(udp_peer.drain()) == 1

    on_loop(main)


def test_a_resolver_that_is_closed_by_who_was_answered(dns_server):
    async def main():
        resolver = dns.Resolver([dns_server.address])

        async def ask_and_close(name):
            await resolver.query(name)
            resolver.close()

        names = ["www.example.com", SLOW, SLOW]
        outcomes = await asyncio.gather(*map(ask_and_close, names), return_exceptions=True)
        assert outcomes[0] is None
        assert [outcome.code for outcome in outcomes[1:]] == [raw.ARES_EDESTRUCTION] * 2

    on_loop(main)


def test_servers_that_change_under_a_query(dns_server, udp_peer):
    async def main():
        async with dns.Resolver([udp_peer.address]) as resolver:
            task = asyncio.create_task(resolver.query("www.example.com"))
            await until(lambda: resolver.active_queries == 1)
            resolver.servers = [dns_server.address]
            assert (await task).answer

    on_loop(main)


def test_a_server_that_is_not_there():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]

    async def main():
        async with dns.Resolver([f"127.0.0.1:{port}"]) as resolver:
            with pytest.raises(ConnectionRefusedError) as caught:
                await resolver.query("www.example.com")
            assert caught.value.code == raw.ARES_ECONNREFUSED

    on_loop(main)


def test_a_server_that_ends_its_connections():
    """Over TCP: each connection is reset when the query has come."""

    async def main():
        async def reset(reader, writer):
            await reader.read(512)
            writer.transport.abort()

        server = await asyncio.start_server(reset, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with dns.Resolver([f"127.0.0.1:{port}"], flags=raw.ARES_FLAG_USEVC, tries=2) as resolver:
            with pytest.raises(DNSError) as caught:
                await resolver.query("www.example.com")
            assert caught.value.code in (raw.ARES_ECONNREFUSED, raw.ARES_ETIMEOUT)
            assert resolver.active_queries == 0
        server.close()

    on_loop(main)


def test_a_loop_that_is_closed_under_lookups(dns_server):
    """What nobody can be told any more is dropped: nothing hangs, nothing is reported."""
    before = open_fds()
    event_loop = pyuv.asyncio.new_event_loop()
    contexts = []
    event_loop.set_exception_handler(lambda loop, context: contexts.append(context["message"]))

    async def main():
        dns.set_resolver(dns.Resolver([dns_server.address]))
        resolver = dns.get_resolver()
        tasks = [asyncio.ensure_future(dns.query(SLOW)) for _ in range(3)]
        tasks.append(asyncio.ensure_future(resolver.query(SLOW, timeout=30)))
        await until(lambda: resolver.active_queries == 4)
        return tasks, resolver

    tasks, resolver = event_loop.run_until_complete(main())
    event_loop.close()
    assert resolver.closed
    assert not any(task.done() for task in tasks)
    references = [weakref.ref(resolver), *map(weakref.ref, tasks)]
    del tasks, resolver
    collect()
    assert [reference() for reference in references] == [None] * 5
    assert set(contexts) <= {"Task was destroyed but it is pending!"}
    del event_loop
    assert open_fds() == before


def test_a_loop_whose_program_ends_under_lookups(dns_server):
    """`run` cancels what is left, and the loop ends its resolver."""

    async def main():
        resolver = dns.Resolver([dns_server.address])
        tasks = [asyncio.ensure_future(resolver.query(SLOW)) for _ in range(3)]
        await until(lambda: resolver.active_queries == 3)
        return resolver, tasks

    resolver, tasks = run(pyuv.asyncio.new_event_loop, main())
    assert all(task.cancelled() for task in tasks)
    assert resolver.closed


def test_a_resolver_that_is_forgotten_goes_with_its_last_lookup(dns_server):
    async def main():
        await dns.Resolver([dns_server.address]).query("www.example.com")
        collect()
        before = open_fds()
        task = asyncio.create_task(dns.Resolver([dns_server.address]).query("delay-30.wild.example.com"))
        await asyncio.sleep(0.01)
        collect()
        assert (await task).answer
        del task
        await asyncio.sleep(0.01)
        collect()
        assert open_fds() <= before

    on_loop(main)


def test_a_resolver_of_another_loop_says_so(dns_server):
    async def make():
        return dns.Resolver([dns_server.address])

    async def main():
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await resolver.query("www.example.com")

    with asyncio.Runner(loop_factory=pyuv.asyncio.new_event_loop) as runner:
        resolver = runner.run(make())
        run(pyuv.asyncio.new_event_loop, main())
        run(asyncio.SelectorEventLoop, main())
        assert runner.run(resolver.query("www.example.com")).answer


def test_errors_leave_no_garbage(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver:

            async def fail():
                with pytest.raises(DNSError):
                    await resolver.query("servfail.example.com")

            await fail()
            gc.collect()
            gc.disable()
            try:
                for _ in range(20):
                    await fail()
                return gc.collect()
            finally:
                gc.enable()

    # pytest.raises has cycles of its own: one of ours would be 20.
    assert on_loop(main) < 600


def test_a_child_ends_with_lookups_in_flight(dns_server):
    code = """
import asyncio, sys
import pyuv.asyncio
from pyuv.asyncio import dns

async def main():
    dns.set_resolver(dns.Resolver([sys.argv[1]]))
    tasks = [asyncio.ensure_future(dns.query("timeout.example.com")) for _ in range(3)]
    await asyncio.sleep(0.05)
    print("ends")

pyuv.asyncio.run(main())
"""
    assert in_child(code, dns_server.address) == ["ends"]
