"""Runs a module of CPython's tests of asyncio, on its own loop or pyuv's; a line of JSON for each test.

python module.py (asyncio|pyuv) test_events [(only|without) TEST ...]
"""

import json
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import in_place


class Result(unittest.TestResult):
    """Prints how each test ended."""

    def _say(self, test: unittest.TestCase, outcome: str, detail: str = "") -> None:
        print(
            json.dumps({"test": test.id(), "outcome": outcome, "detail": detail}),
            file=sys.__stdout__,
            flush=True,
        )

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.failed = False
        self._say(test, "begun")

    def addSuccess(self, test: unittest.TestCase) -> None:
        if not self.failed:
            self._say(test, "passed")

    def addError(self, test: unittest.TestCase, err: object) -> None:
        self.failed = True
        self._say(test, "failed", self._exc_info_to_string(err, test))

    addFailure = addError

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        if err is not None and not self.failed:
            self.addError(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._say(test, "skipped", reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: object) -> None:
        self._say(test, "passed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._say(test, "failed", "an unexpected success")


def each(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    """The tests of a suite, one by one."""
    return [
        test for part in suite for test in (each(part) if isinstance(part, unittest.TestSuite) else [part])
    ]


def main() -> None:
    """Runs the module."""
    in_place.hear_interrupts()
    which, module = sys.argv[1:3]
    chosen, *names = sys.argv[3:] or ["without"]
    if which == "pyuv":
        in_place.put()
    sys.stdout = sys.stderr
    suite = unittest.defaultTestLoader.loadTestsFromName(f"test.test_asyncio.{module}")
    suite = unittest.TestSuite(test for test in each(suite) if (test.id() in names) == (chosen == "only"))
    suite.run(Result())
    sys.stderr.flush()
    # A thread that a test left behind is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
