"""The knot of tests/nameservers.py as the authoritative server, on one core, with a zone of numbers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nameservers import Knot

from harness.machine import on_core

ZONE = "bench.test"
WILD = f"wild.{ZONE}"
"""Every name right below it has an address."""
CACHED, CACHED_NAMES = "c", 100
"""Names that may be kept for an hour: c0, c1, ..., so many."""

# TTL 0 switches caching off for every client alike: c-ares keeps no such record, and pycares has no
# option that turns the cache off.
ZONE_HEAD = f"""\
$ORIGIN {ZONE}.
$TTL 0
@ SOA ns.{ZONE}. nobody.{ZONE}. 1 3600 600 86400 0
@ NS ns.{ZONE}.
ns A 127.0.0.1
*.wild A 192.0.2.1
"""


@contextmanager
def running(folder: Path, names: int, core: int | None) -> Iterator[str]:
    """Serves `names` addresses n0, n1, ... of ZONE, those that may be kept, and the wildcard.

    Gives "127.0.0.1:PORT".
    """
    write_zone(folder / "zone", names)
    with ExitStack() as stack:
        with on_core(core):
            server = stack.enter_context(Knot({ZONE: folder / "zone"}))
        yield server.address


def write_zone(path: Path, names: int) -> None:
    with open(path, "w") as zone:
        zone.write(ZONE_HEAD)
        for number in range(names):
            address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            zone.write(f"n{number} A {address}\n")
            if number < CACHED_NAMES:
                zone.write(f"{CACHED}{number} 3600 A {address}\n")
