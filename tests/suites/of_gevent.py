"""Runs a module of gevent's tests as the program that it is, on its loop on libev or on pyuv's.

    python of_gevent.py test__socket

It tells how each test ended. A program without tests is one: its exit status says how it ended.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
import unittest
from pathlib import Path
from typing import Any

import told
import unittests

PART = sys.argv[-1]
LOOPS = {True: "pyuv.gevent.loop", False: "libev-cext"}


def name(test: unittest.TestCase) -> str:
    """What a test is called."""
    return str(test.id()).replace("__main__", PART)


class Result(unittests.Result):
    """Tells of each test."""

    name = staticmethod(name)


class Loader(unittest.TestLoader):
    """Finds the tests that were chosen."""

    def loadTestsFromModule(self, *arguments: Any, **options: Any) -> unittest.TestSuite:
        suite = super().loadTestsFromModule(*arguments, **options)
        return unittest.TestSuite(test for test in unittests.each(suite) if told.chosen(name(test)))


def folder() -> Path:
    """Where the tests are; gevent itself is not imported yet."""
    spec = importlib.util.find_spec("gevent")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "tests"


def main() -> None:
    os.environ["GEVENT_LOOP"] = LOOPS[told.on_pyuv()]
    os.environ["GEVENTTEST_USE_RESOURCES"] = "all,-network"
    told.begin(lambda: None)
    unittest.TextTestRunner.resultclass = Result
    unittest.defaultTestLoader = unittest.loader.defaultTestLoader = Loader()
    sys.argv[:] = [PART]
    # Some import what is beside them.
    sys.path.insert(0, str(folder()))
    status: object = 0
    try:
        runpy.run_module(f"gevent.tests.{PART}", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code
    if told.chosen(f"{PART} ends well"):
        told.say(f"{PART} ends well", "failed" if status else "passed", f"exit status {status}")
    told.end(int(told.on_pyuv()))


if __name__ == "__main__":
    main()
