"""A pytest plugin: `--outcomes FILE` writes how each test ended, as JSON, for the inventory to compare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from outcomes import Outcome


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", metavar="FILE", type=Path, help="write every test's outcome here")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--outcomes")
    # xdist's workers have the option too, but their reports all come together in the controller.
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(path))


class Recorder:
    """Keeps one outcome a test: a failure in any phase is a failure, a skip in any phase a skip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, Outcome] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.outcomes.get(report.nodeid)
        if before is None or before.kind == "passed":
            self.outcomes[report.nodeid] = _outcome(report)
        elif report.failed:
            self.outcomes[report.nodeid] = Outcome("failed")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # Whole files: one that cannot be imported, or that skips itself.
        if not report.passed:
            self.outcomes[report.nodeid] = _outcome(report)

    def pytest_sessionfinish(self) -> None:
        rows = {name: [outcome.kind, outcome.reason] for name, outcome in self.outcomes.items()}
        self.path.write_text(json.dumps(rows, indent=1))


def _outcome(report: pytest.TestReport | pytest.CollectReport) -> Outcome:
    if report.failed:
        return Outcome("failed")
    if hasattr(report, "wasxfail"):
        return Outcome("skipped", f"expected failure: {report.wasxfail}")
    if report.skipped:
        # longrepr is (file, line, "Skipped: why")
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return Outcome("skipped", reason.removeprefix("Skipped: "))
    return Outcome("passed")
