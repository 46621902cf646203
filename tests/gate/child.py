"""Run one of pyuv 1.4.0's test files, as it is, and report each test's start and end as it happens.

    child.py FILE REPORT

REPORT gets a JSON list a line: ["begin", id], ["end", id, kind, detail], and ["done"] at the very end, so
that the parent can tell what was running when this process died. The old suite was made for Pythons up to
3.7 and uses names that went away since: they are put back here, in this process, and its files stay
untouched. Plain enough for Python 3.7, where the suite can be run against pyuv 1.4.0 itself.
"""

import faulthandler
import importlib
import json
import os
import sys
import traceback
import unittest

REMOVED_ASSERTIONS = {
    "assertEquals": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertRegexpMatches": "assertRegex",
    "assertRaisesRegexp": "assertRaisesRegex",
    "assert_": "assertTrue",
}


def restore_removed_names() -> None:
    """Python 3.7 lost `os.stat_float_times`; 3.12 lost the old names of unittest's assertions."""
    if not hasattr(os, "stat_float_times"):
        # The suite turns fractions off and then compares whole seconds, which floats compare equal to.
        os.stat_float_times = lambda newvalue=True: None  # type: ignore[attr-defined]
    for old, new in REMOVED_ASSERTIONS.items():
        if not hasattr(unittest.TestCase, old):
            setattr(unittest.TestCase, old, getattr(unittest.TestCase, new))


# Of the two tests that spawn Python as another user, who cannot enter root's home.
SPAWN_AS_ANOTHER = ("test_process_uid_fail", "test_process_uid_gid")


class Reporter(unittest.TestResult):
    """A result that writes each event at once."""

    def __init__(self, path: str) -> None:
        super().__init__()
        # Children that the tests spawn must not hold it open, nor may a test's fd number depend on it.
        self.stream = open(path, "a", buffering=1)  # noqa: SIM115
        self.detail = ("passed", "")
        self.python = sys.executable

    def write(self, *event: str) -> None:
        self.stream.write(json.dumps(event) + "\n")

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self.detail = ("passed", "")
        if test.id().endswith(SPAWN_AS_ANOTHER):
            sys.executable = os.environ.get("PYUV_GATE_PYTHON", self.python)
        self.write("begin", test.id())

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        sys.executable = self.python
        self.write("end", test.id(), *self.detail)

    def addSkip(self, test, reason) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addSkip(test, reason)
        self.detail = ("skipped", reason)

    def addError(self, test, err) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addError(test, err)
        self.detail = ("failed", _describe(err))

    def addFailure(self, test, err) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addFailure(test, err)
        self.detail = ("failed", _describe(err))


def _describe(err) -> str:  # type: ignore[no-untyped-def]
    return "".join(traceback.format_exception(*err))


def main() -> None:
    file, report = sys.argv[1:]
    faulthandler.enable()
    restore_removed_names()
    # As `python FILE` would have it: the folder of the tests first, and this program's own not at all.
    sys.path[0] = os.path.dirname(os.path.abspath(file))
    reporter = Reporter(report)
    name = os.path.splitext(os.path.basename(file))[0]
    suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))
    suite.run(reporter)
    reporter.write("done")


if __name__ == "__main__":
    main()
