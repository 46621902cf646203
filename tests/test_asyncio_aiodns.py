"""`pyuv.asyncio.aiodns` beside aiodns itself: name by name, and result by result of one server."""

import asyncio
import dataclasses
import inspect
import socket
import warnings

import aiodns
import aiodns.compat
import aiodns.error
import pycares
import pytest
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import aiodns as ours
from pyuv.asyncio.aiodns import compat as our_compat
from pyuv.asyncio.aiodns import pycares as our_pycares

from util import in_child

OPTIONS = {"timeout": 0.3, "tries": 1}


def public(module):
    return {name for name in vars(module) if not name.startswith("_")}


def plain(result):
    """A result without the module that its class is of, records in one order: the server has none."""
    if dataclasses.is_dataclass(result):
        fields = [field.name for field in dataclasses.fields(result)]
        return type(result).__name__, {name: plain(getattr(result, name)) for name in fields}
    if isinstance(result, list):
        return sorted(map(plain, result), key=repr)
    if isinstance(result, tuple):
        return tuple(map(plain, result))
    return int(result) if isinstance(result, int) else result


async def outcome(ask):
    """What a lookup gives, or its error: the name of the class and the arguments."""
    try:
        return plain(await ask())
    except (aiodns.error.DNSError, ours.error.DNSError) as error:
        return type(error).__name__, error.args
    except (ValueError, TypeError) as error:
        return type(error).__name__


def by_both(dns_server, ask):
    """What aiodns gives on asyncio's loop, and what ours does on ours."""

    async def main(module):
        async with module.DNSResolver([dns_server.address], **OPTIONS) as resolver:
            return await outcome(lambda: ask(resolver))

    with warnings.catch_warnings():
        # aiodns deprecates query() and gethostbyname().
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs = run(asyncio.SelectorEventLoop, main(aiodns))
    return theirs, run(pyuv.asyncio.new_event_loop, main(ours))


def test_the_methods_are_aiodns_s():
    theirs = public(aiodns.DNSResolver)
    assert theirs <= public(ours.DNSResolver)
    for name in theirs:
        expected, found = (getattr(module.DNSResolver, name) for module in (aiodns, ours))
        if callable(expected):
            assert list(inspect.signature(found).parameters) == list(inspect.signature(expected).parameters)
        else:
            assert isinstance(found, property)
    expected, found = (inspect.signature(module.DNSResolver).parameters for module in (aiodns, ours))
    assert list(found) == list(expected)


def test_the_tables_are_aiodns_s():
    assert ours.query_type_map == aiodns.query_type_map
    assert ours.query_class_map == aiodns.query_class_map
    assert set(aiodns.__all__) <= set(ours.__all__)


def test_the_numbers_are_pycares_s():
    numbers = {name for name in public(pycares) if isinstance(getattr(pycares, name), int)}
    # Sockets, which the event loop watches, and what c-ares was built without.
    without = {name for name in numbers if name.startswith(("ARES_NI_IDN", "ARES_SOCKET", "PYCARES_"))}
    for name in numbers - without:
        assert getattr(our_pycares, name) == getattr(pycares, name), name


def test_the_errors_are_aiodns_s():
    assert set(aiodns.error.__all__) == set(ours.error.__all__)
    for name in set(aiodns.error.__all__) - {"DNSError"}:
        assert getattr(ours.error, name) == getattr(aiodns.error, name)
    assert ours.error.DNSError.__bases__ == (Exception,)


@pytest.mark.parametrize(
    ("theirs", "mine"), [(aiodns.compat, our_compat), (pycares, our_pycares)], ids=["compat", "pycares"]
)
def test_the_results_are_of_classes_with_the_same_fields(theirs, mine):
    classes = {name for name in public(theirs) if dataclasses.is_dataclass(getattr(theirs, name))}
    assert classes
    for name in classes:
        expected, found = getattr(theirs, name), getattr(mine, name)
        assert [field.name for field in dataclasses.fields(found)] == [
            field.name for field in dataclasses.fields(expected)
        ]
        assert found.__dataclass_params__.frozen == expected.__dataclass_params__.frozen


