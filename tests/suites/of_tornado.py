"""Runs a module of Tornado's tests in Tornado's own way, and tells how each test ended.

    python of_tornado.py tornado.test.web_test

Its runner also wants a run to be quiet; that is told as one more test.
"""

from __future__ import annotations

import sys
import unittest
from collections.abc import Iterator

import told


def each(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """The tests of a suite, one by one."""
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from each(part)
        else:
            yield part


class Result(unittest.TextTestResult):
    """Tells of each test."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.ended = ("passed", "")
        told.say(test.id(), "begun")

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        told.say(test.id(), *self.ended)

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


def main() -> None:
    told.begin()
    from tornado.test import runtests

    module = sys.argv.pop()
    quiet = f"{module} is quiet"
    results: list[unittest.TestResult] = []

    class Runner(unittest.TextTestRunner):
        def __init__(self, **options: object) -> None:
            super().__init__(**{**options, "stream": sys.__stderr__, "resultclass": Result})

        def run(self, suite: unittest.TestSuite) -> unittest.TestResult:
            results.append(super().run(suite))
            return results[-1]

    def chosen() -> unittest.TestSuite:
        suite = unittest.defaultTestLoader.loadTestsFromName(module)
        # What is quiet or not is all of them.
        whole = told.named(quiet)
        return unittest.TestSuite(test for test in each(suite) if whole or told.chosen(test.id()))

    runtests.test_runner_factory = lambda stderr: Runner
    # What Tornado's runner looks for in the module that is run.
    globals()["all"] = chosen
    status: object = 0
    try:
        runtests.main()
    except SystemExit as ended:
        status = ended.code
    if results and results[-1].testsRun and results[-1].wasSuccessful():
        told.say(quiet, "failed" if status else "passed", "it wrote or logged something")
    told.end()


if __name__ == "__main__":
    main()
