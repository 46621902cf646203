"""The poller: an iteration that says which descriptors were ready, and calls nobody."""

import gc
import os
import random
import socket
import threading
import time
import weakref

import pytest
import pyuv
from pyuv import UV_READABLE, UV_WRITABLE
from pyuv._poller import Poller

BOTH = UV_READABLE | UV_WRITABLE


@pytest.fixture
def poller(loop):
    poller = Poller(loop)
    yield poller
    if not loop.closed:
        poller.close()


@pytest.fixture
def later():
    """Calls something in a thread, in so many seconds; the thread ends with the test."""
    timers = []

    def start(seconds, function, *arguments):
        timers.append(threading.Timer(seconds, function, arguments))
        timers[-1].start()

    yield start
    for timer in timers:
        timer.join()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_what_is_ready_is_told_again_and_again(poller, pair):
    ours, theirs = pair
    fd = ours.fileno()
    poller.watch(fd, UV_READABLE)
    assert poller.poll(0) == []
    theirs.send(b"x")
    for _ in range(3):
        assert poller.poll() == [(fd, UV_READABLE)]
    poller.watch(fd, BOTH)
    assert poller.poll() == [(fd, BOTH)]
    ours.recv(1)
    assert poller.poll() == [(fd, UV_WRITABLE)]
    poller.watch(fd, UV_READABLE)
    assert poller.poll(0) == []
    theirs.close()
    assert poller.poll() == [(fd, UV_READABLE)]
    poller.watch(fd, 0)
    assert poller.poll(0) == []
    poller.watch(fd, 0)


def test_many_are_told_in_one_batch(poller):
    pairs = [socket.socketpair() for _ in range(200)]
    for ours, theirs in pairs:
        poller.watch(ours.fileno(), UV_READABLE)
        theirs.send(b"x")
    assert sorted(poller.poll()) == sorted((ours.fileno(), UV_READABLE) for ours, _ in pairs)
    for ours, theirs in pairs:
        poller.watch(ours.fileno(), 0)
        ours.close()
        theirs.close()


@pytest.mark.parametrize("timeout", [0.05, 0.0201])
def test_a_wait_ends_with_its_time(poller, timeout):
    begin, waits = time.monotonic(), 0
    while (left := begin + timeout - time.monotonic()) > 0.001:
        # A loop that somebody has forgotten may end one early.
        assert poller.poll(left) == []
        waits += 1
    assert 1 <= waits < 10
    assert time.monotonic() - begin < timeout + 5


def test_a_timeout_that_is_over_ends_no_later_wait(poller, pair, later):
    ours, theirs = pair
    poller.watch(ours.fileno(), UV_READABLE)
    theirs.send(b"x")
    assert poller.poll(0.03)
    ours.recv(1)
    later(0.2, theirs.send, b"y")
    assert poller.poll() == [(ours.fileno(), UV_READABLE)]


def test_another_thread_wakes_it(poller, later):
    later(0.05, poller.wake)
    begin = time.monotonic()
    assert poller.poll() == []
    assert time.monotonic() - begin < 5
    poller.wake()
    assert poller.poll() == []


def test_handles_of_the_loop_go_on(loop, poller):
    told = []

    def ring(timer):
        told.append("timer")
        timer.close()

    pyuv.Timer(loop).start(ring, 0.01, 0)
    pyuv.fs.stat(loop, "/", callback=lambda request: told.append(request.error))
    while len(told) < 2:
        assert poller.poll(20) == []
    assert sorted(told, key=str) == [None, "timer"]


def test_it_keeps_no_loop_running(loop, poller, pair):
    poller.watch(pair[0].fileno(), UV_READABLE)
    assert not loop.alive
    assert loop.run() is False
    assert poller.poll(0.01) == []
    assert not loop.alive


def test_what_cannot_be_watched_is_an_error(loop, poller, pair, tmp_path):
    ours, _ = pair
    with (tmp_path / "file").open("w") as file, pytest.raises(PermissionError):
        poller.watch(file.fileno(), UV_READABLE)
    with pytest.raises(OSError, match="Bad file descriptor"):
        poller.watch(-1, UV_READABLE)
    for events in (4, 8, -1, 16):
        with pytest.raises(ValueError, match="events must be"):
            poller.watch(ours.fileno(), events)
    poll = pyuv.Poll(loop, ours.fileno())
    poll.start(UV_READABLE, print)
    with pytest.raises(FileExistsError):
        poller.watch(ours.fileno(), UV_READABLE)
    poll.close()
    poller.watch(ours.fileno(), UV_READABLE)
    for timeout in (-1, float("nan")):
        with pytest.raises(ValueError, match="negative"):
            poller.poll(timeout)
    assert poller.poll(0) == []


def test_one_that_was_closed_too_early_is_told(poller):
    ours, theirs = socket.socketpair()
    fd = ours.fileno()
    poller.watch(fd, UV_READABLE)
    ours.close()
    theirs.close()
    assert poller.poll(5) in ([(fd, UV_READABLE)], [])
    poller.watch(fd, 0)


