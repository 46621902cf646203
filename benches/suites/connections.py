"""Connections that say nothing: what they cost a server in memory, and the active ones in time.

16 connections exchange messages of 64 B as in the echo suite, alone and among 10,000 that are open
and idle. "KiB each" is what the server's memory grew by for each idle connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Column, Limit, Sample, Settings

from suites import asyncio_echo, echo, loops

NAME = "connections"
TITLE = "Idle connections"
REFERENCE = "16 alone"
ACTIVE, IDLE, SIZE = 16, 10_000, 64
AMONG = f"16 among {IDLE:,} idle"


def kib_each(sample: Sample) -> float:
    return (sample.rss_kib[1] - sample.rss_kib[0]) / IDLE


COLUMNS = [
    Column("requests/s", lambda sample: sample.rate),
    Column("user µs/request", lambda sample: sample.user_us, 2),
    Column("KiB each", kib_each, 2),
]
STREAMS = {f"{client} streams": client for client in loops.CLIENTS}
MOST_KIB = {"pyuv": 0.6, "pyuv.asyncio protocol": 0.85, "pyuv.asyncio streams": 4.2}


def limits() -> Iterator[Limit]:
    for server, most in MOST_KIB.items():
        yield Limit(
            f"{server}: KiB of memory for an idle connection",
            server,
            lambda sample, _: kib_each(sample),
            at_most=most,
            client=AMONG,
        )
        yield Limit(
            f"{server}: user CPU per request among idle connections, of alone",
            server,
            echo.user_of_reference,
            at_most=1.1,
            client=AMONG,
            of_all=True,
        )


LIMITS = list(limits())


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    loads = ((REFERENCE, 0), (AMONG, IDLE))
    yield [
        *(
            Cell(
                server,
                client,
                echo.command(settings, server, "tcp", SIZE, ACTIVE, idle),
                peer=echo.is_peer(server),
            )
            for server in echo.SERVERS
            for client, idle in loads
        ),
        *(
            Cell(
                server,
                client,
                asyncio_echo.command(settings, loop, "streams", "tcp", SIZE, ACTIVE, idle),
                peer=loop != loops.OURS,
            )
            for server, loop in STREAMS.items()
            for client, idle in loads
        ),
    ]
