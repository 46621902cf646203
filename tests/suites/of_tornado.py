"""Runs a module of Tornado's tests in Tornado's own way, and tells how each test ended.

    python of_tornado.py tornado.test.web_test

Its runner also wants a run to be quiet; that is told as one more test.
"""

from __future__ import annotations

import sys
import unittest

import told
from unittests import Result, each


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
