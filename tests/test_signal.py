import gc
import os
import signal
import threading
import weakref

import pytest
import pyuv
from pyuv import errno
from pyuv.error import SignalError

from util import Recorder, in_child


@pytest.fixture
def python_handler():
    """Python's own handler for SIGUSR2; the numbers it got."""
    got = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: got.append(number))
    yield got
    signal.signal(signal.SIGUSR2, before)


def kill(number=signal.SIGUSR2):
    os.kill(os.getpid(), number)


def test_a_signal_calls_back_with_its_number(loop, python_handler):
    handle, seen = pyuv.Signal(loop), Recorder(lambda handle, number: handle.close())
    handle.start(seen, signal.SIGUSR2)
    kill()
    loop.run()
    assert seen.calls == [(handle, signal.SIGUSR2)]
    assert python_handler == []


def test_it_goes_on_until_stopped(loop, python_handler):
    handle = pyuv.Signal(loop)
    seen = Recorder(lambda handle, number: handle.stop() if len(seen) == 3 else kill())
    handle.start(seen, signal.SIGUSR2)
    kill()
    loop.run()
    assert len(seen) == 3


def test_a_signal_wakes_a_sleeping_loop(loop, python_handler):
    handle, seen = pyuv.Signal(loop), Recorder(lambda handle, number: handle.close())
    handle.start(seen, signal.SIGUSR2)
    polled = pyuv.Prepare(loop)
    polled.start(lambda prepare: (prepare.close(), sender.start()))
    sender = threading.Thread(target=kill)
    loop.run()
    sender.join()
    assert len(seen) == 1


def test_oneshot_is_called_once_and_stops(loop, python_handler):
    handle, seen = pyuv.Signal(loop), Recorder()
    handle.start_oneshot(seen, signal.SIGUSR2)
    kill()
    assert loop.run() is False
    assert len(seen) == 1
    assert not handle.active
    kill()
    assert python_handler == [signal.SIGUSR2]


def test_oneshot_may_start_again_in_its_callback(loop, python_handler):
    def again(handle, number):
        if len(seen) < 3:
            handle.start_oneshot(seen, signal.SIGUSR2)
            kill()

    handle, seen = pyuv.Signal(loop), Recorder(again)
    handle.start_oneshot(seen, signal.SIGUSR2)
    kill()
    loop.run()
    assert len(seen) == 3
    kill()
    assert python_handler == [signal.SIGUSR2]


@pytest.mark.parametrize("end", ["stop", "close", "del", "loop"])
def test_pythons_own_handler_is_back_after_the_last_handle(python_handler, end):
    event_loop = pyuv.Loop()
    handles = [pyuv.Signal(event_loop) for _ in range(2)]
    for handle in handles:
        handle.start(lambda *arguments: None, signal.SIGUSR2)
    handles.pop().close()
    event_loop.run(pyuv.UV_RUN_NOWAIT)
    kill()
    assert python_handler == []
    handle = handles.pop()
    if end == "del":
        handle.stop()
    elif end != "loop":
        getattr(handle, end)()
    del handle
    if end == "loop":
        del event_loop
        gc.collect()
    kill()
    assert python_handler == [signal.SIGUSR2]


def test_handles_on_two_loops_get_the_same_signal(loop, python_handler):
    other_loop = pyuv.Loop()
    seen = Recorder(lambda handle, number: handle.close())
    handles = [pyuv.Signal(loop), pyuv.Signal(other_loop)]
    for handle in handles:
        handle.start(seen, signal.SIGUSR2)
    kill()
    loop.run()
    assert [handle for handle, _ in seen.calls] == handles[:1]
    other_loop.run()
    assert [handle for handle, _ in seen.calls] == handles
    other_loop.close()
    kill()
    assert python_handler == [signal.SIGUSR2]


def test_start_for_another_number_gives_the_first_one_back(loop, python_handler):
    handle, seen = pyuv.Signal(loop), Recorder(lambda handle, number: handle.stop())
    handle.start(seen, signal.SIGUSR2)
    assert handle.signum == signal.SIGUSR2
    handle.start(seen, signal.SIGUSR1)
    assert handle.signum == signal.SIGUSR1
    kill()
    assert python_handler == [signal.SIGUSR2]
    kill(signal.SIGUSR1)
    loop.run()
    assert seen.calls == [(handle, signal.SIGUSR1)]
    assert handle.signum is None


BAD = [0, -1, -15, 65, 1000, 2**31 - 1, signal.SIGKILL, signal.SIGSTOP]


