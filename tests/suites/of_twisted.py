"""Runs a package of Twisted's tests by trial, on its reactor on epoll or on pyuv's, and tells how each ended.

    python of_twisted.py twisted.internet.test

What its ReactorBuilder makes of a class of tests, one for each reactor, is made for this reactor alone. Its
name is part of the tests' names, where it is `Reactor` for both.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import told
from unittests import each

MODULES = {True: "pyuv.twisted", False: "twisted.internet.epollreactor"}
CLASSES = {True: "UVReactor", False: "EPollReactor"}
# Run as root, its tests for files that cannot be written to have nobody write to /dev/null any more.
WITHOUT = ("twisted.test.test_logfile.",)


def name(test: Any) -> str:
    """What a test is called, on both reactors."""
    return str(test.id()).replace(CLASSES[told.on_pyuv()], "Reactor")


def install() -> None:
    """Makes the reactor, before anything of Twisted's makes another."""
    from twisted.internet.test import reactormixins
    from twisted.python.reflect import namedAny

    module, reactor = MODULES[told.on_pyuv()], CLASSES[told.on_pyuv()]
    namedAny(module).install()
    reactormixins.ReactorBuilder._reactors = [f"{module}.{reactor}"]


def main() -> None:
    told.begin(lambda: None)
    install()
    from twisted.trial import reporter, runner

    class Reporter(reporter.Reporter):
        """Tells of each test."""

        def startTest(self, test: Any) -> None:
            super().startTest(test)
            self.ended = ("passed", "")
            told.say(name(test), "begun")

        def stopTest(self, test: Any) -> None:
            super().stopTest(test)
            told.say(name(test), *self.ended)

        def addError(self, test: Any, error: Any) -> None:
            super().addError(test, error)
            self.ended = ("failed", self.text(error))
            if not hasattr(test, "run"):
                told.say(name(test), *self.ended)

        def addFailure(self, test: Any, fail: Any) -> None:
            super().addFailure(test, fail)
            self.ended = ("failed", self.text(fail))

        def addSkip(self, test: Any, reason: Any) -> None:
            super().addSkip(test, reason)
            if self.ended[0] == "passed":
                self.ended = ("skipped", str(reason))

        def addExpectedFailure(self, test: Any, error: Any, todo: Any = None) -> None:
            super().addExpectedFailure(test, error, todo)
            self.ended = ("skipped", "is known to fail")

        def addUnexpectedSuccess(self, test: Any, todo: Any = None) -> None:
            super().addUnexpectedSuccess(test, todo)
            self.ended = ("failed", "an unexpected success")

        def text(self, error: Any) -> str:
            """What was raised."""
            return str(error.getTraceback() if hasattr(error, "getTraceback") else error)

    part = sys.argv.pop()
    found = each(runner.TestLoader().loadByName(part, recurse=True))
    chosen = [test for test in found if told.chosen(name(test)) and not test.id().startswith(WITHOUT)]
    with tempfile.TemporaryDirectory() as folder:
        trial = runner.TrialRunner(Reporter, workingDirectory=folder + "/trial", stream=sys.stderr)
        trial.run(runner.TestSuite(chosen))
    told.end(int(told.on_pyuv()))


if __name__ == "__main__":
    main()
