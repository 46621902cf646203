"""Helpers of the tests of `pyuv.thread`."""

import contextlib
import os
import sys
import threading
import time

import pytest
from pyuv.error import ThreadError


def in_thread(function, *arguments):
    """Call `function` in another thread; return what it returns, raise what it raises."""
    outcome = []

    def run():
        try:
            outcome.append((function(*arguments), None))
        except BaseException as error:
            outcome.append((None, error))

    other = threading.Thread(target=run, daemon=True)
    other.start()
    other.join(30)
    assert outcome, "the other thread hangs"
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def in_threads(count, function):
    """Call `function(number)` in `count` threads at once; return what they return."""
    results = [None] * count

    def run(number):
        results[number] = function(number)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert not any(each.is_alive() for each in threads), "a thread hangs"
    return results


def misuse(code, function, *arguments):
    with pytest.raises(ThreadError) as caught:
        function(*arguments)
    assert caught.value.args[0] == code


def sleeps(pid, thread=None):
    """Whether a thread of a process sleeps, by default its main thread; elsewhere than on Linux, True."""
    if sys.platform != "linux":
        return True
    with open(f"/proc/{pid}/task/{thread or pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


@contextlib.contextmanager
def until_asleep(*functions):
    """Call each function in a thread of its own; the block runs when they sleep and wakes them."""
    errors = []

    def run(function, number):
        ids[number] = threading.get_native_id()
        try:
            function()
        except BaseException as error:
            errors.append(error)

    ids = [0] * len(functions)
    threads = [
        threading.Thread(target=run, args=(function, number), daemon=True)
        for number, function in enumerate(functions)
    ]
    for each in threads:
        each.start()
    while not all(number and sleeps(os.getpid(), number) for number in ids):
        time.sleep(0.001)
    assert all(each.is_alive() for each in threads), "somebody did not wait"
    yield
    for each in threads:
        each.join(30)
    assert not any(each.is_alive() for each in threads), "a thread hangs"
    assert errors == []
