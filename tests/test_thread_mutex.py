import threading
import time

import pytest
from pyuv import thread
from pyuv.errno import UV_EBUSY, UV_EPERM
from threadutil import in_thread, in_threads, misuse


def test_a_mutex_admits_one_thread_at_a_time():
    mutex = thread.Mutex()
    inside = []

    def work(number):
        for _ in range(300):
            with mutex:
                inside.append(number)
                assert len(inside) == 1
                time.sleep(0)
                inside.pop()

    in_threads(4, work)
    assert mutex.trylock()
    mutex.unlock()


def test_trylock_says_whether_it_locked():
    mutex = thread.Mutex()
    assert mutex.trylock() is True
    assert mutex.trylock() is False
    assert in_thread(mutex.trylock) is False
    assert mutex.unlock() is None


def test_misuse_of_a_mutex_raises():
    mutex = thread.Mutex()
    misuse(UV_EPERM, mutex.unlock)
    mutex.lock()
    misuse(UV_EPERM, in_thread, mutex.unlock)
    misuse(UV_EBUSY, mutex.lock)
    mutex.unlock()
    misuse(UV_EPERM, mutex.unlock)


def test_a_recursive_mutex_is_unlocked_as_often_as_it_was_locked():
    mutex = thread.Mutex(recursive=True)
    assert mutex.recursive
    with mutex, mutex:
        assert mutex.trylock()
        mutex.unlock()
        assert in_thread(mutex.trylock) is False
    assert in_thread(lambda: mutex.trylock() and mutex.unlock() is None)
    misuse(UV_EPERM, mutex.unlock)


def test_a_blocked_lock_lets_other_threads_run():
    mutex = thread.Mutex()
    mutex.lock()
    reached = threading.Event()

    def work():
        reached.set()
        with mutex:
            return True

    result = []
    other = threading.Thread(target=lambda: result.append(work()))
    other.start()
    assert reached.wait(30)
    mutex.unlock()
    other.join(30)
    assert result == [True]


def test_an_exception_leaves_a_with_block_unlocked():
    mutex = thread.Mutex()
    with pytest.raises(ZeroDivisionError), mutex:
        raise ZeroDivisionError
    misuse(UV_EPERM, mutex.unlock)
