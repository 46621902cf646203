"""A million queries from one channel: does memory stay flat?

As in the dns suite, 100 in flight; the resident size is read after each tenth of the run.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Column, Limit, Sample, Settings

from suites import dns

NAME = "memory"
TITLE = "Memory over a million queries"
REFERENCE = dns.REFERENCE
QUERIES = 1_000_000
CASE = f"{QUERIES:,} queries, 100 in flight"

SLOW = "dnspython"
"""Would take minutes for its million."""


def growth_mib(sample: Sample) -> float:
    """Between the second and the last tenth: the first may fill pools."""
    return (sample.rss_kib[9] - sample.rss_kib[1]) / 1024


COLUMNS = [
    Column("RSS after the 2nd tenth, MiB", lambda sample: sample.rss_kib[1] / 1024, 2),
    Column("after the last, MiB", lambda sample: sample.rss_kib[9] / 1024, 2),
    Column("growth, MiB", growth_mib, 2),
    Column("queries/s", lambda sample: sample.rate),
]
LIMITS = [Limit("growth over a million queries, MiB", CASE, lambda sample, _: growth_mib(sample), at_most=1)]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    length = ("--operations", str(QUERIES))
    with dns.serving() as server:
        chosen = dns.clients(settings, server, CASE, 100, length)
        yield [cell for cell in chosen if cell.client != SLOW]
