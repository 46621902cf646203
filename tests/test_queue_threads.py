import os
import random
import signal
import threading
import time

import pytest
from pyuv.thread import Empty, Full, Queue, ShutDown
from threadutil import in_thread, in_threads, until_asleep


@pytest.mark.parametrize("maxsize", [0, 1, 7])
@pytest.mark.parametrize(("putters", "getters"), [(1, 1), (1, 8), (8, 1), (4, 4), (50, 50)])
def test_every_item_arrives_once(maxsize, putters, getters):
    queue = Queue(maxsize)
    each = 8_000 // putters

    def work(number):
        if number < putters:
            for item in range(each):
                queue.put((number, item))
            return []
        return [queue.get() for _ in range(putters * each // getters)]

    taken = [items for items in in_threads(putters + getters, work) if items]
    everything = [item for items in taken for item in items]
    assert sorted(everything) == [(number, item) for number in range(putters) for item in range(each)]
    for items in taken:
        for number in range(putters):
            from_one = [item for putter, item in items if putter == number]
            assert from_one == sorted(from_one), "one putter's items changed places"
    assert queue.empty()


def test_join_waits_for_the_last_task():
    queue = Queue()
    done = []

    def work(number):
        if number == 0:
            for item in range(400):
                queue.put(item)
            queue.join()
            assert len(done) == 400
            queue.shutdown()
            return
        while True:
            try:
                item = queue.get()
            except ShutDown:
                return
            done.append(item)
            queue.task_done()

    in_threads(5, work)
    assert sorted(done) == list(range(400))


def test_a_get_lets_other_threads_run_and_gets_what_they_put():
    queue = Queue()
    for timeout in (None, 30):
        putter = threading.Timer(0.01, queue.put, ("late",))
        putter.start()
        assert queue.get(timeout=timeout) == "late"
        putter.join()


def test_a_put_waits_for_room():
    queue = Queue(1)
    queue.put(1)
    for timeout in (None, 30):
        getter = threading.Timer(0.01, queue.get)
        getter.start()
        queue.put(2, timeout=timeout)
        getter.join()
    assert queue.get() == 2


def test_more_room_ends_a_wait_for_it():
    queue = Queue(1)
    queue.put(1)
    with until_asleep(lambda: queue.put(2)):
        queue.maxsize = 2
    assert [queue.get(), queue.get()] == [1, 2]


def test_a_timeout_is_waited_out():
    queue = Queue(1)
    started = time.monotonic()
    with pytest.raises(Empty):
        queue.get(timeout=0.05)
    queue.put(1)
    with pytest.raises(Full):
        queue.put(2, timeout=0.05)
    assert time.monotonic() - started >= 0.1
    assert in_thread(lambda: queue.get(timeout=0.05)) == 1
    with pytest.raises(Empty):
        in_thread(lambda: queue.get(timeout=0.05))


@pytest.mark.parametrize("immediate", [False, True])
def test_shutting_down_ends_every_wait(immediate):
    empty, full = Queue(), Queue(1)
    full.put(1)

    def get():
        with pytest.raises(ShutDown):
            empty.get()

    def put():
        with pytest.raises(ShutDown):
            full.put(2)

    with until_asleep(get, get, put, put, lambda: full.join()):
        empty.shutdown(immediate)
        full.shutdown(immediate)
        if not immediate:
            assert full.get() == 1
            full.task_done()
    assert full.empty()


def test_one_put_wakes_one_of_many_and_the_others_get_theirs():
    queue = Queue()
    with until_asleep(*[lambda: queue.get()] * 20):
        for item in range(20):
            queue.put(item)
    assert queue.empty()


def test_getters_whose_time_is_up_lose_nothing():
    queue = Queue()
    each = 2_000

    def work(number):
        taken = 0
        if number % 2:
            for item in range(each):
                queue.put(item)
            return 0
        chance = random.Random(number)
        while queue.unfinished_tasks or not finished.is_set():
            try:
                queue.get(timeout=chance.choice([0, 0.00001, 0.0001]))
            except Empty:
                continue
            taken += 1
            queue.task_done()
        return taken

    finished = threading.Event()
    putters = threading.Thread(target=lambda: (in_threads(4, lambda _: work(1)), finished.set()))
    putters.start()
    assert sum(in_threads(4, lambda number: work(2 * number))) == 4 * each
    putters.join(30)
    assert queue.empty()


def test_a_signal_handler_may_put_what_its_thread_waits_for():
    queue = Queue()
    previous = signal.signal(signal.SIGUSR1, lambda *_: queue.put("from the handler"))
    try:
        timer = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        assert queue.get() == "from the handler"
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_getter_that_a_signal_took_away_gets_no_call():
    queue = Queue()
    got = []

    def interrupt(*_):
        raise ZeroDivisionError

    previous = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with until_asleep(lambda: got.append(queue.get())):
            timer = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
            timer.start()
            with pytest.raises(ZeroDivisionError):
                queue.get()
            timer.join()
            queue.put(1)
        assert got == [1]
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_blocked_queue_does_not_keep_the_gil():
    queue = Queue(1)
    queue.put(0)
    counted = []
    with until_asleep(lambda: queue.put(1), lambda: queue.join()):
        counted.extend(range(1000))
        queue.get()
        queue.task_done()
        queue.get()
        queue.task_done()
    assert len(counted) == 1000