TYPES = ["A", "AAAA", "ANY", "CAA", "CNAME", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "TXT"]
NAMES = [
    "example.com",
    "www.example.com",
    "alias.example.com",
    "chain1.example.com",
    "two.example.com",
    "v6only.example.com",
    "_sip._tcp.example.com",
    "sip.example.com",
    "tel.example.com",
    "several.txt.example.com",
    "long.txt.example.com",
    "binary.txt.example.com",
    "odd.example.com",
    "odd2.example.com",
    "svc.example.com",
    "_443._tcp.www.example.com",
    "_http._tcp.example.com",
    "ssh.example.com",
    "unknown.example.com",
    "ttl0.example.com",
    "1.2.0.192.in-addr.arpa",
    "nosuch.example.com",
    "servfail.example.com",
    "refused.example.com",
    "timeout.example.com",
    "example.com.",
]


@pytest.mark.parametrize("method", ["query", "query_dns"])
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_aiodns_s(name, method, dns_server):
    async def ask_all(resolver):
        ask = getattr(resolver, method)
        outcomes = await asyncio.gather(*(outcome(lambda type=type: ask(name, type)) for type in TYPES))
        return tuple(outcomes)

    theirs, mine = by_both(dns_server, ask_all)
    for type, expected, found in zip(TYPES, theirs, mine, strict=True):
        assert found == expected, type


