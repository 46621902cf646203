import threading

import pytest
from pyuv import thread
from pyuv.errno import UV_EPERM
from threadutil import in_thread, in_threads, misuse


@pytest.mark.parametrize("outer", [False, True], ids=["its own mutex", "an outer mutex"])
def test_a_condition_hands_over_items(outer):
    mutex = thread.Mutex()
    condition = thread.Condition(mutex) if outer else thread.Condition()
    assert (condition.mutex is mutex) is outer
    items = []

    def consume():
        taken = []
        while len(taken) < 500:
            with condition:
                while not items:
                    assert condition.wait() is None
                taken.append(items.pop(0))
        return taken

    def work(number):
        if number:
            return consume()
        for item in range(1000):
            with condition:
                items.append(item)
                condition.signal()
        return []

    taken = [item for items_of_one in in_threads(3, work) for item in items_of_one]
    assert sorted(taken) == list(range(1000))


def test_broadcast_wakes_all():
    condition = thread.Condition()
    waiting = []
    done = False

    def work(number):
        nonlocal done
        with condition:
            if number < 3:
                waiting.append(number)
                while not done:
                    condition.wait()
                return True
        while True:
            with condition:
                if len(waiting) == 3:
                    done = True
                    condition.broadcast()
                    return True

    assert in_threads(4, work) == [True] * 4


def test_timedwait_says_whether_there_was_a_signal():
    condition = thread.Condition()

    def signal_it():
        with condition:
            condition.signal()

    with condition:
        assert condition.timedwait(0.001) is False
        assert condition.timedwait(timeout=0) is False
        other = threading.Thread(target=signal_it)
        other.start()
        assert condition.timedwait(30) is True
    other.join(30)


def test_a_condition_takes_the_mutex_as_an_argument_too():
    condition, mutex = thread.Condition(), thread.Mutex()

    def signal_it():
        with mutex:
            condition.signal()

    with mutex:
        assert condition.timedwait(mutex, 0) is False
        assert condition.timedwait(mutex, timeout=0.001) is False
        other = threading.Thread(target=signal_it)
        other.start()
        assert condition.wait(mutex) is None
    other.join(30)


def test_waiting_gives_up_a_recursive_mutex_altogether():
    condition = thread.Condition(thread.Mutex(recursive=True))

    def signal_it():
        with condition:
            condition.signal()

    with condition, condition:
        other = threading.Thread(target=signal_it)
        other.start()
        assert condition.timedwait(30) is True
        assert in_thread(condition.mutex.trylock) is False
    other.join(30)
    misuse(UV_EPERM, condition.mutex.unlock)


def test_waiting_without_the_mutex_raises():
    condition = thread.Condition()
    misuse(UV_EPERM, condition.wait)
    misuse(UV_EPERM, condition.timedwait, 1)
    misuse(UV_EPERM, condition.wait, thread.Mutex())
    with condition:
        misuse(UV_EPERM, in_thread, condition.wait)
    condition.signal()
    condition.broadcast()


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), 1e13])
def test_a_bad_timeout_is_a_value_error(timeout):
    with thread.Condition() as condition, pytest.raises(ValueError, match="timeout"):
        condition.timedwait(timeout)


@pytest.mark.parametrize("arguments", [(), ("1",), (None, 1), (1, 1), (1, 2, 3)])
def test_bad_arguments_of_timedwait_are_type_errors(arguments):
    with thread.Condition() as condition, pytest.raises(TypeError):
        condition.timedwait(*arguments)
