"""`pyuv.asyncio.dns`: lookups that are awaited."""

import asyncio
import inspect
import ipaddress
import socket

import pytest
import pyuv.asyncio
from asyncioutil import run
from lookups import LOOKUPS, assert_same
from pyuv import dns as raw
from pyuv.asyncio import dns
from pyuv.error import DNSError, HandleClosedError

from util import answer, in_child


def on_loop(main, *arguments):
    """Runs a coroutine function on a new event loop of ours."""

    async def bounded():
        async with asyncio.timeout(20):
            return await main(*arguments)

    return run(pyuv.asyncio.new_event_loop, bounded())


async def with_server(address, ask, **options):
    """What a lookup gives that a resolver for this server is asked."""
    async with dns.Resolver([address], **options) as resolver:
        return await ask(resolver)


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

    for found in on_loop(by_resolver), on_loop(by_function):
        assert_same(found, expected)


def test_a_message_of_one_s_own(dns_server):
    message = raw.Message(flags=raw.Flags.RD, question=[raw.Question("nosuch.example.com", "A")])

    async def main():
        dns.set_resolver(dns.Resolver([dns_server.address]))
        return await dns.send(message), await dns.get_resolver().send(message, timeout=10)

    for found in on_loop(main):
        assert found.rcode == raw.Rcode.NXDOMAIN
        assert found.question == message.question


def test_the_function_for_addresses_takes_keywords(dns_server):
    async def main():
        dns.set_resolver(dns.Resolver([dns_server.address]))
        found = await dns.getaddrinfo("www.example.com", "http", socktype=socket.SOCK_STREAM, timeout=10)
        host = await dns.gethostbyaddr(ipaddress.ip_address("192.0.2.1"), timeout=10)
        return found, host

    found, host = on_loop(main)
    assert {node.addr[1] for node in found.nodes} == {80}
    assert {node.socktype for node in found.nodes} == {socket.SOCK_STREAM}
    assert host.name


@pytest.mark.parametrize(
    ("name", "type", "code"),
    [
        ("nosuch.example.com", "A", raw.ARES_ENOTFOUND),
        ("www.example.com", "MX", raw.ARES_ENODATA),
        ("servfail.example.com", "A", raw.ARES_ESERVFAIL),
        ("refused.example.com", "A", raw.ARES_EREFUSED),
    ],
)
def test_an_error_has_the_channel_s_code_and_says_what_it_is_about(name, type, code, dns_server):
    with pytest.raises(DNSError, match=f": {name}$") as caught:
        on_loop(with_server, dns_server.address, lambda resolver: resolver.query(name, type))
    assert caught.value.code == code
    assert str(caught.value).startswith(raw.strerror(code))


def test_a_name_in_bytes_is_text_in_errors(dns_server):
    with pytest.raises(DNSError, match=r": nosuch\.example\.com$"):
        on_loop(with_server, dns_server.address, lambda resolver: resolver.query(b"nosuch.example.com"))


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda resolver: resolver.query("x" * 64 + ".example.com"), ValueError),
        (lambda resolver: resolver.query("www.example.com", "NOSUCH"), ValueError),
        (lambda resolver: resolver.query(7), TypeError),
        (lambda resolver: resolver.getaddrinfo("www.example.com", flags=1 << 20), ValueError),
        (lambda resolver: resolver.gethostbyaddr("www.example.com"), ValueError),
    ],
)
def test_what_the_channel_refuses_is_raised(ask, kind, dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver:
            with pytest.raises(kind):
                await ask(resolver)
            assert resolver.active_queries == 0
            # It goes on.
            assert await resolver.query("www.example.com")

    on_loop(main)


def test_many_at_once(dns_server):
    async def main():
        async with dns.Resolver([dns_server.address]) as resolver:
            names = [f"n{number}.wild.example.com" for number in range(2000)]
            messages = await asyncio.gather(*map(resolver.query, names))
            assert [message.question[0].name for message in messages] == names
            assert resolver.active_queries == 0

    on_loop(main)


def test_tasks_and_groups_take_lookups(dns_server):
    async def main():
        dns.set_resolver(dns.Resolver([dns_server.address]))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(dns.query("www.example.com", type)) for type in ("A", "AAAA")]
        return [task.result().question[0].type for task in tasks]

    assert on_loop(main) == [raw.RecordType.A, raw.RecordType.AAAA]


def test_options_are_those_of_the_channel():
    from pyuv._awaited.dns.options import Options

    taken = inspect.signature(raw.Channel).parameters
    assert set(Options.__annotations__) == set(taken) - {"loop", "servers"}


def test_a_wrong_option_is_refused():
    async def main():
        with pytest.raises(ValueError, match="tries"):
            dns.Resolver(tries=-1)
        with pytest.raises(TypeError):
            dns.Resolver(nosuch=1)

    on_loop(main)


def test_what_a_resolver_tells_of_itself(dns_server):
    async def main():
        resolver = dns.Resolver([dns_server.address], tries=7)
        assert resolver.servers == [dns_server.address]
        assert resolver.configuration.tries == 7
        resolver.servers = ["192.0.2.7"]
        assert resolver.servers == ["192.0.2.7:53"]
        await resolver.reinit()
        assert resolver.servers == ["192.0.2.7:53"]
        assert "with 0 lookups" in repr(resolver)
        assert not resolver.closed
        resolver.close()
        resolver.close()
        assert resolver.closed
        assert "closed" in repr(resolver)
        with pytest.raises(HandleClosedError):
            await resolver.query("www.example.com")

    on_loop(main)


def test_a_loop_has_one_resolver(dns_server):
    async def main():
        first = dns.get_resolver()
        assert dns.get_resolver() is first
        mine = dns.Resolver([dns_server.address])
        dns.set_resolver(mine)
        assert dns.get_resolver() is mine
        assert not first.closed
        assert (await dns.query("www.example.com")).answer
        return mine

    mine = on_loop(main)
    assert mine.closed
    assert on_loop(main) is not mine


def test_a_resolver_of_another_loop_is_refused():
    async def make():
        return dns.Resolver()

    async def main():
        with pytest.raises(ValueError, match="another event loop"):
            dns.set_resolver(other)

    other = on_loop(make)
    on_loop(main)


def test_another_event_loop_is_refused_in_plain_words():
    async def main():
        for ask in (dns.Resolver, dns.get_resolver):
            with pytest.raises(RuntimeError, match=r"needs an event loop of pyuv\.asyncio"):
                ask()
        with pytest.raises(RuntimeError, match=r"needs an event loop of pyuv\.asyncio"):
            await dns.query("www.example.com")

    run(asyncio.SelectorEventLoop, main())
    with pytest.raises(RuntimeError, match="no running event loop"):
        dns.Resolver()


def test_it_is_imported_when_it_is_asked_for():
    code = """
import sys
import pyuv.asyncio
print("pyuv.asyncio.dns" in sys.modules)
from pyuv.asyncio import dns
print("asyncio.dns" in str(dns))
try:
    dns.nosuch
except AttributeError as error:
    print(error)
"""
    assert in_child(code) == ["False", "True", "module 'pyuv.asyncio.dns' has no attribute 'nosuch'"]
