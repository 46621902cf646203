import threading
import time

import pytest
import pyuv
from pyuv.error import HandleClosedError

from util import Recorder, in_child, time_limit


def in_thread(function):
    """Call it in another thread; return the exception it raised."""
    caught = []

    def run():
        try:
            function()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught[0] if caught else None


CALLS = {
    "run": lambda loop, timer: loop.run(),
    "run nowait": lambda loop, timer: loop.run(pyuv.UV_RUN_NOWAIT),
    "stop": lambda loop, timer: loop.stop(),
    "now": lambda loop, timer: loop.now(),
    "update_time": lambda loop, timer: loop.update_time(),
    "alive": lambda loop, timer: loop.alive,
    "fileno": lambda loop, timer: loop.fileno(),
    "get_timeout": lambda loop, timer: loop.get_timeout(),
    "handles": lambda loop, timer: loop.handles,
    "close": lambda loop, timer: loop.close(),
    "fork": lambda loop, timer: loop.fork(),
    "configure": lambda loop, timer: loop.configure(metrics_idle_time=True),
    "metrics": lambda loop, timer: loop.metrics(),
    "queue_work": lambda loop, timer: loop.queue_work(print),
    "Timer": lambda loop, timer: pyuv.Timer(loop),
    "Async": lambda loop, timer: pyuv.Async(loop),
    "Timer.start": lambda loop, timer: timer.start(print, 1),
    "Timer.stop": lambda loop, timer: timer.stop(),
    "Timer.close": lambda loop, timer: timer.close(),
    "Timer.active": lambda loop, timer: timer.active,
    "Timer.ref": lambda loop, timer: timer.ref,
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_from_a_second_thread_into_a_running_loop_names_async_send(loop, name):
    caught = []

    def call(timer):
        caught.append(in_thread(lambda: CALLS[name](loop, timer)))

    pyuv.Timer(loop).start(call, 0)
    loop.run()
    [error] = caught
    assert type(error) is RuntimeError
    assert "Async.send" in str(error)


def test_cancel_from_a_second_thread_into_a_running_loop_names_async_send(loop):
    caught = []
    release = threading.Event()
    request = loop.queue_work(release.wait)
    pyuv.Timer(loop).start(lambda timer: (caught.append(in_thread(request.cancel)), release.set()), 0)
    loop.run()
    [error] = caught
    assert type(error) is RuntimeError
    assert "Async.send" in str(error)


def test_threads_may_use_a_loop_one_after_the_other(loop):
    ticks = Recorder()
    assert in_thread(lambda: pyuv.Timer(loop).start(ticks, 0)) is None
    assert in_thread(loop.run) is None
    assert len(ticks) == 1
    assert loop.run() is False


def test_sends_from_many_threads_race_with_close():
    for _ in range(20):
        event_loop = pyuv.Loop()
        wake = pyuv.Async(event_loop, Recorder())
        failures = []

        def send(wake=wake, failures=failures):
            try:
                while True:
                    wake.send()
            except HandleClosedError:
                pass
            except BaseException as error:
                failures.append(error)

        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        event_loop.run(pyuv.UV_RUN_ONCE)
        wake.close()
        event_loop.run()
        event_loop.close()
        for sender in senders:
            sender.join()
        assert failures == []


def test_every_thread_is_heard(loop):
    """Each of many threads appends, then sends; nothing sent is left unheard."""
    inbox, heard = [], []

    def collect(wake):
        while inbox:
            heard.append(inbox.pop())
        if len(heard) == 8 * 50:
            wake.close()

    wake = pyuv.Async(loop, collect)

    def send(number):
        for count in range(50):
            inbox.append((number, count))
            wake.send()

    senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for sender in senders:
        sender.start()
    loop.run()
    for sender in senders:
        sender.join()
    assert sorted(heard) == [(number, count) for number in range(8) for count in range(50)]


def test_the_gil_is_released_in_the_very_first_sleep_of_a_loop_with_a_fresh_poll():
    code = """
        import os, socket, sys, threading, pyuv
        sys.setswitchinterval(1000)
        ours, theirs = socket.socketpair()
        loop = pyuv.Loop()
        poll = pyuv.Poll(loop, ours)
        go = threading.Event()
        def other():
            go.wait()
            theirs.send(b"x")
        thread = threading.Thread(target=other)
        thread.start()
        seen = []
        poll.start(pyuv.UV_READABLE, lambda poll, events, error: (seen.append(events), poll.close()))
        go.set()
        loop.run()
        thread.join()
        print(seen)
    """
    assert in_child(code) == ["[1]"]


def test_other_threads_run_while_an_idle_handle_keeps_the_loop_busy_with_a_c_callback(loop):
    """A C function never reaches the bytecode that would give the GIL to others."""
    counted, idle = [], pyuv.Idle(loop)
    wake = pyuv.Async(loop, lambda wake: (idle.close(), wake.close()))

    def count():
        counted.extend(range(1000))
        wake.send()

    idle.start(id)
    thread = threading.Thread(target=count)
    thread.start()
    loop.run()
    thread.join()
    assert len(counted) == 1000


def test_a_loop_that_never_sleeps_does_not_starve_a_thread_that_takes_many_turns(loop):
    idle, turns = pyuv.Idle(loop), []
    wake = pyuv.Async(loop, lambda wake: (idle.close(), wake.close()))

    def take_turns():
        while len(turns) < 100:
            time.sleep(0.0001)
            turns.append(time.monotonic())
        wake.send()

    idle.start(id)
    thread = threading.Thread(target=take_turns)
    with time_limit(loop):
        thread.start()
        loop.run()
        thread.join()
    assert len(turns) == 100


def test_loops_in_many_threads_at_once():
    ticks = []

    def run():
        event_loop = pyuv.Loop()
        seen = Recorder(lambda timer: timer.close() if len(seen) == 20 else None)
        pyuv.Timer(event_loop).start(seen, 0, 0.001)
        event_loop.run()
        event_loop.close()
        ticks.append(len(seen))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ticks == [20] * 8
