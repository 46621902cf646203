"""`getaddrinfo` and `getnameinfo` of an event loop that asks c-ares, beside those of the C library."""

import asyncio
import itertools
import socket
from socket import AF_INET, AF_INET6, AF_UNSPEC, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, gaierror

import pytest
import pyuv.asyncio
from asyncioutil import Recorder, run
from glibclookup import glibc, outcome, plain
from pyuv.asyncio import dns
from pyuv.error import DNSError

from util import in_child, linux

NONE = 0
HOSTS = [
    "www.example.com",
    "alias.example.com",
    "chain1.example.com",
    "v6only.example.com",
    "two.example.com",
    "nosuch.example.com",
    "mail.example.com",
    "dangling.example.com",
    "long.txt.example.com",
    "servfail.example.com",
    "refused.example.com",
    "notimp.example.com",
    "formerr.example.com",
]
LITERALS = [
    None,
    "",
    "192.0.2.7",
    "127.1",
    "010.0.0.1",
    "0x7f.1",
    "::1",
    "2001:db8::7",
    "::ffff:192.0.2.9",
    "fe80::1%lo",
    "fe80::1%1",
    "fe80::1%nosuch",
    "fe80::1",
    b"192.0.2.7",
]
PORTS = [None, 0, 80, "80", "http", "domain", "nosuch", b"443"]
FAMILIES = [AF_UNSPEC, AF_INET, AF_INET6]
FLAGS = {
    "none": 0,
    "canonname": socket.AI_CANONNAME,
    "numerichost": socket.AI_NUMERICHOST,
    "numericserv": socket.AI_NUMERICSERV,
    "passive": socket.AI_PASSIVE,
    "addrconfig": socket.AI_ADDRCONFIG,
    "v4mapped": socket.AI_V4MAPPED,
    "all": socket.AI_V4MAPPED | socket.AI_ALL,
}


@pytest.fixture(scope="module")
def by_glibc(dns_server):
    """glibc, asking the server."""
    with glibc("127.0.0.1", dns_server.port) as process:
        yield process


@pytest.fixture(scope="module")
def by_c_ares(dns_server):
    """Asks an event loop of c-ares, which asks the server: `ask("getaddrinfo", host, port, ...)`."""
    with asyncio.Runner(loop_factory=lambda: pyuv.asyncio.new_event_loop(resolver="c-ares")) as runner:

        async def use_server():
            options = {"domains": (), "timeout": 0.3, "tries": 1}
            dns.set_resolver(dns.Resolver([dns_server.address], **options))

        async def awaited(function, arguments, keywords):
            try:
                return await function(*arguments, **keywords)
            except OSError as error:
                return type(error).__name__, error.errno, error.strerror

        def ask(name, *arguments, **keywords):
            function = getattr(runner.get_loop(), name)
            return plain(runner.run(awaited(function, arguments, keywords)))

        runner.run(use_server())
        yield ask


def in_one_order(result):
    """The addresses of a host may come in any order, and glibc names the first of them."""
    return result if isinstance(result, tuple) else sorted(result, key=lambda info: (info[4], info[:3]))


def names(result):
    return [] if isinstance(result, tuple) else [info[3] for info in result]


@linux
@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("host", HOSTS)
def test_names_are_what_glibc_says(host, family, flags, by_glibc, by_c_ares):
    arguments = {"family": family, "type": SOCK_STREAM, "proto": 0, "flags": flags}
    expected = by_glibc.ask("getaddrinfo", host, 80, **arguments)
    found = by_c_ares("getaddrinfo", host, 80, **arguments)
    assert names(found) == names(expected)
    without_names = [
        result if isinstance(result, tuple) else [(*info[:3], "", info[4]) for info in result]
        for result in (found, expected)
    ]
    assert in_one_order(without_names[0]) == in_one_order(without_names[1])


@linux
@pytest.mark.parametrize("family", FAMILIES)
def test_silence_is_what_glibc_says(family, by_glibc, by_c_ares):
    arguments = ("getaddrinfo", "timeout.example.com", 80, family)
    expected = by_glibc.ask(*arguments)
    assert expected[:2] == ("gaierror", socket.EAI_AGAIN)
    assert by_c_ares("getaddrinfo", "timeout.example.com", 80, family=family) == expected


