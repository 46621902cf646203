"""The inventory of tests, tests/inventory.txt: what does not run as recorded there is a failure.

A group, a file of pytest's or a module of a Rust crate's, is a line with how many tests it has and a hash of
their names; a test that may be skipped is a line with where and why. Fields stand between tabs:

    tests/test_timer.py<TAB>41<TAB>9f86d081
    cargo pyuv: timer<TAB>12<TAB>2c26b46b
    skip<TAB>tests/test_fs.py::test_chown<TAB>3.11 3.12<TAB>needs root

"Where" names Pythons, with `programs-` before them for what is in tests/programs, or `cargo`. A file that
skips itself as a whole is a skip of the file's name, and its group is what other Pythons run of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from outcomes import Outcomes

CARGO = "cargo"
PROGRAMS = "programs-"
SKIP = "skip"
# What the tests of real programs are named after; the ordinary run does not collect them.
PROGRAMS_FOLDER = "tests/programs/"


@dataclass(frozen=True)
class Group:
    """The tests of one file or module: how many, and a hash of their sorted names."""

    count: int
    hash: str

    @staticmethod
    def of(names: Iterable[str]) -> Group:
        ordered = sorted(names)
        return Group(len(ordered), hashlib.sha256("\n".join(ordered).encode()).hexdigest()[:8])


@dataclass(frozen=True)
class Skip:
    """Where a test may be skipped, and why."""

    places: frozenset[str]
    reason: str


@dataclass
class Inventory:
    groups: dict[str, Group] = field(default_factory=dict)
    skips: dict[str, Skip] = field(default_factory=dict)


class Runner(Enum):
    """What runs a test; each has an inventory of its own."""

    CARGO = auto()
    PYTEST = auto()
    PROGRAMS = auto()

    @staticmethod
    def of_place(where: str) -> Runner:
        if where == CARGO:
            return Runner.CARGO
        return Runner.PROGRAMS if where.startswith(PROGRAMS) else Runner.PYTEST

    @staticmethod
    def of_test(name: str) -> Runner:
        if _is_cargo(name):
            return Runner.CARGO
        return Runner.PROGRAMS if name.startswith(PROGRAMS_FOLDER) else Runner.PYTEST


def load(path: Path) -> Inventory:
    inventory = Inventory()
    for line in path.read_text().splitlines():
        match line.split("\t"):
            case [kind, name, places, reason] if kind == SKIP:
                inventory.skips[name] = Skip(frozenset(places.split()), reason)
            case [name, count, digest]:
                inventory.groups[name] = Group(int(count), digest)
            case _:
                raise ValueError(f"{path.name}: not a line of the inventory: {line!r}")
    return inventory


def dump(inventory: Inventory, path: Path) -> None:
    lines = [f"{name}\t{group.count}\t{group.hash}" for name, group in sorted(inventory.groups.items())]
    lines += [
        f"{SKIP}\t{name}\t{' '.join(sorted(skip.places))}\t{skip.reason}"
        for name, skip in sorted(inventory.skips.items())
    ]
    path.write_text("".join(f"{line}\n" for line in lines))


def record(runs: Mapping[str, Outcomes], before: Inventory) -> Inventory:
    """The inventory `before`, brought up to date with what ran; `runs` is keyed by Python version, and by
    `cargo`. What no run was about stays as it was."""
    recorded = Inventory()
    for kind in Runner:
        chosen = [run for where, run in runs.items() if Runner.of_place(where) is kind]
        names = {name for run in chosen for name in run.keys() - _skipped_files(run)}
        groups = {name: Group.of(tests) for name, tests in _grouped(names).items()}
        kept = {name: group for name, group in before.groups.items() if Runner.of_test(name) is kind}
        recorded.groups |= groups or kept
    places: dict[str, set[str]] = {
        name: set(skip.places - runs.keys()) for name, skip in before.skips.items()
    }
    reasons = {name: skip.reason for name, skip in before.skips.items()}
    for where, run in runs.items():
        for name, outcome in run.items():
            if outcome.kind == "skipped":
                places.setdefault(name, set()).add(where)
                reasons[name] = " ".join(outcome.reason.split())
    recorded.skips = {name: Skip(frozenset(where), reasons[name]) for name, where in places.items() if where}
    return recorded


def differences(inventory: Inventory, where: str, outcomes: Outcomes, *, part: bool = False) -> Iterator[str]:
    """A line for each group whose tests are not those recorded, and for each test that newly skips, in the
    run `where`; of a `part` only the groups that ran are looked at."""
    runner = Runner.of_place(where)
    absent = _skipped_files(outcomes)
    ran = {name: Group.of(tests) for name, tests in _grouped(outcomes.keys() - absent).items()}
    expected = {
        name: group
        for name, group in inventory.groups.items()
        if Runner.of_test(name) is runner and name not in absent and (not part or name in ran)
    }
    for name in sorted(expected.keys() | ran.keys()):
        if name not in ran:
            yield f"did not run: {name}"
        elif name not in expected:
            yield f"not in the inventory: {name}"
        elif ran[name] != expected[name]:
            yield f"not as in the inventory: {name} ({_change(expected[name], ran[name])})"
    for name, outcome in sorted(outcomes.items()):
        skip = inventory.skips.get(name)
        if outcome.kind == "skipped" and (skip is None or where not in skip.places):
            yield f"newly skipped: {name} ({outcome.reason})"


def _change(expected: Group, ran: Group) -> str:
    if expected.count == ran.count:
        return f"{ran.count} tests, of other names"
    return f"{expected.count} tests recorded, {ran.count} ran"


def _skipped_files(outcomes: Outcomes) -> set[str]:
    """The files that skipped themselves before their tests were known."""
    return {
        name
        for name, outcome in outcomes.items()
        if outcome.kind == "skipped" and "::" not in name and not _is_cargo(name)
    }


def _grouped(names: Iterable[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(_group_of(name), set()).add(name)
    return groups


def _group_of(name: str) -> str:
    """`tests/test_timer.py` of `tests/test_timer.py::test_repeat`; `cargo pyuv: timer` of
    `cargo pyuv: timer::tests::repeats`."""
    head, separator, _ = name.partition("::")
    if separator or not _is_cargo(name):
        return head
    return name.partition(": ")[0]


def _is_cargo(name: str) -> bool:
    return name.startswith(f"{CARGO} ")
