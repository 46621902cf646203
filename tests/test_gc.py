import contextlib
import os
import socket
import threading
import time
import weakref

import pytest
import pyuv
from streams import fill

from util import collect, in_child, open_fds

START = {
    "Async": lambda loop, callback: pyuv.Async(loop, callback),
    "Check": lambda loop, callback: pyuv.Check(loop),
    "FSEvent": lambda loop, callback: pyuv.fs.FSEvent(loop),
    "FSPoll": lambda loop, callback: pyuv.fs.FSPoll(loop),
    "Idle": lambda loop, callback: pyuv.Idle(loop),
    "Prepare": lambda loop, callback: pyuv.Prepare(loop),
    "Signal": lambda loop, callback: pyuv.Signal(loop),
    "Timer": lambda loop, callback: pyuv.Timer(loop),
}


class Target:
    """Something to be referenced weakly."""


def start(handle, callback):
    if isinstance(handle, pyuv.Timer):
        handle.start(callback, 60)
    elif isinstance(handle, pyuv.Signal):
        handle.start(callback, 10)
    elif isinstance(handle, pyuv.fs.FSEvent):
        handle.start("/", 0, callback)
    elif isinstance(handle, pyuv.fs.FSPoll):
        handle.start("/", 60, callback)
    elif not isinstance(handle, pyuv.Async):
        handle.start(callback)


@pytest.mark.parametrize("name", START)
def test_a_cycle_through_callback_and_attributes_is_collected(loop, name):
    target = Target()
    target.handle = handle = START[name](loop, lambda *arguments: target)
    start(handle, lambda *arguments: target)
    handle.target = target
    handle.close()
    loop.run()
    references = [weakref.ref(target), weakref.ref(handle)]
    target = handle = None
    collect()
    assert [reference() for reference in references] == [None, None]


@pytest.mark.parametrize("name", sorted({*START} - {"Async"}))
def test_a_cycle_of_a_stopped_handle_is_collected_without_close(loop, name):
    handle = START[name](loop, None)
    handle.self = handle
    start(handle, lambda *arguments: handle)
    handle.stop()
    reference = weakref.ref(handle)
    handle = None
    collect()
    assert reference() is None
    loop.run()
    assert loop.handles == []


@pytest.mark.parametrize("name", START)
def test_an_active_handle_survives_its_last_reference(loop, name):
    handle = START[name](loop, lambda *arguments: None)
    start(handle, lambda *arguments: None)
    handle.name = "mine"
    reference = weakref.ref(handle)
    handle = None
    collect()
    assert reference() is not None
    assert reference().name == "mine"
    assert loop.handles == [reference()]


@pytest.mark.parametrize("name", START)
def test_an_abandoned_loop_is_collected_with_its_active_handles(name):
    event_loop = pyuv.Loop()
    target = Target()
    target.loop = event_loop
    handle = START[name](event_loop, lambda *arguments: target)
    start(handle, lambda *arguments: target)
    references = [weakref.ref(target), weakref.ref(handle), weakref.ref(event_loop)]
    target = handle = event_loop = None
    collect()
    assert [reference() for reference in references] == [None] * 3


def test_an_abandoned_loop_with_a_poll_and_work_is_collected():
    ours, theirs = socket.socketpair()
    release = threading.Event()
    with ours, theirs:
        event_loop = pyuv.Loop()
        poll = pyuv.Poll(event_loop, ours)
        poll.start(pyuv.UV_READABLE, lambda *arguments: event_loop)
        request = event_loop.queue_work(release.wait, lambda error: event_loop)
        event_loop.run(pyuv.UV_RUN_NOWAIT)
        references = [weakref.ref(each) for each in (event_loop, poll, request)]
        event_loop = poll = request = None
        collect()
        assert [reference() for reference in references] == [None] * 3
        release.set()
        theirs.send(b"x")
        assert ours.recv(9) == b"x"


def test_excepthook_cycles_are_collected():
    event_loop = pyuv.Loop()
    event_loop.excepthook = lambda *arguments: event_loop
    reference = weakref.ref(event_loop)
    event_loop = None
    collect()
    assert reference() is None


def test_the_callback_is_let_go_when_the_handle_is_closed(loop):
    target, timer = Target(), pyuv.Timer(loop)
    timer.start(lambda timer, target=target: None, 60)
    reference = weakref.ref(target)
    del target
    assert reference() is not None
    timer.close()
    loop.run()
    assert reference() is None


def test_a_handle_that_drops_itself_in_its_callback(loop):
    held = [pyuv.Timer(loop)]
    reference = weakref.ref(held[0])
    held[0].start(lambda timer: held.clear(), 0)
    loop.run()
    assert reference() is None
    loop.run()
    assert loop.handles == []


