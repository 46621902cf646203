import os
import re
import signal
import socket
import weakref

import pytest
import pyuv
from pyuv.error import HandleClosedError

from util import Recorder, collect

MAKE = {
    "Async": lambda loop, fd: pyuv.Async(loop, lambda handle: None),
    "Check": lambda loop, fd: pyuv.Check(loop),
    "Idle": lambda loop, fd: pyuv.Idle(loop),
    "Poll": lambda loop, fd: pyuv.Poll(loop, fd),
    "Prepare": lambda loop, fd: pyuv.Prepare(loop),
    "Signal": lambda loop, fd: pyuv.Signal(loop),
    "SignalChecker": lambda loop, fd: pyuv.util.SignalChecker(loop, fd),
    "Timer": lambda loop, fd: pyuv.Timer(loop),
}

START = {
    "Check": lambda handle, callback: handle.start(callback),
    "Idle": lambda handle, callback: handle.start(callback),
    "Poll": lambda handle, callback: handle.start(pyuv.UV_READABLE, callback),
    "Prepare": lambda handle, callback: handle.start(callback),
    "Signal": lambda handle, callback: handle.start(callback, signal.SIGUSR1),
    "Signal oneshot": lambda handle, callback: handle.start_oneshot(callback, signal.SIGUSR1),
    "Timer": lambda handle, callback: handle.start(callback, 60),
}

AFTER_CLOSE = {
    "Async": [lambda handle: handle.send()],
    "Check": [lambda handle: handle.start(print), lambda handle: handle.stop()],
    "Idle": [lambda handle: handle.start(print), lambda handle: handle.stop()],
    "Poll": [
        lambda handle: handle.start(pyuv.UV_READABLE, print),
        lambda handle: handle.stop(),
        lambda handle: handle.fileno(),
    ],
    "Prepare": [lambda handle: handle.start(print), lambda handle: handle.stop()],
    "Signal": [
        lambda handle: handle.start(print, signal.SIGUSR1),
        lambda handle: handle.start_oneshot(print, signal.SIGUSR1),
        lambda handle: handle.stop(),
        lambda handle: handle.signum,
    ],
    "SignalChecker": [lambda handle: handle.start(), lambda handle: handle.stop()],
    "Timer": [
        lambda handle: handle.start(print, 1),
        lambda handle: handle.stop(),
        lambda handle: handle.again(),
        lambda handle: handle.repeat,
        lambda handle: setattr(handle, "repeat", 1),
        lambda handle: handle.due_in,
    ],
}


