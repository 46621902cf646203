"""left_out.txt: the tests that pass on asyncio's loop and need not pass on pyuv's, and why.

A row has the project, the Pythons (or `*`), the test and the reason, with tabs between. One whose reason
begins with `sometimes` may pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROWS = Path(__file__).resolve().parent / "left_out.txt"


@dataclass(frozen=True)
class Row:
    """Why a test is left out."""

    project: str
    pythons: frozenset[str]
    test: str
    reason: str

    def holds(self, project: str, python: str) -> bool:
        return project == self.project and (python in self.pythons or "*" in self.pythons)

    @property
    def may_pass(self) -> bool:
        return self.reason.startswith("sometimes")


def load() -> list[Row]:
    """All rows."""
    rows = []
    for line in ROWS.read_text().splitlines():
        if line and not line.startswith("#"):
            project, pythons, test, reason = line.split("\t")
            rows.append(Row(project, frozenset(pythons.split()), test, reason))
    return rows
