"""What the runners of suites of unittest's share: tests one by one, and a result that tells of each."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from typing import Any

import told


def each(suite: Any) -> Iterator[Any]:
    """The tests of a suite, one by one."""
    if isinstance(suite, unittest.TestSuite):
        for part in suite:
            yield from each(part)
    else:
        yield suite


class Result(unittest.TextTestResult):
    """Tells of each test."""

    @staticmethod
    def name(test: unittest.TestCase) -> str:
        """What a test is called."""
        return test.id()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.ended = ("passed", "")
        told.say(self.name(test), "begun")

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        told.say(self.name(test), *self.ended)

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)
        self.ended = ("failed", self._exc_info_to_string(err, test))

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)
        self.ended = ("failed", self._exc_info_to_string(err, test))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.ended = ("failed", self._exc_info_to_string(err, test))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        if self.ended[0] == "passed":
            self.ended = ("skipped", reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self.ended = ("failed", "an unexpected success")
