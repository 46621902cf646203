"""A million names from a file, each asked for once, lines of JSON to another: what `python -m pyuv.dns
--file` does, from its start to its end.

The reference does the same in C: it reads the names through stdio, has c-ares ask for so many at a time,
and writes the same lines. Client and server (knot) have a core each; all names are different, and none
comes from a cache. The most memory is the peak of the process, as the system counted it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import nameserver
from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Sample, Settings

NAME = "dns_bulk"
TITLE = "A million names from a file to a file"
REFERENCE = "c-ares in C"

NAMES = 1_000_000
IN_FLIGHT = 200


def case() -> str:
    return f"{NAMES:,} names, {IN_FLIGHT} in flight"


def peak_mib(sample: Sample) -> float:
    return sample.rss_kib[0] / 1024


COLUMNS = [
    Column("names/s", lambda sample: sample.rate),
    Column("user µs/name", lambda sample: sample.user_us, 1),
    Column("system µs/name", lambda sample: sample.system_us, 1),
    Column("peak RSS, MiB", peak_mib, 1),
    Column("errors", lambda sample: sample.errors),
]
LIMITS = [
    Limit(
        "names/s, of the same in C",
        case(),
        lambda sample, reference: sample.rate / reference.rate,
        at_least=0.8,
    ),
    Limit("peak RSS, MiB", case(), lambda sample, _: peak_mib(sample), at_most=100, digits=1),
]


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    core, other = two_cores()
    with (
        tempfile.TemporaryDirectory(prefix="pyuv-bench-") as place,
        nameserver.running(Path(place), 0, other) as server,
    ):
        folder = Path(place)
        names, out = folder / "names.txt", folder / "results.jsonl"
        with names.open("w") as file:
            file.writelines(f"n{number}.{nameserver.WILD}\n" for number in range(NAMES))
        in_c = settings.reference(
            "dns_bulk", "--server", server, "--names", names, "--out", out, "--in-flight", IN_FLIGHT
        )
        tool = (settings.python, "-m", "pyuv.dns", f"@{server}", "--file", str(names), "--out", str(out))
        options = ("--concurrency", str(IN_FLIGHT), "--quiet")
        clients = {REFERENCE: ("c-ares", in_c), "pyuv": ("pyuv", (*tool, *options))}
        yield [
            Cell(case(), client, measured(settings, out, version, command), core)
            for client, (version, command) in clients.items()
        ]


def measured(settings: Settings, out: Path, version: str, command: tuple[str, ...]) -> tuple[str, ...]:
    counted = ("--lines", out, "--wanted", '"status":"NOERROR"', "--version", version)
    return (*settings.program("command", *counted), "--", *command)