@linux
@pytest.mark.parametrize(
    ("type", "proto"),
    [(NONE, NONE), (SOCK_STREAM, NONE), (SOCK_DGRAM, NONE), (SOCK_RAW, NONE), (NONE, socket.IPPROTO_TCP)],
)
@pytest.mark.parametrize("port", PORTS)
def test_services_and_types_are_what_glibc_says(port, type, proto, by_glibc, by_c_ares):
    arguments = {"type": type, "proto": proto}
    expected = by_glibc.ask("getaddrinfo", "www.example.com", port, **arguments)
    found = by_c_ares("getaddrinfo", "www.example.com", port, **arguments)
    assert in_one_order(found) == in_one_order(expected)


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("host", LITERALS, ids=str)
def test_addresses_are_what_the_system_says(host, flags, by_c_ares):
    for port, family, type in itertools.product(PORTS, [*FAMILIES, 99], [NONE, SOCK_STREAM, 99]):
        arguments = (host, port)
        keywords = {"family": family, "type": type, "flags": flags}
        expected = plain(outcome(socket.getaddrinfo, arguments, keywords))
        found = by_c_ares("getaddrinfo", *arguments, **keywords)
        assert found == expected, keywords


def test_localhost_is_this_machine_in_both_families(by_c_ares):
    """Without a server, and whatever the hosts file says of IPv6."""
    found = by_c_ares("getaddrinfo", "localhost", 80, type=SOCK_STREAM)
    assert sorted(info[4][0] for info in found) == ["127.0.0.1", "::1"]


def test_members_of_enumerations_are_what_the_standard_library_has(by_c_ares, dns_server):
    async def main():
        loop = asyncio.get_running_loop()
        dns.set_resolver(dns.Resolver([dns_server.address]))
        return await loop.getaddrinfo("www.example.com", 80, type=SOCK_STREAM)

    found = run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), main())
    assert {type(info[0]) for info in found} == {socket.AddressFamily}
    assert {type(info[1]) for info in found} == {socket.SocketKind}
    assert {type(info[2]) for info in found} == {int}


@pytest.mark.parametrize("host", ["x" * 64, "a..b", ".", "a\0b", 7, ("a",)])
def test_what_is_no_host_is_refused_as_by_the_standard_library(host, by_c_ares):
    def kind(ask):
        try:
            return type(ask()), ask()
        except Exception as error:
            return type(error), getattr(error, "errno", None)

    expected = kind(lambda: socket.getaddrinfo(host, 80))
    found = kind(lambda: by_c_ares("getaddrinfo", host, 80))
    if expected[0] is gaierror:
        assert found[1] == ("gaierror", socket.EAI_NONAME, "Name or service not known")
    else:
        assert found == expected


NAMED = {
    "ipv4": ("192.0.2.1", 80),
    "of no name": ("192.0.2.99", 80),
    "of no service": ("192.0.2.10", 7777),
    "ipv6": ("2001:db8::10", 80),
    "ipv6, all of it": ("2001:db8::10", 80, 0, 0),
    "loopback": ("127.0.0.1", 53),
    "no address": ("www.example.com", 80),
    "port": ("192.0.2.1", 70000),
}


@linux
@pytest.mark.parametrize(
    "flags",
    [
        0,
        socket.NI_NUMERICHOST,
        socket.NI_NUMERICSERV,
        socket.NI_NAMEREQD,
        socket.NI_DGRAM,
        socket.NI_NUMERICHOST | socket.NI_NUMERICSERV,
    ],
)
@pytest.mark.parametrize("address", NAMED.values(), ids=NAMED)
def test_names_of_addresses_are_what_glibc_says(address, flags, by_glibc, by_c_ares):
    expected = by_glibc.ask("getnameinfo", address, flags)
    assert by_c_ares("getnameinfo", address, flags) == expected