def test_descriptors_do_not_leak_with_dropped_loops():
    code = """
        import gc, os, socket, pyuv
        ours, theirs = socket.socketpair()
        release = []
        def one(number):
            loop = pyuv.Loop()
            pyuv.Timer(loop).start(lambda timer: loop, 60)
            pyuv.Async(loop, lambda wake: loop)
            pyuv.Idle(loop).start(lambda idle: loop)
            pyuv.Poll(loop, ours).start(1, lambda *arguments: loop)
            if number % 3 == 0:
                loop.queue_work(lambda: None, lambda error: loop)
            if number % 2:
                loop.run(pyuv.UV_RUN_ONCE)
        def count():
            gc.collect()
            pyuv.Loop().close()
            return len(os.listdir("/proc/self/fd"))
        one(1)
        one(3)
        before = count()
        for number in range(300):
            one(number)
        gc.collect()
        import time
        for _ in range(200):
            # Work that had begun lets its loop go when it is done.
            if count() <= before:
                break
            time.sleep(0.05)
        print(count() - before)
    """
    [difference] = in_child(code)
    assert int(difference) <= 0


def test_descriptors_do_not_leak_with_closed_loops():
    def one():
        event_loop = pyuv.Loop()
        timer = pyuv.Timer(event_loop)
        timer.start(lambda timer: timer.close(), 0)
        event_loop.run()
        event_loop.close()

    one()
    collect()
    before = open_fds()
    for _ in range(200):
        one()
    assert open_fds() <= before


def test_handles_dropped_by_another_thread_while_the_loop_runs(loop):
    made = [pyuv.Timer(loop) for _ in range(500)]
    ends = pyuv.Async(loop, lambda wake: wake.close())

    def drop():
        while made:
            made.pop()
        ends.send()

    thread = threading.Thread(target=drop)
    pyuv.Timer(loop).start(lambda timer: thread.start(), 0)
    loop.run()
    thread.join()
    loop.run()
    ends = None
    collect()
    assert loop.handles == []


def test_a_collection_in_the_middle_of_making_an_object_finds_it_harmless():
    """CPython may collect before it has filled an object of ours: every allocation does here."""
    code = """
        import gc, pyuv
        class Mine(pyuv.Loop): pass
        gc.set_threshold(1, 1, 1)
        loop, done = Mine(), []
        for kind in (pyuv.Timer, pyuv.Async, pyuv.Idle, pyuv.Prepare, pyuv.Check, pyuv.Signal):
            kind(loop).close()
        for _ in range(50):
            loop.queue_work(lambda: [[]], lambda error: done.append([error]))
            pyuv.Loop().close()
            loop.metrics()
        loop.run()
        loop.close()
        print(len(done))
    """
    assert in_child(code) == ["50"]


def test_a_queued_write_that_sends_a_handle_lets_its_loop_go():
    def once():
        event_loop = pyuv.Loop()
        ours, theirs = socket.socketpair()
        pipe = pyuv.Pipe(event_loop, True)
        pipe.open(ours.detach())
        fill(pipe)
        for sent in (pyuv.TCP(event_loop, socket.AF_INET), pyuv.UDP(event_loop, socket.AF_INET), pipe):
            pipe.write(b"y", None, sent)
        theirs.close()

    once()
    collect()
    before = open_fds()
    for _ in range(10):
        once()
    collect()
    pyuv.Loop().close()
    assert open_fds() <= before


def test_a_handle_that_is_sent_may_be_closed_before(loop):
    ours, theirs = socket.socketpair()
    pipe, told = pyuv.Pipe(loop, True), []
    pipe.open(ours.detach())
    fill(pipe)
    closed, dropped = pyuv.TCP(loop, socket.AF_INET), pyuv.TCP(loop, socket.AF_INET)
    for handle in (dropped, closed):
        pipe.write(b"y", lambda pipe, error: told.append(error), handle)
    del dropped
    closed.close()
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert [type(handle) for handle in loop.handles].count(pyuv.TCP) == 1
    theirs.setblocking(False)
    for _ in range(100):
        with contextlib.suppress(BlockingIOError):
            while theirs.recv(1 << 20):
                pass
        loop.run(pyuv.UV_RUN_NOWAIT)
    assert told == [None, pyuv.errno.UV_EBADF]
    handle = None
    collect()
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert [type(handle) for handle in loop.handles].count(pyuv.TCP) == 0
    pipe.close()
    theirs.close()
    loop.run()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_fd_that_is_opened_for_a_loop_that_is_gone_is_closed(tmp_path, when):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    before = open_fds()
    event_loop = pyuv.Loop()
    opening = None
    # What no thread of the pool has begun is cancelled with the loop.
    while not opening or opening.cancel():
        event_loop.run(pyuv.UV_RUN_NOWAIT)
        opening = pyuv.fs.open(event_loop, path, os.O_RDONLY, callback=lambda request: None)
        time.sleep(0.005)
    opening = None
    pyuv.fs.mkstemp(event_loop, tmp_path / "XXXXXX", callback=print)
    if when == "before":
        writer = os.open(path, os.O_WRONLY)
        del event_loop
    else:
        del event_loop
        collect()
        writer = os.open(path, os.O_WRONLY)
    while True:
        collect()
        pyuv.Loop().close()
        try:
            os.write(writer, b"x")
        except BrokenPipeError:
            break
    os.close(writer)
    while open_fds() > before:
        pyuv.Loop().close()
