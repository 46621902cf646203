"""A queries over UDP to an authoritative server (knot) on loopback, in a closed loop.

The server has one core to itself, the client the other. 100,000 names are asked for in turn, each
answer read (the address of its first record) and followed by the next name. Nothing comes from a
cache: the zone's TTL is 0, which c-ares does not keep. The reference is c-ares in C on epoll, the
very sources that pyuv links. "pycares" runs on the caller's own epoll loop, one thread; "pycares,
event thread" as the package comes. dnsperf is a load generator, not a client: it keeps no timeouts to
speak of, sends in one thread, receives in another, and looks at the header of an answer.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import debian
from harness import nameserver
from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Sample, Settings

NAME = "dns"
TITLE = "DNS over UDP"
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


def share(sample: Sample, reference: Sample) -> float:
    return sample.rate / reference.rate


LIMITS = [
    Limit("queries/s at 100 in flight, of c-ares in C", case(100), share, at_least=0.85),
    Limit("queries/s at 100 in flight, of pycares", case(100), share, at_least=2.2, against="pycares"),
    Limit(
        "user µs a query at 100 in flight",
        case(100),
        lambda sample, reference: sample.user_us,
        at_most=9,
        digits=1,
    ),
    Limit("queries/s at 1 in flight, of c-ares in C", case(1), share, at_least=0.8),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    with serving() as server:
        yield [*by_load(settings, server)]


def by_load(settings: Settings, server: str, *how: object) -> Iterator[Cell]:
    """Every client at every number in flight."""
    for in_flight in IN_FLIGHT:
        yield from clients(settings, server, case(in_flight), in_flight, settings.timing, *how)
        yield from generator(settings, server, case(in_flight), in_flight, *how)


@contextmanager
def serving() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="pyuv-bench-") as folder,
        nameserver.running(Path(folder), NAMES, two_cores()[1]) as server,
    ):
        yield server


def clients(
    settings: Settings,
    server: str,
    case: str,
    in_flight: int,
    length: tuple[str, ...],
    *how: object,
    names: int = NAMES,
) -> Iterator[Cell]:
    """A cell for each client; `how` are options that all of their programs take."""
    core, _ = two_cores()
    arguments = (*arguments_of(server, in_flight, length, names), *how)
    yield Cell(case, REFERENCE, settings.reference("dns", *arguments), core)
    for client, which in CLIENTS.items():
        command = settings.program("dns_queries", *which, *arguments)
        yield Cell(case, client, command, core, peer=client != "pyuv")


def arguments_of(
    server: str, in_flight: int, length: tuple[str, ...], names: int = NAMES
) -> tuple[object, ...]:
    """What a program is told that asks this server."""
    asked = ("--server", server, "--names", names, "--zone", nameserver.ZONE)
    return (*asked, "--in-flight", in_flight, *length)


def generator(settings: Settings, server: str, case: str, in_flight: int, *how: object) -> Iterator[Cell]:
    """The cell of dnsperf."""
    if settings.peers:
        core, _ = two_cores()
        program = debian.program("dnsperf", "dnsperf")
        asked = ("--program", program, "--server", server, "--names", NAMES, "--zone", nameserver.ZONE)
        arguments = (*asked, "--in-flight", in_flight, *settings.timing, *how)
        yield Cell(case, "dnsperf", settings.program("dnsperf", *arguments), core, peer=True)