@pytest.mark.parametrize(
    "address", ["192.0.2.1", None, ("192.0.2.1",), ("192.0.2.1", "http"), ("", 80)], ids=str
)
def test_what_is_no_address_is_refused_as_by_the_standard_library(address, by_c_ares):
    with pytest.raises((TypeError, OSError)) as expected:
        socket.getnameinfo(address, 0)
    if isinstance(expected.value, OSError):
        assert by_c_ares("getnameinfo", address, 0)[:2] == (expected.type.__name__, expected.value.errno)
    else:
        with pytest.raises(expected.type):
            by_c_ares("getnameinfo", address, 0)


def test_an_address_that_nobody_knows_of_is_its_numbers(udp_peer):
    """c-ares does not tell silence about an address from an address without a name; glibc does."""

    async def main():
        options = {"timeout": 0.05, "tries": 1, "lookups": "b"}
        dns.set_resolver(dns.Resolver([udp_peer.address], **options))
        loop = asyncio.get_running_loop()
        assert await loop.getnameinfo(("192.0.2.1", 80), socket.NI_NUMERICSERV) == ("192.0.2.1", "80")
        with pytest.raises(gaierror) as caught:
            await loop.getnameinfo(("192.0.2.1", 80), socket.NI_NAMEREQD)
        assert caught.value.errno == socket.EAI_NONAME

    run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), main())


def test_a_scope_is_in_the_numbers(by_c_ares):
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    address = ("fe80::1", 80, 0, 1)
    assert by_c_ares("getnameinfo", address, numeric) == socket.getnameinfo(address, numeric)
    assert by_c_ares("getnameinfo", address, 0)[0] == socket.getnameinfo(address, numeric)[0]


def test_an_error_has_c_ares_s_as_its_cause(dns_server):
    async def main():
        dns.set_resolver(dns.Resolver([dns_server.address]))
        loop = asyncio.get_running_loop()
        with pytest.raises(gaierror) as caught:
            await loop.getaddrinfo("nosuch.example.com", 80)
        assert isinstance(caught.value.__cause__, DNSError)

    run(lambda: pyuv.asyncio.EventLoop(resolver="c-ares"), main())


def test_connects_and_servers_look_names_up_by_it(dns_server):
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recorder, "localhost", 0, family=AF_INET)
        port = server.sockets[0].getsockname()[1]
        transport, _ = await loop.create_connection(Recorder, "localhost", port, family=AF_INET)
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)
        transport.close()
        dns.set_resolver(dns.Resolver([dns_server.address]))
        with pytest.raises(gaierror):
            await loop.create_connection(Recorder, "nosuch.example.com", port)
        server.close()
        return loop._default_executor

    executor = run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), main())
    # No thread was asked.
    assert executor is None


def test_cancelling_ends_the_lookup(dns_server):
    async def main():
        resolver = dns.Resolver([dns_server.address])
        dns.set_resolver(resolver)
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await loop.getaddrinfo("timeout.example.com", 80)
        while resolver.active_queries:
            await asyncio.sleep(0.002)

    run(lambda: pyuv.asyncio.new_event_loop(resolver="c-ares"), main())


def test_by_default_the_system_is_asked():
    async def main():
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo("localhost", 80, family=AF_INET, type=SOCK_STREAM)
        name = await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
        assert loop._resolver is None
        return found, name, loop._default_executor

    found, name, executor = run(pyuv.asyncio.new_event_loop, main())
    assert (AF_INET, SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 80)) in found
    assert name == ("127.0.0.1", "80")
    assert executor is not None


def test_another_resolver_is_refused():
    with pytest.raises(ValueError, match="resolver is None or \"c-ares\", not 'bind'"):
        pyuv.asyncio.EventLoop(resolver="bind")


def test_a_loop_without_one_does_not_import_it():
    code = """
import sys
import pyuv.asyncio
pyuv.asyncio.new_event_loop().close()
print("pyuv._awaited.dns.addrinfo" in sys.modules)
pyuv.asyncio.new_event_loop(resolver="c-ares").close()
print("pyuv._awaited.dns.addrinfo" in sys.modules)
"""
    assert in_child(code) == ["False", "True"]
