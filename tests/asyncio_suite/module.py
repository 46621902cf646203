"""Runs a module of CPython's tests of asyncio, on its own loop or pyuv's; a line of JSON for each test.

python module.py (asyncio|pyuv) test_events [(only|without) TEST ...]
"""

import json
import os
import signal
import sys
import unittest
import warnings


def put_in_place() -> None:
    """Has whatever makes a selector event loop make one of ours."""
    import asyncio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import asyncio.unix_events as unix_events

        import pyuv.asyncio

        class EventLoop(pyuv.asyncio.EventLoop):
            """One that is given a selector, which it has no use for."""

            def __init__(self, selector: object = None) -> None:
                if selector is not None:
                    selector.close()
                super().__init__()

        asyncio.SelectorEventLoop = unix_events.SelectorEventLoop = EventLoop
        for module in (asyncio, unix_events):
            if hasattr(module, "EventLoop"):
                module.EventLoop = EventLoop
        for name in ("_UnixDefaultEventLoopPolicy", "_DefaultEventLoopPolicy"):
            if hasattr(unix_events, name):
                getattr(unix_events, name)._loop_factory = EventLoop


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
    # A shell has the jobs it starts in the background ignore SIGINT, and their children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    which, module = sys.argv[1:3]
    chosen, *names = sys.argv[3:] or ["without"]
    if which == "pyuv":
        put_in_place()
    sys.stdout = sys.stderr
    suite = unittest.defaultTestLoader.loadTestsFromName(f"test.test_asyncio.{module}")
    suite = unittest.TestSuite(test for test in each(suite) if (test.id() in names) == (chosen == "only"))
    suite.run(Result())
    sys.stderr.flush()
    # A thread that a test left behind is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
