"""Fixtures: a name server, and channels that ask it."""

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
