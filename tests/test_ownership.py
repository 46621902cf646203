"""A loop is one thread's at a time, from a method's first step to its last."""

import collections
import gc
import socket
import subprocess
import sys
import threading
import weakref

import pytest
import pyuv
from pyuv import dns, fs

from util import Recorder, collect


@pytest.fixture
def switching():
    """Threads change places as often as CPython can have them."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Stops:
    """A callback that stops its handle when it is let go."""

    def __init__(self, handle, stop="stop"):
        self.handle = weakref.ref(handle)
        self.stop = stop

    def __call__(self, *arguments):
        pass

    def __del__(self):
        getattr(self.handle(), self.stop)()


def starters(loop, tmp_path):
    """How each class of handle is started again and again, and stopped."""
    ours, theirs = socket.socketpair()
    timer, idle, prepare, check = (cls(loop) for cls in (pyuv.Timer, pyuv.Idle, pyuv.Prepare, pyuv.Check))
    poll, signal, stream = pyuv.Poll(loop, ours.fileno()), pyuv.Signal(loop), pyuv.Pipe(loop)
    stream.open(theirs.detach())
    change = fs.FSPoll(loop)
    yield timer, "stop", lambda callback: timer.start(callback, 100)
    yield idle, "stop", idle.start
    yield prepare, "stop", prepare.start
    yield check, "stop", check.start
    yield poll, "stop", lambda callback: poll.start(pyuv.UV_READABLE, callback)
    yield signal, "stop", lambda callback: signal.start(callback, 10)
    yield stream, "stop_read", stream.start_read
    yield change, "stop", lambda callback: change.start(str(tmp_path), 1.0, callback)
    ours.close()


def test_a_callback_that_stops_its_handle_as_it_goes_leaves_nothing_in_the_loop(loop, tmp_path):
    for handle, stop, start in starters(loop, tmp_path):
        name = type(handle).__name__
        start(Stops(handle, stop))
        start(Recorder())
        collect()
        assert not handle.active, name
        gone = weakref.ref(handle)
        del handle, start
        gc.collect()
        # The generator has them until its end.
        assert gone() is not None, name
    collect()
    assert [handle for handle in loop.handles if not handle.closed] == []


def test_what_a_listener_replaces_may_close_it(loop):
    server = pyuv.TCP(loop)
    server.bind(("127.0.0.1", 0))
    server.listen(Stops(server, "close"))
    server.listen(Recorder())
    assert server.closed
    gone = weakref.ref(server)
    del server
    loop.run()
    gc.collect()
    assert gone() is None


def test_a_close_from_another_thread_while_run_is_set_up_is_refused_or_done(switching):
    seen = collections.Counter()
    done = False
    loops = [pyuv.Loop()]

    def close():
        while not done:
            try:
                loops[0].close()
                seen["closed"] += 1
            except RuntimeError as error:
                seen[str(error)] += 1

    threads = [threading.Thread(target=close) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(1000):
            loops[0] = loop = pyuv.Loop()
            try:
                loop.run()
            except RuntimeError as error:
                seen[str(error)] += 1
    finally:
        done = True
        for thread in threads:
            thread.join()
    refused = [text for text in seen if text not in ("closed", "the loop is closed")]
    assert all("Async.send" in text for text in refused), seen


def elsewhere(loop, function, *arguments):
    """What a call comes to that another thread makes while the loop runs."""
    outcome = []

    def call():
        try:
            outcome.append(function(*arguments))
        except Exception as error:
            outcome.append(error)

    def meanwhile(timer):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        timer.close()

    timer = pyuv.Timer(loop)
    timer.start(meanwhile, 0)
    loop.run(pyuv.UV_RUN_ONCE)
    loop.run(pyuv.UV_RUN_NOWAIT)
    return outcome[0]


def is_refused(outcome):
    return isinstance(outcome, RuntimeError) and "Async.send" in str(outcome)


def test_a_method_that_another_thread_calls_meanwhile_changes_nothing(loop):
    ours, theirs = socket.socketpair()
    stream, udp, timer = pyuv.Pipe(loop), pyuv.UDP(loop), pyuv.Timer(loop)
    stream.open(ours.detach())
    callback = Recorder()
    calls = [
        (stream.write, b"data", callback),
        (stream.start_read, callback),
        (stream.shutdown, callback),
        (udp.send, ("127.0.0.1", 9), b"data", callback),
        (udp.start_recv, callback),
        (timer.start, callback, 0),
        (timer.close, callback),
        (loop.queue_work, callback, callback),
        (fs.stat, loop, "/", callback),
        (dns.getaddrinfo, loop, "localhost", 80, 0, 0, 0, 0, callback),
        (setattr, loop, "excepthook", callback),
        (getattr, loop, "handles"),
        (loop.close,),
        (loop.run,),
    ]
    references = sys.getrefcount(callback)
    for function, *arguments in calls:
        outcome = elsewhere(loop, function, *arguments)
        assert is_refused(outcome), (function, outcome)
        # The error and the frame that it came from refer to each other.
        del outcome, arguments
        gc.collect()
        assert sys.getrefcount(callback) == references, function
    assert not timer.closed
    # What was refused stands in nobody's way.
    written = Recorder()
    stream.write(b"more", written)
    loop.run()
    assert written.calls == [(stream, None)]
    assert theirs.recv(100) == b"more"
    assert callback.calls == []
    theirs.close()


def test_threads_that_take_turns_lose_nothing(loop, switching):
    """Writes, timers and files of four threads: each is refused, or told of once."""
    peers = [socket.socketpair() for _ in range(4)]
    streams = [pyuv.Pipe(loop) for _ in peers]
    for stream, (ours, _) in zip(streams, peers, strict=True):
        stream.open(ours.detach())
    told, expected, refused = collections.Counter(), collections.Counter(), collections.Counter()
    messages = set()
    start = threading.Barrier(len(streams))

    def work(number):
        start.wait()
        for turn in range(200):
            what = (number, turn)

            def tell(*_, what=what):
                told[what] += 1

            try:
                streams[number].write(b"x" * 1000, tell)
                expected[what] += 1
                timer = pyuv.Timer(loop)
                expected[what] += 1
                timer.start(tell, 0)
                expected[what] += 1
                fs.stat(loop, "/", tell)
            except RuntimeError as error:
                messages.add(str(error))
                if expected[what]:
                    expected[what] -= 1
                refused[number] += 1
            try:
                loop.run(pyuv.UV_RUN_NOWAIT)
            except RuntimeError as error:
                messages.add(str(error))

    def drain(socket):
        while socket.recv(1 << 16):
            pass

    readers = [threading.Thread(target=drain, args=(theirs,)) for _, theirs in peers]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in readers + threads:
        thread.start()
    for thread in threads:
        thread.join()
    loop.run()
    assert all("Async.send" in message for message in messages), messages
    for what, count in expected.items():
        # A timer whose start was refused is not told of.
        assert told[what] in (count, count + 1) if refused[what[0]] else told[what] == count, what
    for stream in streams:
        stream.close()
    loop.run()
    for thread in readers:
        thread.join()
    for _, theirs in peers:
        theirs.close()


def test_a_close_from_python_that_run_itself_calls_is_an_error():
    code = """
import signal
original, seen = signal.set_wakeup_fd, []

def set_wakeup_fd(*arguments, **options):
    try:
        loop.close()
        seen.append("closed")
    except Exception as error:
        seen.append(type(error).__name__)
    return original(*arguments, **options)

signal.set_wakeup_fd = set_wakeup_fd
import pyuv
loop = pyuv.Loop()
loop.run()
print(seen, loop.closed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "['UVError', 'closed'] True\n"), done.stderr
