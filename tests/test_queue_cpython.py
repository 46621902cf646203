"""CPython's own tests of `queue.Queue`, where the interpreter has them, run against ours."""

import unittest

import pytest
from pyuv import thread


def test_the_standard_librarys_tests_pass():
    theirs = pytest.importorskip("test.test_queue", reason="this Python comes without its tests")

    class OurQueueTest(theirs.QueueTest, unittest.TestCase):
        queue = thread

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(OurQueueTest)
    result = unittest.TestResult()
    suite.run(result)
    assert result.errors + result.failures == []
    assert result.testsRun >= 5
    assert not result.skipped
