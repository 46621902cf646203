import functools
import gc
import os
import signal
import subprocess
import threading
import time
import warnings
import weakref

import pytest
from pyuv import thread
from threadutil import sleeps

from util import finish, in_child, start_child

CLASSES = [
    thread.Mutex,
    thread.RWLock,
    thread.Condition,
    thread.Semaphore,
    functools.partial(thread.Barrier, 2),
    thread.Queue,
]


@pytest.mark.parametrize("make", CLASSES)
def test_a_second_init_raises(make):
    primitive = make()
    with pytest.raises(RuntimeError, match="second time"):
        primitive.__init__(*getattr(make, "args", ()))


@pytest.mark.parametrize(
    ("base", "call"),
    [
        (thread.Mutex, "lock"),
        (thread.RWLock, "tryrdlock"),
        (thread.Condition, "signal"),
        (thread.Semaphore, "post"),
        (thread.Barrier, "wait"),
        (thread.Queue, "get"),
        (thread.Queue, "qsize"),
    ],
)
def test_a_subclass_that_does_not_initialise_raises(base, call):
    class Sub(base):
        def __init__(self, *arguments):
            pass

    with pytest.raises(RuntimeError, match="not called"):
        getattr(Sub("whatever"), call)()


@pytest.mark.parametrize("make", CLASSES)
def test_primitives_are_collected_with_their_cycles(make):
    primitive = make()
    primitive.itself = primitive
    if isinstance(primitive, thread.Condition):
        primitive.mutex.condition = primitive
    gone = weakref.ref(primitive)
    del primitive
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("make", "lock"),
    [
        (thread.Mutex, "lock"),
        (functools.partial(thread.Mutex, recursive=True), "trylock"),
        (thread.RWLock, "rdlock"),
        (thread.RWLock, "wrlock"),
        (thread.Condition, "__enter__"),
    ],
)
def test_a_lock_collected_while_held_is_reported(make, lock):
    held = make()
    getattr(held, lock)()
    with pytest.warns(ResourceWarning, match=r"pyuv\.thread\.(Mutex|RWLock) was collected while it was held"):
        del held


def test_a_lock_that_is_free_goes_in_silence():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for make in CLASSES:
            make()
        with thread.Mutex(), thread.RWLock():
            pass
    assert caught == []


def test_the_warning_leaves_an_exception_on_its_way_alone():
    def fail():
        thread.Mutex().lock()
        held = thread.RWLock()
        held.rdlock()
        raise KeyError("kept")

    with pytest.warns(ResourceWarning), pytest.raises(KeyError, match="kept"):
        fail()


INTERRUPTED = {
    "mutex.lock": "mutex.lock()",
    "with mutex": "with mutex: pass",
    "rwlock.rdlock": "rwlock.rdlock()",
    "rwlock.wrlock": "rwlock.wrlock()",
    "condition.wait": "with condition: condition.wait()",
    "condition.wait, mutex taken": "with condition: ready.set(); condition.wait()",
    "condition.timedwait": "with condition: condition.timedwait(1000)",
    "semaphore.wait": "semaphore.wait()",
    "barrier.wait": "barrier.wait()",
    "queue.get": "queue.get()",
    "queue.get, timeout": "queue.get(timeout=1000)",
    "queue.put": "queue.put(1); queue.put(2)",
    "queue.join": "queue.put(1); queue.join()",
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c_ends_a_wait(name):
    code = f"""
        import signal, threading, time
        from pyuv import thread

        signal.signal(signal.SIGINT, signal.default_int_handler)
        mutex, rwlock, condition = thread.Mutex(), thread.RWLock(), thread.Condition()
        semaphore, barrier = thread.Semaphore(0), thread.Barrier(2)
        queue = thread.Queue(1)
        held, ready = threading.Event(), threading.Event()

        def hold():
            mutex.lock()
            rwlock.wrlock()
            held.set()
            ready.wait()
            condition.mutex.lock()
            threading.Event().wait()

        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        try:
            print("waiting", flush=True)
            {INTERRUPTED[name]}
        except KeyboardInterrupt:
            print(time.time(), flush=True)
    """
    child = start_child(code, stderr=subprocess.STDOUT)
    with child:
        assert child.stdout.readline() == "waiting\n"
        # It sleeps when its main thread is not running: Linux says so, elsewhere nothing is lost.
        while not sleeps(child.pid):
            time.sleep(0.001)
        sent = time.time()
        os.kill(child.pid, signal.SIGINT)
        [out] = finish(child)
    # 100 ms is what is promised; a busy machine adds its own.
    assert float(out) - sent < 2


def test_a_signal_handler_runs_while_a_wait_goes_on():
    semaphore = thread.Semaphore(0)
    previous = signal.signal(signal.SIGUSR1, lambda *_: semaphore.post())
    try:
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        semaphore.wait()
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_signal_is_heard_however_many_waits_there_were():
    """PyPy compiles what it does often, and looks for signals less often there."""
    code = """
        import os, signal, threading
        from pyuv import thread

        empty = thread.Queue()
        for _ in range(5000):
            try:
                empty.get(timeout=0.00001)
            except thread.Empty:
                pass
        semaphore = thread.Semaphore(0)
        signal.signal(signal.SIGUSR1, lambda *_: semaphore.post())
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        semaphore.wait()
        print("heard")
    """
    assert in_child(code) == ["heard"]


def test_a_child_of_fork_does_not_wake_threads_that_it_does_not_have():
    code = """
        import os, threading, warnings
        from pyuv import thread

        warnings.simplefilter("ignore")
        lock = thread.RWLock()
        lock.rdlock()
        writer = threading.Thread(target=lock.wrlock, daemon=True)
        writer.start()

        def read():
            return lock.tryrdlock() and lock.rdunlock() is None

        def in_thread(f):
            result = []
            t = threading.Thread(target=lambda: result.append(f()))
            t.start()
            t.join()
            return result[0]

        while in_thread(read):
            pass
        pid = os.fork()
        if pid == 0:
            os._exit(0 if in_thread(read) else 1)
        assert os.waitpid(pid, 0)[1] == 0
    """
    assert in_child(code) == []


def test_a_process_ends_with_daemon_threads_waiting():
    code = """
        import threading
        from pyuv import thread

        mutex, condition = thread.Mutex(), thread.Condition()
        mutex.lock()

        def wait():
            with condition:
                condition.wait()

        waits = mutex.lock, wait, thread.Semaphore(0).wait, thread.Barrier(2).wait, thread.Queue().get
        for function in waits:
            threading.Thread(target=function, daemon=True).start()
        mutex.unlock()
    """
    assert finish(start_child(code, stderr=subprocess.STDOUT)) == []
