"""pyuv.twisted: the resolver on the raw channel."""

import socket
import time

import pytest
import pyuv
from pyuv.twisted import Resolver
from reactors import a_reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostnameResolver, IResolver
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSQueryTimeoutError, ResolverError
from zope.interface.verify import verifyObject


@pytest.fixture
def reactor():
    with a_reactor() as reactor:
        yield reactor


def result(reactor, deferred, seconds=20):
    """What a deferred comes to."""
    outcome = []
    deferred.addBoth(outcome.append)
    deadline = time.monotonic() + seconds
    while not outcome:
        assert time.monotonic() < deadline
        reactor.runUntilCurrent()
        reactor.doIteration(min(0.5, 0.5 if reactor.timeout() is None else reactor.timeout()))
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


class Receiver:
    """Keeps what ``resolveHostName`` tells."""

    def __init__(self):
        self.addresses, self.told = [], []

    def resolutionBegan(self, resolution):
        self.told.append(resolution.name)

    def addressResolved(self, address):
        self.addresses.append(address)

    def resolutionComplete(self):
        self.told.append("complete")


def resolve(reactor, resolver, *arguments, **options):
    receiver = Receiver()
    resolver.resolveHostName(receiver, *arguments, **options)
    deadline = time.monotonic() + 20
    while len(receiver.told) < 2:
        assert time.monotonic() < deadline
        reactor.runUntilCurrent()
        reactor.doIteration(0.1)
    assert receiver.told == [arguments[0], "complete"]
    return receiver.addresses


def test_its_interfaces(reactor, dns_server):
    resolver = Resolver(reactor, servers=[dns_server.address])
    assert verifyObject(IResolver, resolver)
    assert verifyObject(IHostnameResolver, resolver)
    with pytest.raises(TypeError, match="a reactor of pyuv's"):
        Resolver(object())


@pytest.mark.parametrize("kind", ["A", "AAAA", "MX", "TXT", "NS", "SOA"])
def test_records_are_those_of_the_channel(reactor, dns_server, make_channel, loop, kind):
    resolver = Resolver(reactor, servers=[dns_server.address])
    number = {name: code for code, name in dns.QUERY_TYPES.items()}[kind]
    answers, authority, additional = result(reactor, resolver.query(dns.Query(b"example.com", number)))
    told = []
    make_channel().query("example.com", kind, lambda message, error: told.append(message))
    loop.run()
    wire = dns.Message()
    wire.fromStr(told[0].to_bytes())
    assert sorted(map(repr, answers)) == sorted(map(repr, wire.answers)) != []
    assert all(answer.type == number for answer in answers)
    assert isinstance(authority, list)
    assert isinstance(additional, list)


def test_methods_by_type(reactor, dns_server):
    resolver = Resolver(reactor, servers=[dns_server.address])
    for method in (resolver.lookupAddress, resolver.lookupIPV6Address, resolver.lookupText):
        name = b"example.com" if method == resolver.lookupText else b"www.example.com"
        answers, _, _ = result(reactor, method(name))
        assert answers[0].payload is not None


def test_many_at_once(reactor, dns_server):
    resolver = Resolver(reactor, servers=[dns_server.address])
    asked = [resolver.lookupAddress(b"www.example.com") for _ in range(200)]
    assert all(result(reactor, one)[0] for one in asked)


def test_errors_are_those_of_twisted(reactor, dns_server, udp_peer):
    resolver = Resolver(reactor, servers=[dns_server.address])
    with pytest.raises(DNSNameError):
        result(reactor, resolver.lookupAddress(b"no.example.com"))
    with pytest.raises(DNSLookupError, match=r"no\.example\.com"):
        result(reactor, resolver.getHostByName("no.example.com"))
    silent = Resolver(reactor, servers=[udp_peer.address])
    begin = time.monotonic()
    with pytest.raises(DNSQueryTimeoutError):
        result(reactor, silent.lookupAddress(b"www.example.com", timeout=(0.05, 0.05)))
    assert 0.09 < time.monotonic() - begin < 10
    asked = silent.lookupAddress(b"www.example.com")
    silent.channel.close()
    with pytest.raises(ResolverError):
        result(reactor, asked)
    with pytest.raises(pyuv.error.HandleClosedError):
        result(reactor, silent.lookupAddress(b"www.example.com"))


def test_one_that_is_cancelled_is_told_of_nothing(reactor, dns_server):
    from twisted.internet.defer import CancelledError

    resolver = Resolver(reactor, servers=[dns_server.address])
    asked = resolver.lookupAddress(b"www.example.com")
    asked.cancel()
    with pytest.raises(CancelledError):
        result(reactor, asked)
    assert result(reactor, resolver.lookupAddress(b"www.example.com"))[0]


def test_host_names(reactor, dns_server, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.55 in-the-file\n")
    resolver = Resolver(reactor, servers=[dns_server.address], hosts_path=hosts)
    assert result(reactor, resolver.getHostByName("in-the-file")) == "192.0.2.55"
    assert result(reactor, resolver.getHostByName(b"in-the-file", timeout=(5,))) == "192.0.2.55"
    assert resolve(reactor, resolver, "in-the-file", 80) == [IPv4Address("TCP", "192.0.2.55", 80)]
    both = resolve(reactor, resolver, "www.example.com", 443)
    assert {type(address) for address in both} == {IPv4Address, IPv6Address}
    assert {address.port for address in both} == {443}
    only = resolve(reactor, resolver, "www.example.com", 53, [IPv6Address], "UDP")
    assert {(type(address), address.type) for address in only} == {(IPv6Address, "UDP")}
    assert resolve(reactor, resolver, "no.example.com") == []
    assert resolve(reactor, resolver, "127.0.0.1", 1) == [IPv4Address("TCP", "127.0.0.1", 1)]


def test_a_resolution_that_is_cancelled_reports_nothing(reactor, dns_server):
    resolver, receiver = Resolver(reactor, servers=[dns_server.address]), Receiver()
    resolver.resolveHostName(receiver, "www.example.com").cancel()
    result(reactor, resolver.lookupAddress(b"www.example.com"))
    reactor.iterate(0.05)
    assert (receiver.addresses, receiver.told) == ([], ["www.example.com"])


def test_the_reactor_connects_by_it(reactor, dns_server):
    from twisted.internet import endpoints, protocol

    listener = socket.create_server(("127.0.0.1", 0))
    resolver = Resolver(reactor, servers=[dns_server.address])
    resolver.install()
    asked = []
    lookup = resolver.resolveHostName
    resolver.resolveHostName = lambda *arguments, **options: (
        asked.append(arguments[1]),
        lookup(*arguments, **options),
    )[1]
    endpoint = endpoints.HostnameEndpoint(reactor, "localhost", listener.getsockname()[1], timeout=5)
    made = result(reactor, endpoint.connect(protocol.Factory.forProtocol(protocol.Protocol)))
    assert asked == ["localhost"]
    made.transport.abortConnection()
    reactor.iterate()
    listener.close()
