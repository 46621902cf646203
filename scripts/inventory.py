"""The list of all tests, tests/inventory.txt: what is not run as listed there is a failure.

A line is a test's id; one that may be skipped goes on, after tabs, with where and why:

    tests/test_timer.py::test_repeat
    tests/test_fs.py::test_chown<TAB>3.11 3.12<TAB>needs root
    cargo pyuv: timer::tests::repeats

"Where" names Pythons, or `cargo`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outcomes import Outcomes

CARGO = "cargo"


@dataclass(frozen=True)
class Entry:
    """One line of the inventory."""

    name: str
    skips_on: frozenset[str] = field(default_factory=frozenset)
    reason: str = ""


def load(path: Path) -> list[Entry]:
    entries = []
    for line in path.read_text().splitlines():
        name, _, rest = line.partition("\t")
        where, _, reason = rest.partition("\t")
        entries.append(Entry(name, frozenset(where.split()), reason))
    return entries


def dump(entries: list[Entry], path: Path) -> None:
    lines = []
    for entry in sorted(entries, key=lambda entry: entry.name):
        fields = [entry.name]
        if entry.skips_on:
            fields += [" ".join(sorted(entry.skips_on)), entry.reason]
        lines.append("\t".join(fields) + "\n")
    path.write_text("".join(lines))


def record(runs: Mapping[str, Outcomes]) -> list[Entry]:
    """The inventory of what ran; `runs` is keyed by Python version, and by `cargo`."""
    skips: dict[str, set[str]] = {}
    reasons: dict[str, str] = {}
    for where, outcomes in runs.items():
        for name, outcome in outcomes.items():
            skips.setdefault(name, set())
            if outcome.kind == "skipped":
                skips[name].add(where)
                reasons[name] = " ".join(outcome.reason.split())
    return [Entry(name, frozenset(where), reasons.get(name, "")) for name, where in skips.items()]


def differences(entries: list[Entry], where: str, outcomes: Outcomes) -> Iterator[str]:
    """A line for each test that vanished, newly skips or is not listed yet, in the run `where`."""
    expected = {entry.name: entry for entry in entries if _belongs(entry.name, where)}
    for name in sorted(expected.keys() - outcomes.keys()):
        yield f"did not run: {name}"
    for name in sorted(outcomes.keys() - expected.keys()):
        yield f"not in the inventory: {name}"
    for name in sorted(expected.keys() & outcomes.keys()):
        if outcomes[name].kind == "skipped" and where not in expected[name].skips_on:
            yield f"newly skipped: {name} ({outcomes[name].reason})"


def _belongs(name: str, where: str) -> bool:
    return name.startswith(f"{CARGO} ") == (where == CARGO)
