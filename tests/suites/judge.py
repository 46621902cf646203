"""Compares a part of a suite on asyncio's loop and on pyuv's, test by test."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from beside import Beside
from runs import Ended, run
from table import Suite

# How often what differs is run again.
AGAIN = 3


@dataclass
class Judged:
    """What came of a part."""

    names: set[str] = field(default_factory=set)
    on_asyncio: int = 0
    on_pyuv: int = 0
    loops: int = 0
    seconds: float = 0.0
    # What is wrong, and the end of what was said of it.
    problems: dict[str, str] = field(default_factory=dict)
    # What ended differently on the same loop.
    flaky: list[str] = field(default_factory=list)

    @property
    def tests(self) -> int:
        return len(self.names)

    def add(self, other: Judged) -> None:
        self.names |= other.names
        self.on_asyncio += other.on_asyncio
        self.on_pyuv += other.on_pyuv
        self.loops += other.loops
        self.problems |= other.problems
        self.flaky += other.flaky


def judge(suite: Suite, environment: Beside, part: str, left_out: Mapping[str, bool]) -> Judged:
    """Runs a part on both loops. `left_out` has the tests that need not pass, and whether they may."""
    began = time.monotonic()
    theirs = run(suite, environment, "asyncio", part)
    ours = run(suite, environment, "pyuv", part)
    judged = Judged(loops=ours.loops)
    for name, ended in ((suite.own, theirs), ("pyuv's", ours)):
        if not ended.whole:
            judged.problems[f"{part}: did not come to its end on {name}"] = ended.output
    if theirs.outcomes.get(part) == "failed":
        judged.problems[f"{part}: is not collected, on {suite.own} either"] = theirs.details[part]
    worse = {test for test in theirs.outcomes if theirs.passed(test) and not ours.passed(test)}
    for test in _still_worse(suite, environment, part, worse - left_out.keys(), judged, ours):
        judged.problems[f"{test}: {ours.outcomes.get(test, 'not run')}"] = ours.details.get(test, ours.output)
    for test, may_pass in left_out.items():
        if test in ours.outcomes and ours.passed(test) and not may_pass:
            judged.problems[f"{test}: is left out, and passes"] = ""
    judged.names = {*theirs.outcomes}
    judged.on_asyncio = sum(map(theirs.passed, theirs.outcomes))
    judged.on_pyuv = sum(map(ours.passed, ours.outcomes))
    judged.seconds = time.monotonic() - began
    return judged


def _still_worse(
    suite: Suite,
    environment: Beside,
    part: str,
    tests: Collection[str],
    judged: Judged,
    ours: Ended,
) -> list[str]:
    """Those that fail again here and never there: what fails once may be the machine's doing."""
    fails_here: set[str] = set()
    fails_there: set[str] = set()
    for _ in range(AGAIN if tests else 0):
        again = {loop: run(suite, environment, loop, part, tests) for loop in ("asyncio", "pyuv")}
        fails_there |= {test for test in tests if not again["asyncio"].passed(test)}
        for test in tests:
            if not again["pyuv"].passed(test):
                fails_here.add(test)
                ours.outcomes[test] = again["pyuv"].outcomes.get(test, "not run")
                ours.details[test] = again["pyuv"].details.get(test, again["pyuv"].output)
    found = sorted(fails_here - fails_there)
    judged.flaky += sorted({*tests} - {*found})
    for test in judged.flaky:
        ours.outcomes[test] = "passed" if test not in fails_here else "failed"
    return found
