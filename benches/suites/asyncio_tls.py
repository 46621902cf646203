"""TLS on asyncio event loops: both ends of 16 connections on one loop, TLS 1.3 by OpenSSL, on one core.

A message goes and comes back, by protocols or by streams; a handshake is a whole connection. aiofastnet takes
the place of a loop's own transports and TLS. rloop has no TLS.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model import Cell, Column, Limit, Settings, ratio

from suites import echo, loops

NAME = "asyncio_tls"
TITLE = "asyncio: TLS"
REFERENCE = loops.REFERENCE
COLUMNS = [
    Column("operations/s", lambda sample: sample.rate),
    Column("user µs", lambda sample: sample.user_us, 2),
    Column("system µs", lambda sample: sample.system_us, 2),
]

CASES = {
    f"{title}, {size}": f"{kind}-{name}"
    for kind, title in {"protocols": "protocol", "streams": "streams"}.items()
    for name, size in {"64": "64 B", "16k": "16 KiB", "100k": "100 KiB"}.items()
} | {"a handshake": "handshakes"}


def limits() -> Iterator[Limit]:
    for where in CASES:
        yield from loops.of_each_peer(where, "operations/s", ratio, at_least=1)
        yield Limit(
            f"{where}: user CPU, of uvloop",
            where,
            echo.user_of_reference,
            at_most=0.8,
            client=loops.OURS,
            against="uvloop",
            of_all=True,
        )


LIMITS = list(limits())


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    clients = [client for client in loops.CLIENTS if client != "rloop"]
    yield loops.pinned(settings, "asyncio_tls", CASES, clients)
