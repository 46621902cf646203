"""Helpers of the tests of `pyuv.thread`."""

import threading

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


def sleeps(pid):
    with open(f"/proc/{pid}/task/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"
