"""A pytest plugin that runs what is chosen on the loop that is named, and tells how each test ended."""

from __future__ import annotations

import pytest
import told

told.begin()


class Phases:
    """How a test ended, its set-up and its teardown included: the worst of them counts."""

    def __init__(self) -> None:
        self.outcome = "passed"
        self.detail = ""

    def add(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.outcome = "failed"
            self.detail += str(report.longrepr)
        elif report.skipped and self.outcome == "passed":
            self.outcome = "skipped"
            self.detail = str(report.longrepr)


tests: dict[str, Phases] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if told.chosen(item.nodeid)]


def pytest_collectreport(report: pytest.CollectReport) -> None:
    # A whole file, which cannot be imported or skips itself.
    if not report.passed:
        told.say(report.nodeid, "failed" if report.failed else "skipped", str(report.longrepr))


def pytest_runtest_logstart(nodeid: str) -> None:
    tests[nodeid] = Phases()
    told.say(nodeid, "begun")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    tests[report.nodeid].add(report)


def pytest_runtest_logfinish(nodeid: str) -> None:
    phases = tests.pop(nodeid)
    told.say(nodeid, phases.outcome, phases.detail)


def pytest_sessionfinish() -> None:
    told.end()
