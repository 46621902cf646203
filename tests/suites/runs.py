"""Runs a part of a suite on one of the two loops."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from beside import Beside
from bootstrap import ROOT
from table import Suite

# A part takes less, or something hangs that no test is to blame for.
SECONDS = 900
# What a process needs of the environment; no setting of the machine's gets to a suite.
KEPT = ("HOME", "LANG", "PATH", "TZ")


@dataclass
class Ended:
    """How each test of a part ended, and what was said of those that failed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    # How many loops of pyuv's were made.
    loops: int = 0
    # The last process came to its end.
    whole: bool = False
    output: str = ""

    def passed(self, test: str) -> bool:
        return self.outcomes.get(test) == "passed"


def run(
    suite: Suite, environment: Beside, loop: str, part: str, only: Collection[str] | None = None
) -> Ended:
    """All tests of a part, or those named, on `asyncio`'s loop or on `pyuv`'s."""
    ended = Ended()
    while True:
        choice = (
            {"without": list(ended.outcomes)} if only is None else {"only": [*{*only} - {*ended.outcomes}]}
        )
        before = len(ended.outcomes)
        ended.whole = _process(suite, environment, loop, part, choice, ended)
        for test, outcome in ended.outcomes.items():
            if outcome == "begun":
                ended.outcomes[test] = "failed"
                ended.details[test] = "the process ended in it\n" + ended.output[-4000:]
        # The tests after one in which the process ended are still to be run.
        if ended.whole or len(ended.outcomes) == before:
            return ended


def _process(
    suite: Suite,
    environment: Beside,
    loop: str,
    part: str,
    choice: dict[str, list[str]],
    ended: Ended,
) -> bool:
    """Adds what one process did; whether it came to its end."""
    # Sockets have their names in it, which may not be long.
    with tempfile.TemporaryDirectory(prefix="pyuv-suite-", ignore_cleanup_errors=True) as temporary:
        lines = Path(temporary, "lines")
        lines.touch()
        chosen = Path(temporary, "choice")
        chosen.write_text(json.dumps(choice))
        variables = {name: os.environ[name] for name in KEPT if name in os.environ}
        variables["PATH"] = os.pathsep.join([str(environment.bin), variables.get("PATH", os.defpath)])
        variables |= {"PYTHONPATH": str(ROOT / "tests" / "suites"), "PYTHONDONTWRITEBYTECODE": "1"}
        variables |= {"PYUV_SUITE_LOOP": loop, "PYUV_SUITE_CHOICE": str(chosen)}
        variables |= {"PYUV_SUITE_LINES": str(lines), "TMPDIR": temporary, **suite.variables}
        with Path(temporary, "output").open("w+b") as output, suite.server() as told:
            process = subprocess.Popen(
                [*suite.command(environment, part), *told],
                cwd=suite.folder(environment),
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            output.seek(0)
            ended.output = output.read().decode(errors="replace")
        whole = False
        for line in lines.read_text().splitlines():
            row = json.loads(line)
            if row["outcome"] == "loops":
                ended.loops += int(row["detail"])
                whole = True
            else:
                ended.outcomes[row["test"]] = row["outcome"]
                ended.details[row["test"]] = row["detail"]
        return whole
