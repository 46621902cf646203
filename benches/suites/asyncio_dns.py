"""A queries that tasks await, over UDP to an authoritative server (knot) on loopback.

As the suite `dns` has it: the server has one core, the client the other. Each of so many tasks asks for a
name, reads the address of the first record and asks for the next; nothing comes from a cache. The reference
is aiodns on asyncio's loop, whose channel has a thread of its own. "pyuv.asyncio.aiodns" is its interface
here; "pyuv, callbacks" is the channel below, without asyncio.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Settings, ratio

from suites.dns import NAMES, arguments_of, serving

NAME = "asyncio_dns"
TITLE = "asyncio: DNS over UDP, awaited"
REFERENCE = "aiodns"
OURS = "pyuv.asyncio"
COLUMNS = [
    Column("queries/s", lambda sample: sample.rate),
    Column("user µs/query", lambda sample: sample.user_us, 1),
    Column("system µs/query", lambda sample: sample.system_us, 1),
    Column("errors", lambda sample: sample.errors),
]

IN_FLIGHT = (1, 10, 100, 1000)

CLIENTS = {
    REFERENCE: ("--client", "aiodns"),
    OURS: ("--client", "pyuv.asyncio", "--loop", "pyuv.asyncio"),
    "pyuv.asyncio.aiodns": ("--client", "pyuv.asyncio.aiodns", "--loop", "pyuv.asyncio"),
    "pyuv, callbacks": ("--client", "pyuv"),
    "aiodns on pyuv.asyncio": ("--client", "aiodns", "--loop", "pyuv.asyncio"),
    "aiodns on uvloop": ("--client", "aiodns", "--loop", "uvloop"),
    "dnspython": ("--client", "dnspython"),
}
PEERS = {"aiodns on uvloop", "dnspython"}


def case(in_flight: int) -> str:
    return f"{in_flight:,} in flight"


# One in flight waits for the kernel most of the time, with any client.
LIMITS = [
    Limit(f"queries/s at {case(in_flight)}, of aiodns", case(in_flight), ratio, at_least=2.5, client=OURS)
    for in_flight in (100, 1000)
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    core, _ = two_cores()
    with serving() as server:
        yield [
            Cell(
                case(in_flight),
                client,
                settings.program(
                    "dns_queries", *how, *arguments_of(server, in_flight, settings.timing, NAMES)
                ),
                core,
                peer=client in PEERS,
            )
            for in_flight in IN_FLIGHT
            for client, how in CLIENTS.items()
        ]