@pytest.mark.parametrize("number", BAD)
@pytest.mark.parametrize("method", ["start", "start_oneshot"])
def test_what_is_no_signal_or_cannot_be_caught_is_named(loop, method, number):
    handle = pyuv.Signal(loop)
    with pytest.raises(SignalError) as caught:
        getattr(handle, method)(lambda *arguments: None, number)
    code, message = caught.value.args
    assert code == errno.UV_EINVAL
    assert str(int(number)) in message
    assert not handle.active
    assert handle.signum is None


@pytest.mark.parametrize("number", ["SIGINT", None, 2.0])
def test_a_number_of_another_type(loop, number):
    with pytest.raises(TypeError):
        pyuv.Signal(loop).start(lambda *arguments: None, number)


def test_a_failed_start_does_not_keep_the_handle_alive(loop, python_handler):
    handle = pyuv.Signal(loop)
    handle.start(lambda *arguments: None, signal.SIGUSR2)
    with pytest.raises(SignalError):
        handle.start(lambda *arguments: None, signal.SIGKILL)
    if handle.active:
        kill()
        assert python_handler == []
        handle.stop()
    reference = weakref.ref(handle)
    del handle
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert reference() is None


def test_a_python_handler_set_meanwhile_is_not_the_loops_to_forget():
    """Whoever calls signal.signal while a handle is active has the last word."""
    code = """
        import os, signal, pyuv
        loop = pyuv.Loop()
        handle = pyuv.Signal(loop)
        handle.start(lambda *arguments: None, signal.SIGUSR2)
        got = []
        signal.signal(signal.SIGUSR2, lambda number, frame: got.append(number))
        os.kill(os.getpid(), signal.SIGUSR2)
        print(got == [signal.SIGUSR2])
        handle.close()
        loop.run()
        loop.close()
    """
    assert in_child(code) == ["True"]


def test_an_ignored_signal_is_ignored_again():
    code = """
        import os, signal, pyuv
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        loop = pyuv.Loop()
        handle = pyuv.Signal(loop)
        handle.start(lambda handle, number: (print(number), handle.close()), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        loop.run()
        os.kill(os.getpid(), signal.SIGUSR1)
        print("alive")
    """
    assert in_child(code) == [str(int(signal.SIGUSR1)), "alive"]


def test_a_default_disposition_is_back():
    code = """
        import os, signal, pyuv
        loop = pyuv.Loop()
        handle = pyuv.Signal(loop)
        handle.start_oneshot(lambda *arguments: print("caught", flush=True), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        loop.run()
        os.kill(os.getpid(), signal.SIGTERM)
        print("alive", flush=True)
    """
    assert in_child(code, status=-signal.SIGTERM) == ["caught"]


def test_a_signal_handle_for_sigint_takes_ctrl_c_away():
    code = """
        import os, signal, pyuv
        loop = pyuv.Loop()
        handle = pyuv.Signal(loop)
        handle.start(lambda handle, number: (print("caught"), handle.close()), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        loop.run()
        try:
            os.kill(os.getpid(), signal.SIGINT)
            loop.run()
        except KeyboardInterrupt:
            print("KeyboardInterrupt")
    """
    assert in_child(code) == ["caught", "KeyboardInterrupt"]


@pytest.mark.parametrize("how", ["stop", "close", "drop", "oneshot", "another number"])
def test_a_signal_is_never_at_its_default(how):
    # Another process sends it without a pause: one that meets the default would end this one.
    code = """
import gc, os, pyuv, signal, subprocess, sys
how, count = sys.argv[1], 0
def handler(*arguments):
    global count
    count += 1
signal.signal(signal.SIGUSR1, handler)
loop = pyuv.Loop()
flood = "import os, signal\\nwhile os.getppid() == {0}: os.kill({0}, signal.SIGUSR1)"
sender = subprocess.Popen([sys.executable, "-c", flood.format(os.getpid())])
while not count:
    pass
try:
    handle = pyuv.Signal(loop)
    for _ in range(2000):
        if how == "oneshot":
            handle.start_oneshot(lambda *arguments: None, signal.SIGUSR1)
            loop.run(pyuv.UV_RUN_NOWAIT)
        else:
            handle.start(lambda *arguments: None, signal.SIGUSR1)
        if how == "another number":
            handle.start(lambda *arguments: None, signal.SIGUSR2)
        elif how == "close":
            handle.close()
        elif how != "drop":
            handle.stop()
        if how in ("close", "drop"):
            handle = pyuv.Signal(loop)
            loop.run(pyuv.UV_RUN_NOWAIT)
finally:
    sender.kill()
print("survived")
"""
    assert in_child(code, how) == ["survived"]