def test_a_number_that_comes_again_is_another_descriptor(poller):
    for _ in range(50):
        ours, theirs = socket.socketpair()
        fd = ours.fileno()
        poller.watch(fd, UV_READABLE)
        theirs.send(b"x")
        assert poller.poll() == [(fd, UV_READABLE)]
        poller.watch(fd, 0)
        ours.close()
        theirs.close()


def test_what_fails_in_a_callback_of_the_loop_loses_nothing(loop, poller, pair):
    ours, theirs = pair
    poller.watch(ours.fileno(), UV_READABLE)
    theirs.send(b"x")

    def leave(timer):
        timer.close()
        raise SystemExit("callback")

    pyuv.Timer(loop).start(leave, 0, 0)
    ready = []

    def turn():
        while True:
            ready.extend(poller.poll())

    with pytest.raises(SystemExit, match="callback"):
        turn()
    assert ready or poller.poll() == [(ours.fileno(), UV_READABLE)]


def test_whoever_deals_with_a_batch_may_run_the_loop(loop, poller, pair):
    ours, theirs = pair
    poller.watch(ours.fileno(), UV_READABLE)
    theirs.send(b"x")
    ((fd, _),) = poller.poll()
    assert loop.run(pyuv.UV_RUN_NOWAIT) in (True, False)
    assert poller.poll(0) == [(fd, UV_READABLE)]


def test_in_a_callback_it_is_an_error(loop, poller):
    errors = []

    def inside(timer):
        timer.close()
        try:
            poller.poll()
        except RuntimeError as error:
            errors.append(str(error))

    pyuv.Timer(loop).start(inside, 0, 0)
    while not errors:
        poller.poll(5)
    assert "run" in errors[0]


def test_one_that_is_closed_says_so_and_keeps_nothing(loop, poller, pair):
    poller.watch(pair[0].fileno(), UV_READABLE)
    poller.close()
    poller.close()
    with pytest.raises(pyuv.error.HandleClosedError):
        poller.wake()
    with pytest.raises(pyuv.error.HandleClosedError):
        poller.poll(0.01)
    assert loop.run() is False
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        poller.watch(pair[0].fileno(), UV_READABLE)


def test_a_loop_closes_under_it(pair):
    loop = pyuv.Loop()
    poller = Poller(loop)
    poller.watch(pair[0].fileno(), UV_READABLE)
    poller.close()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        poller.poll()
    poller.close()


def test_it_goes_with_its_loop(pair):
    class Kept(pyuv.Loop):
        pass

    loop = Kept()
    poller = Poller(loop)
    poller.watch(pair[0].fileno(), UV_READABLE)
    gone = weakref.ref(loop)
    del loop, poller
    gc.collect()
    assert gone() is None


def test_it_is_one_thread_s_at_a_time(poller, pair):
    errors = []

    def other():
        try:
            poller.watch(pair[0].fileno(), UV_READABLE)
        except RuntimeError as error:
            errors.append(error)
        finally:
            poller.wake()

    thread = threading.Timer(0.05, other)
    thread.start()
    poller.poll()
    thread.join()
    assert len(errors) == 1
    assert poller.poll(0) == []


def test_greenlets_switch_while_a_batch_is_dealt_with(loop, poller):
    greenlet = pytest.importorskip("greenlet", reason="PyPy has its own")
    pairs = [socket.socketpair() for _ in range(20)]
    waiting, switches = {}, 0
    chance = random.Random(1)

    def reads(ours, theirs):
        nonlocal switches
        for number in range(500):
            theirs.send(b"%d" % number)
            waiting[ours.fileno()] = greenlet.getcurrent()
            poller.watch(ours.fileno(), UV_READABLE)
            hub.switch()
            switches += 1
            assert ours.recv(9) == b"%d" % number
            if chance.random() < 0.5:
                poller.watch(ours.fileno(), 0)

    def turn():
        for reader, (ours, theirs) in zip(readers, pairs, strict=True):
            reader.switch(ours, theirs)
        while readers:
            for fd, _ in poller.poll(5):
                waiting.pop(fd).switch()
            readers[:] = [reader for reader in readers if not reader.dead]

    hub = greenlet.greenlet(turn)
    readers = [greenlet.greenlet(reads, hub) for _ in pairs]
    hub.switch()
    assert switches == 20 * 500
    for ours, theirs in pairs:
        poller.watch(ours.fileno(), 0)
        ours.close()
        theirs.close()


def test_a_regular_file_is_refused_and_the_rest_goes_on(poller, pair):
    fd = os.open("/etc/passwd", os.O_RDONLY)
    try:
        with pytest.raises(PermissionError):
            poller.watch(fd, UV_READABLE)
    finally:
        os.close(fd)
    poller.watch(pair[0].fileno(), UV_WRITABLE)
    assert poller.poll() == [(pair[0].fileno(), UV_WRITABLE)]
