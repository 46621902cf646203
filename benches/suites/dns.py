"""A queries to an authoritative server (knot) on loopback, in a closed loop.

The server has one core to itself, the client the other. 100,000 names are asked for in turn, each
answer read (the address of its first record) and followed by the next name. Nothing comes from a
cache: the zone's TTL is 0, which c-ares does not keep. The reference is c-ares in C on epoll, the
very sources that pyuv links. "pycares" runs on the caller's own epoll loop, one thread; "pycares,
event thread" as the package comes.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import nameserver
from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Sample, Settings

NAME = "dns"
TITLE = "DNS"
REFERENCE = "c-ares in C"
COLUMNS = [
    Column("queries/s", lambda sample: sample.rate),
    Column("user µs/query", lambda sample: sample.user_us, 1),
    Column("system µs/query", lambda sample: sample.system_us, 1),
    Column("errors", lambda sample: sample.errors),
]

NAMES = 100_000
IN_FLIGHT = (1, 10, 100, 1000)

CLIENTS = {
    "pyuv": ("--client", "pyuv"),
    "pycares": ("--client", "pycares"),
    "pycares, event thread": ("--client", "pycares-thread"),
    "aiodns": ("--client", "aiodns"),
    "aiodns on uvloop": ("--client", "aiodns", "--loop", "uvloop"),
    "dnspython": ("--client", "dnspython"),
}


def case(in_flight: int) -> str:
    return f"{in_flight:,} in flight"


LIMITS = [
    Limit(
        "queries/s at 100 in flight, of c-ares in C",
        case(100),
        lambda sample, reference: sample.rate / reference.rate,
        at_least=0.67,
    ),
    Limit(
        "user µs a query at 100 in flight",
        case(100),
        lambda sample, reference: sample.user_us,
        at_most=12,
        digits=1,
    ),
]


def rate(sample: Sample) -> float:
    return sample.rate


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    with serving() as server:
        yield [
            cell
            for in_flight in IN_FLIGHT
            for cell in clients(settings, server, case(in_flight), in_flight, settings.timing)
        ]


@contextmanager
def serving() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="pyuv-bench-") as folder,
        nameserver.running(Path(folder), NAMES, two_cores()[1]) as server,
    ):
        yield server


def clients(
    settings: Settings, server: str, case: str, in_flight: int, length: tuple[str, ...]
) -> Iterator[Cell]:
    core, _ = two_cores()
    asked = ("--server", server, "--names", NAMES, "--zone", nameserver.ZONE)
    arguments = (*asked, "--in-flight", in_flight, *length)
    yield Cell(case, REFERENCE, settings.reference("dns", *arguments), core)
    for client, which in CLIENTS.items():
        command = settings.program("dns_queries", *which, *arguments)
        yield Cell(case, client, command, core, peer=client != "pyuv")
