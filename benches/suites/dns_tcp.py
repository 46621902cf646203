"""The dns suite over TCP: one connection that stays open.

dnspython connects anew for each query, which is what its resolver does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Limit, Settings

from suites import dns

NAME = "dns_tcp"
TITLE = "DNS over TCP"
REFERENCE = dns.REFERENCE
COLUMNS = dns.COLUMNS
LIMITS: list[Limit] = []


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    with dns.serving() as server:
        yield [*dns.by_load(settings, server, "--tcp", 1)]