@pytest.mark.parametrize(
    "ask",
    [
        lambda resolver: resolver.query("example.com", "NOSUCH"),
        lambda resolver: resolver.query("example.com", "A", "NOSUCH"),
        lambda resolver: resolver.query_dns("example.com", "HTTPS"),
        lambda resolver: resolver.query_dns("version.bind", "TXT", "CHAOS"),
        lambda resolver: resolver.query("example.com", "A", qclass="IN"),
        lambda resolver: resolver.query("x" * 64 + ".example.com", "A"),
        lambda resolver: resolver.query_dns("a..example.com", "A"),
        lambda resolver: resolver.getaddrinfo("www.example.com"),
        lambda resolver: resolver.getaddrinfo("www.example.com", socket.AF_INET, 80, type=socket.SOCK_STREAM),
        lambda resolver: resolver.getaddrinfo("www.example.com", socket.AF_INET6, port=443, proto=6),
        lambda resolver: resolver.getaddrinfo("alias.example.com", socket.AF_INET),
        lambda resolver: resolver.getaddrinfo("www.example.com", socket.AF_INET, flags=socket.AI_ADDRCONFIG),
        lambda resolver: resolver.getaddrinfo("192.0.2.1", socket.AF_INET, 80),
        lambda resolver: resolver.getaddrinfo("nosuch.example.com"),
        lambda resolver: resolver.getaddrinfo("timeout.example.com"),
        lambda resolver: resolver.gethostbyname("www.example.com", socket.AF_INET),
        lambda resolver: resolver.gethostbyname("alias.example.com", socket.AF_INET),
        lambda resolver: resolver.gethostbyname("v6only.example.com", socket.AF_INET6),
        lambda resolver: resolver.gethostbyname("nosuch.example.com", socket.AF_INET),
        lambda resolver: resolver.gethostbyname("localhost", socket.AF_INET),
        lambda resolver: resolver.gethostbyaddr("192.0.2.10"),
        lambda resolver: resolver.gethostbyaddr("192.0.2.99"),
        lambda resolver: resolver.gethostbyaddr("127.0.0.1"),
        lambda resolver: resolver.gethostbyaddr("no address"),
        lambda resolver: resolver.getnameinfo(("192.0.2.10", 80)),
        lambda resolver: resolver.getnameinfo(
            ("192.0.2.10", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        ),
        lambda resolver: resolver.getnameinfo(("192.0.2.99", 80), pycares.ARES_NI_NAMEREQD),
        lambda resolver: resolver.getnameinfo(
            ("192.0.2.10", 80), pycares.ARES_NI_LOOKUPHOST | pycares.ARES_NI_LOOKUPSERVICE
        ),
        lambda resolver: resolver.getnameinfo(("192.0.2.10", 80), pycares.ARES_NI_NUMERICHOST),
    ],
)
def test_lookups_are_aiodns_s(ask, dns_server):
    expected, found = by_both(dns_server, ask)
    assert found == expected


def test_lookups_are_futures_of_the_loop(dns_server):
    async def main():
        loop = asyncio.get_running_loop()
        async with ours.DNSResolver([dns_server.address], loop) as resolver:
            assert resolver.loop is loop
            future = resolver.query("www.example.com", "A")
            assert asyncio.isfuture(future)
            assert future.get_loop() is loop
            assert [record.host for record in await future] == ["192.0.2.10"]

    run(pyuv.asyncio.new_event_loop, main())


def test_options_are_pycares_s(dns_server):
    options = set(inspect.signature(pycares.Channel.__init__).parameters) - {"self"}
    values = {
        "flags": pycares.ARES_FLAG_EDNS,
        "timeout": 1.0,
        "tries": 2,
        "ndots": 2,
        "tcp_port": 53,
        "udp_port": 53,
        "servers": [dns_server.address.encode()],
        "domains": [b"example.com"],
        "lookups": b"b",
        "sock_state_cb": print,
        "socket_send_buffer_size": 65536,
        "socket_receive_buffer_size": 65536,
        "rotate": True,
        "local_ip": b"127.0.0.1",
        "local_dev": None,
        "resolvconf_path": b"/dev/null",
    }
    assert set(values) == options

    async def main():
        async with ours.DNSResolver(**values) as resolver:
            assert resolver.nameservers == ["127.0.0.1"]
            assert (await resolver.query("www.example.com", "A"))[0].host == "192.0.2.10"
            resolver.nameservers = ["192.0.2.7", b"192.0.2.8:5353"]
            assert resolver.nameservers == ["192.0.2.7", "192.0.2.8"]

    run(pyuv.asyncio.new_event_loop, main())


def test_cancelling_a_resolver_and_closing_it(dns_server):
    async def main():
        resolver = ours.DNSResolver([dns_server.address])
        for end in ("cancel", "close"):
            futures = [resolver.query("timeout.example.com", "A") for _ in range(3)]
            futures.append(resolver.gethostbyname("timeout.example.com", socket.AF_INET))
            ended = getattr(resolver, end)()
            if ended is not None:
                await ended
            for result in await asyncio.gather(*futures, return_exceptions=True):
                assert isinstance(result, ours.error.DNSError)
                assert result.args == (ours.error.ARES_ECANCELLED, "DNS query cancelled")
        await resolver.close()
        for ask in (resolver.cancel, lambda: resolver.query("example.com", "A")):
            with pytest.raises(RuntimeError, match="Channel is destroyed"):
                ask()

    run(pyuv.asyncio.new_event_loop, main())


def test_a_future_that_is_cancelled_ends_its_query(udp_peer):
    async def main():
        resolver = ours.DNSResolver([udp_peer.address], timeout=0.03, tries=100)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await resolver.query("www.example.com", "A")
        first, second = (resolver.query("www.example.com", "A") for _ in range(2))
        first.cancel()
        await asyncio.sleep(0.05)
        assert not second.done()
        assert second.cancel()
        assert not second.cancel()
        while resolver._channel.active_queries:
            await asyncio.sleep(0.002)
        await resolver.close()

    run(pyuv.asyncio.new_event_loop, main())


def test_a_loop_that_is_closed_under_queries(dns_server):
    event_loop = pyuv.asyncio.new_event_loop()
    contexts = []
    event_loop.set_exception_handler(lambda loop, context: contexts.append(context))
    resolver = ours.DNSResolver([dns_server.address], loop=event_loop)
    future = resolver.query("timeout.example.com", "A")
    event_loop.run_until_complete(asyncio.sleep(0.02))
    event_loop.close()
    assert not future.done()
    with pytest.raises(RuntimeError, match="Channel is destroyed"):
        resolver.query("timeout.example.com", "A")
    assert contexts == []


def test_another_event_loop_is_refused():
    async def main():
        with pytest.raises(RuntimeError, match=r"needs an event loop of pyuv\.asyncio"):
            ours.DNSResolver()

    run(asyncio.SelectorEventLoop, main())


def test_it_needs_neither_aiodns_nor_pycares():
    code = """
import sys
sys.modules["aiodns"] = sys.modules["pycares"] = None
from pyuv.asyncio import aiodns
print(aiodns.error.ARES_ETIMEOUT)
"""
    assert in_child(code) == ["12"]


def test_aiohttp_takes_it_for_aiodns(dns_server):
    code = """
import sys
from pyuv.asyncio import aiodns
sys.modules["aiodns"] = aiodns
import aiohttp
import pyuv.asyncio

async def main():
    resolver = aiohttp.AsyncResolver(nameservers=[sys.argv[1]])
    for found in await resolver.resolve("www.example.com", 80):
        print(found["host"], found["port"])
    try:
        await resolver.resolve("nosuch.example.com", 80)
    except OSError as error:
        print(error)
    await resolver.close()

pyuv.asyncio.run(main())
"""
    lines = in_child(code, dns_server.address)
    assert lines == ["192.0.2.10 80", "[Errno None] Domain name not found"]
