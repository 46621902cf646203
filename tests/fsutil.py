"""Helpers of the tests of pyuv.fs."""

import os
import threading

import pytest
from pyuv.error import FSError

# No process has that many files open.
FOREIGN_FD = 2**31 - 16


def code_of(call, *arguments, **options):
    """The code of the FSError that the call raises."""
    with pytest.raises(FSError) as raised:
        call(*arguments, **options)
    code, message = raised.value.args
    assert message
    return code


def block_pool(loop):
    """Keeps every thread of the pool waiting; gives what lets them go."""
    gate = threading.Event()
    for _ in range(int(os.environ.get("UV_THREADPOOL_SIZE", "4"))):
        loop.queue_work(gate.wait)
    return gate.set
