"""Two kinds of answer that differ from the dns suite's: names that do not exist, and answers from the cache.

A name that does not exist is NXDOMAIN with the zone's SOA record, which nobody may keep here. From the
cache, the same 100 names are asked for again and again: c-ares keeps them (pycares and aiodns cannot be
told not to), dnspython has its LRUCache; after the warm-up the server hears nothing any more. c-ares in C
answers from inside the call that asks; pyuv never does, so that is a turn of the loop each, shared by
as many as are in flight.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness import nameserver
from harness.model import Cell, Limit, Sample, Settings

from suites import dns

NAME = "dns_answers"
TITLE = "DNS: no such name, and the cache"
REFERENCE = dns.REFERENCE
COLUMNS = dns.COLUMNS

IN_FLIGHT = 100
MISSING = f"no such name, {IN_FLIGHT} in flight"


def cached(in_flight: int) -> str:
    return f"cached, {in_flight} in flight"


def microseconds(sample: Sample, reference: Sample) -> float:
    return 1e6 / sample.rate


LIMITS = [Limit("µs for a cached answer", cached(IN_FLIGHT), microseconds, at_most=2)]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    asked = (settings.timing, "--prefix", "x", "--missing", 1)
    kept = (settings.timing, "--prefix", nameserver.CACHED, "--cache", 3600)
    with dns.serving() as server:
        yield [
            *dns.clients(settings, server, MISSING, IN_FLIGHT, *asked),
            *dns.generator(settings, server, MISSING, IN_FLIGHT, "--prefix", "x"),
            *dns.clients(settings, server, cached(1), 1, *kept, names=nameserver.CACHED_NAMES),
            *dns.clients(
                settings, server, cached(IN_FLIGHT), IN_FLIGHT, *kept, names=nameserver.CACHED_NAMES
            ),
        ]
