"""Where nothing has to be waited for, the GIL is kept; where something has, others run."""

import sys
import threading
import time

import pytest
from pyuv import thread


def mutex():
    lock = thread.Mutex()
    recursive = thread.Mutex(recursive=True)
    for each in (lock, recursive, recursive):
        each.lock()
    assert not lock.trylock()
    for each in (lock, recursive, recursive):
        each.unlock()


def rwlock():
    lock = thread.RWLock()
    lock.rdlock()
    lock.rdlock()
    lock.rdunlock()
    lock.rdunlock()
    with lock.writing():
        assert not lock.tryrdlock()


def semaphore():
    with thread.Semaphore(1) as count:
        assert not count.trywait()


def condition():
    with thread.Condition() as changed:
        changed.signal()
        changed.broadcast()


def barrier():
    assert thread.Barrier(1).wait()


def queue():
    items = thread.Queue()
    items.put(1)
    items.put_nowait(2)
    assert items.get() + items.get_nowait() == 3
    items.task_done()
    items.task_done()
    items.join()


@pytest.fixture
def ticks():
    """Counts how often a thread that always wants the GIL has got it."""
    count, done = [0], threading.Event()

    def run():
        while not done.is_set():
            count[0] += 1
            time.sleep(0)

    other = threading.Thread(target=run)
    interval = sys.getswitchinterval()
    # Nobody is asked to let go of it.
    sys.setswitchinterval(600)
    try:
        other.start()
        yield lambda: count[0]
    finally:
        sys.setswitchinterval(interval)
        done.set()
        other.join()


def run_others(ticks):
    before = ticks()
    limit = time.monotonic() + 30
    while ticks() == before:
        assert time.monotonic() < limit, "the other thread never ran"
        time.sleep(0.001)


@pytest.mark.parametrize("use", [mutex, rwlock, semaphore, condition, barrier, queue])
def test_what_need_not_wait_keeps_the_gil(ticks, use):
    run_others(ticks)
    before = ticks()
    for _ in range(5000):
        use()
    assert ticks() == before
    run_others(ticks)


def wait_for_semaphore():
    semaphore = thread.Semaphore(0)
    return semaphore.wait, semaphore.post


def wait_for_queue():
    items = thread.Queue()
    return items.get, lambda: items.put(1)


def wait_for_barrier():
    both = thread.Barrier(2)
    return both.wait, both.wait


def wait_for_condition():
    changed = thread.Condition()

    def wait():
        with changed:
            changed.timedwait(30)

    def signal():
        with changed:
            changed.signal()

    return wait, signal


@pytest.mark.parametrize("make", [wait_for_semaphore, wait_for_queue, wait_for_barrier, wait_for_condition])
def test_what_waits_lets_others_run(ticks, make):
    run_others(ticks)
    wait, end = make()

    def end_after_ticks():
        run_others(ticks)
        end()

    other = threading.Thread(target=end_after_ticks)
    other.start()
    wait()
    other.join()