@pytest.fixture
def pair():
    """Two connected sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(params=MAKE)
def handle(request, loop, pair):
    """One handle of each class, inactive but for Async; closed before its fd is."""
    made = MAKE[request.param](loop, pair[0].fileno())
    yield made
    if not loop.closed:
        if not made.closed:
            made.close()
        loop.run(pyuv.UV_RUN_NOWAIT)


def begin(handle, callback=None):
    """Make the handle active, whatever it is."""
    name = type(handle).__name__
    if name == "SignalChecker":
        handle.start()
    elif name != "Async":
        START[name](handle, callback or (lambda *arguments: None))


def test_a_handle_knows_its_loop(handle, loop):
    assert handle.loop is loop
    assert isinstance(handle, pyuv.Handle)
    assert handle.closed is False


def test_a_handle_is_active_from_start_to_stop(handle):
    if isinstance(handle, pyuv.Async):
        assert handle.active is True
        return
    assert handle.active is False
    begin(handle)
    assert handle.active is True
    handle.stop()
    assert handle.active is False
    begin(handle)
    assert handle.active is True


def test_stop_of_a_handle_that_is_not_started_does_nothing(handle):
    if isinstance(handle, pyuv.Async):
        assert not hasattr(handle, "stop")
        return
    handle.stop()
    assert handle.active is False


def test_an_unreferenced_handle_does_not_keep_the_loop_running(handle, loop):
    begin(handle)
    assert handle.ref is True
    assert loop.alive
    handle.ref = False
    assert handle.ref is False
    assert handle.active is True
    assert not loop.alive
    assert loop.run() is False
    handle.ref = True
    assert loop.alive


def test_ref_takes_a_bool_alone(handle):
    with pytest.raises(TypeError):
        handle.ref = "yes"
    with pytest.raises((TypeError, AttributeError)):
        del handle.ref
    assert handle.ref is True


@pytest.mark.parametrize("name", ["active", "closed", "loop"])
def test_the_state_cannot_be_set(handle, name):
    with pytest.raises(AttributeError):
        setattr(handle, name, True)
    assert handle.closed is False


def test_closed_is_true_at_once_and_the_callback_comes_in_a_later_iteration(handle, loop):
    begin(handle)
    closed = Recorder()
    handle.close(closed)
    assert handle.closed is True
    assert handle.active is False
    assert closed.calls == []
    loop.run()
    assert closed.calls == [(handle,)]
    assert handle.closed is True
    loop.run()
    assert len(closed) == 1


def test_close_without_callback(handle, loop):
    handle.close()
    loop.run()
    assert handle.closed is True


def test_close_with_none(handle, loop):
    handle.close(None)
    loop.run()
    assert handle.closed is True


def test_close_by_keyword(handle, loop):
    closed = Recorder()
    handle.close(callback=closed)
    loop.run()
    assert len(closed) == 1


@pytest.mark.parametrize("callback", [1, "callback", ()])
def test_a_close_callback_that_is_not_callable_is_named_and_nothing_is_closed(handle, callback):
    with pytest.raises(TypeError, match=re.escape(repr(callback))):
        handle.close(callback)
    assert handle.closed is False


def test_a_second_close_does_nothing_and_with_a_callback_raises(handle, loop):
    closed = Recorder()
    handle.close(closed)
    for _ in range(2):
        handle.close()
        with pytest.raises(HandleClosedError):
            handle.close(Recorder())
        loop.run()
    assert len(closed) == 1


def test_a_with_block_closes_the_handle(handle, loop):
    with handle as entered:
        assert entered is handle
    assert handle.closed
    with pytest.raises(KeyError), handle:
        raise KeyError
    loop.run()


def test_a_with_block_calls_the_close_of_a_subclass(loop):
    class Mine(pyuv.Timer):
        def close(self):
            closed.append(self)
            super().close()

    closed = []
    with Mine(loop) as timer:
        pass
    assert closed == [timer]
    with pytest.raises(RuntimeError, match="__init__"), Mine.__new__(Mine):
        pass


def test_no_callback_comes_after_close(handle, loop, pair):
    seen = Recorder()
    begin(handle, seen)
    pair[1].send(b"x")
    if isinstance(handle, pyuv.Async):
        handle.send()
    handle.close()
    loop.run()
    assert seen.calls == []


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name in AFTER_CLOSE for number in range(len(AFTER_CLOSE[name]))]
)
def test_every_call_after_close_raises(loop, pair, name, number):
    handle, call = MAKE[name](loop, pair[0].fileno()), AFTER_CLOSE[name][number]
    handle.close()
    for _ in range(2):
        # While it is closing, and when it is closed.
        with pytest.raises(HandleClosedError):
            call(handle)
        loop.run()


def test_ref_of_a_closed_handle_raises_or_does_nothing(handle, loop):
    handle.close()
    for _ in range(2):
        with pytest.raises(HandleClosedError):
            handle.ref = False
        loop.run()
    assert handle.closed


def test_active_and_loop_of_a_closed_handle(handle, loop):
    handle.close()
    loop.run()
    assert handle.active is False
    assert handle.loop is loop
    assert handle.closed is True


def test_a_closed_handle_outlives_its_loop(handle, loop):
    handle.close()
    loop.run()
    loop.close()
    assert handle.closed is True
    assert handle.active is False
    handle.close()
    with pytest.raises(HandleClosedError):
        handle.close(print)


@pytest.mark.parametrize("callback", [None, 1, "callback", object()])
@pytest.mark.parametrize("name", START)
def test_a_callback_that_is_not_callable_is_named_and_nothing_is_started(loop, pair, name, callback):
    handle = MAKE[name.split()[0]](loop, pair[0].fileno())
    with pytest.raises(TypeError, match=re.escape(repr(callback))):
        START[name](handle, callback)
    assert handle.active is False
    handle.close()
    loop.run()


def start_soon(name, handle, callback):
    """Start a handle; a timer so that it is due at once."""
    if name == "Timer":
        handle.start(callback, 0)
    else:
        START[name](handle, callback)


def cause_and_run(loop, name, pair, handle):
    """Cause what the handle waits for, and run the loop until it has closed itself."""
    pair[1].send(b"x")
    if name.startswith("Signal"):
        os.kill(os.getpid(), signal.SIGUSR1)
    if name == "Check":
        pyuv.Timer(loop).start(lambda timer: None, 0)
    while not handle.closed:
        loop.run(pyuv.UV_RUN_ONCE)
    loop.run()


@pytest.mark.parametrize("name", START)
def test_a_failed_start_leaves_the_first_callback_in_place(loop, pair, name):
    handle, first = MAKE[name.split()[0]](loop, pair[0].fileno()), Recorder(lambda handle, *_: handle.close())
    start_soon(name, handle, first)
    with pytest.raises(TypeError):
        START[name](handle, "not callable")
    cause_and_run(loop, name, pair, handle)
    assert len(first) == 1


@pytest.mark.parametrize("name", START)
def test_a_second_start_replaces_the_callback(loop, pair, name):
    handle, first = MAKE[name.split()[0]](loop, pair[0].fileno()), Recorder()
    START[name](handle, first)
    second = Recorder(lambda handle, *_: handle.close())
    start_soon(name, handle, second)
    cause_and_run(loop, name, pair, handle)
    assert first.calls == []
    assert len(second) == 1


@pytest.mark.parametrize("not_a_loop", [None, 1, "loop", object(), pyuv.Loop])
@pytest.mark.parametrize("name", MAKE)
def test_what_is_no_loop_is_refused(pair, name, not_a_loop):
    with pytest.raises(TypeError):
        MAKE[name](not_a_loop, pair[0].fileno())


@pytest.mark.parametrize("name", sorted({*MAKE} - {"SignalChecker"}))
def test_constructors_want_their_arguments(name):
    with pytest.raises(TypeError):
        getattr(pyuv, name)()


def test_a_second_init_is_refused(handle, loop, pair):
    arguments = {"Poll": (pair[1].fileno(),), "SignalChecker": (pair[1].fileno(),)}
    with pytest.raises(RuntimeError):
        handle.__init__(loop, *arguments.get(type(handle).__name__, ()))
    assert handle.closed is False
    assert loop.handles == [handle]


@pytest.mark.parametrize("name", MAKE)
def test_a_subclass_that_does_not_call_init_is_told_so(name):
    base = getattr(pyuv, name, None) or getattr(pyuv.util, name)

    class Mine(base):
        def __init__(self):
            pass

    handle = Mine()
    shared = [
        lambda handle: handle.active,
        lambda handle: handle.closed,
        lambda handle: handle.loop,
        lambda handle: handle.ref,
        lambda handle: setattr(handle, "ref", False),
        lambda handle: handle.close(),
        lambda handle: handle.close(print),
    ]
    for call in shared + AFTER_CLOSE[name]:
        with pytest.raises(RuntimeError, match="__init__"):
            call(handle)
    assert "not initialised" in repr(handle)


def test_a_bare_handle_is_of_no_use(loop):
    try:
        handle = pyuv.Handle()
    except TypeError:
        handle = None
    if handle is not None:
        with pytest.raises(RuntimeError):
            handle.close()
    assert loop.handles == []


@pytest.mark.parametrize("name", MAKE)
def test_subclasses_attributes_and_weak_references(loop, pair, name):
    base = getattr(pyuv, name, None) or getattr(pyuv.util, name)

    class Mine(base):
        def __init__(self, *arguments, label):
            super().__init__(*arguments)
            self.label = label

    fds = (pair[0].fileno(),) if name in {"Poll", "SignalChecker"} else ()
    handle = Mine(loop, *fds, label="mine")
    handle.other = 1
    assert (handle.label, handle.other) == ("mine", 1)
    assert loop.handles == [handle]
    assert "Mine" in repr(handle)
    reference = weakref.ref(handle)
    handle.close()
    loop.run()
    del handle
    collect()
    assert reference() is None


def test_repr_tells_class_and_state(handle, loop):
    assert type(handle).__name__ in repr(handle)
    begin(handle)
    assert " active" in repr(handle)
    handle.close()
    assert "closed" in repr(handle)


def test_a_close_callback_may_make_and_close_handles(loop):
    seen = []

    def again(handle):
        seen.append(handle)
        if len(seen) < 10:
            pyuv.Timer(loop).close(again)

    pyuv.Timer(loop).close(again)
    loop.run()
    assert len(seen) == 10
    assert loop.handles == []


def test_close_inside_its_own_callback(loop):
    closed, ticks = Recorder(), Recorder(lambda timer: timer.close(closed))
    pyuv.Timer(loop).start(ticks, 0, 0.001)
    loop.run()
    assert len(ticks) == 1
    assert len(closed) == 1


def test_a_handle_closes_another_whose_callback_is_due_in_the_same_iteration(loop):
    timers = [pyuv.Timer(loop) for _ in range(2)]
    seen = []

    def close_other(timer):
        seen.append(timer)
        for other in timers:
            if other is not timer:
                other.close()

    for timer in timers:
        timer.start(close_other, 0)
    loop.run()
    assert len(seen) == 1
