"""Lookups that the zones of fixtures/zones answer, for all that asks a channel."""

import socket

from pyuv import dns

LOOKUPS = {
    "query": ("www.example.com", "A"),
    "search": ("www", "A"),
    "getaddrinfo": ("www.example.com", 80),
    "getnameinfo": (("192.0.2.1", 80), dns.ARES_NI_LOOKUPHOST | dns.ARES_NI_LOOKUPSERVICE),
    "gethostbyname": ("www.example.com", socket.AF_INET),
    "gethostbyaddr": ("192.0.2.1",),
}
"""Arguments by method. `search` is for channels with the search domain example.com."""


def assert_same(found, expected):
    """Compares what two lookups gave."""
    assert type(found) is type(expected)
    # A message has a number of its own.
    if isinstance(found, dns.Message):
        assert found.answer == expected.answer
    else:
        assert found == expected
