"""Fixtures: a name server, and channels that ask it."""

import contextlib
import socket

import pytest
import pyuv
from dnsserver import DNSServer


@pytest.fixture(scope="session")
def dns_server():
    """A name server with the zones of fixtures/zones."""
    with DNSServer() as server:
        yield server


@pytest.fixture
def make_channel(loop, dns_server):
    """Makes channels that ask the server, and closes them after the test."""
    channels = []

    def make(**options):
        channel = pyuv.dns.Channel(loop, **{"servers": [dns_server.address]} | options)
        channels.append(channel)
        return channel

    yield make
    for channel in channels:
        if not loop.closed and not channel.closed:
            channel.close()


@pytest.fixture
def channel(make_channel):
    """A channel that asks the server."""
    return make_channel()


class UDPPeer:
    """A bound socket on loopback that never answers by itself."""

    def __init__(self, peer):
        self.socket = peer
        self.address = f"127.0.0.1:{peer.getsockname()[1]}"

    def receive(self):
        """The next query, as it came."""
        return self.socket.recv(65536)

    def drain(self):
        """The queries that have come and were not looked at."""
        queries = []
        timeout = self.socket.gettimeout()
        self.socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                queries.append(self.socket.recv(65536))
        self.socket.settimeout(timeout)
        return queries


@pytest.fixture
def udp_peer():
    """A name server that never answers, and shows what it was asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        yield UDPPeer(peer)
