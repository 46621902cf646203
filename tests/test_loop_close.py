import os
import threading

import pytest
import pyuv
from pyuv import dns, errno, fs

from util import Recorder, collect


def test_close_with_open_handles_names_them(loop):
    timer, idle = pyuv.Timer(loop), pyuv.Idle(loop)
    timer.start(lambda timer: None, 60)
    with pytest.raises(pyuv.error.UVError) as caught:
        loop.close()
    code, message = caught.value.args
    assert code == errno.UV_EBUSY
    assert "Timer" in message
    assert "Idle" in message
    assert not loop.closed
    assert not idle.closed


def test_close_with_thousands_of_open_handles_counts_them(loop):
    handles = [pyuv.Timer(loop) for _ in range(5000)] + [pyuv.Idle(loop)]
    with pytest.raises(pyuv.error.UVError) as caught:
        loop.close()
    assert caught.value.args[1].endswith("still open: 5000 Timer (inactive), Idle (inactive) (close)")
    assert not any(handle.closed for handle in handles)


def test_a_loop_that_was_not_closed_is_still_usable(loop):
    timer = pyuv.Timer(loop)
    with pytest.raises(pyuv.error.UVError):
        loop.close()
    ticks = Recorder()
    timer.start(ticks, 0)
    loop.run()
    assert len(ticks) == 1


def test_close_with_work_in_flight_is_refused(loop):
    release = threading.Event()
    loop.queue_work(release.wait)
    with pytest.raises(pyuv.error.UVError, match="request") as caught:
        loop.close()
    assert caught.value.args[0] == errno.UV_EBUSY
    release.set()
    loop.run()


def test_close_runs_close_callbacks_that_are_due(loop):
    timer, closed = pyuv.Timer(loop), Recorder()
    timer.close(closed)
    loop.close()
    assert closed.calls == [(timer,)]
    assert loop.closed


def test_a_close_callback_that_makes_a_handle_during_close_does_no_harm(loop):
    made = []
    pyuv.Timer(loop).close(lambda timer: made.append(pyuv.Timer(loop)))
    with pytest.raises(pyuv.error.UVError, match="Timer") as caught:
        loop.close()
    assert caught.value.args[0] == errno.UV_EBUSY
    made[0].close()
    loop.close()
    assert loop.closed


@pytest.mark.parametrize(
    "call",
    [
        lambda loop: loop.run(),
        lambda loop: loop.stop(),
        lambda loop: loop.now(),
        lambda loop: loop.update_time(),
        lambda loop: loop.fileno(),
        lambda loop: loop.get_timeout(),
        lambda loop: loop.alive,
        lambda loop: loop.handles,
        lambda loop: loop.close(),
        lambda loop: loop.fork(),
        lambda loop: loop.configure(metrics_idle_time=True),
        lambda loop: loop.metrics(),
        lambda loop: loop.counters,
        lambda loop: loop.queue_work(print),
        lambda loop: pyuv.Timer(loop),
        lambda loop: pyuv.Async(loop),
        lambda loop: pyuv.Signal(loop),
        lambda loop: pyuv.Poll(loop, 0),
        lambda loop: pyuv.Idle(loop),
        lambda loop: pyuv.util.SignalChecker(loop, 0),
    ],
)
def test_every_call_on_a_closed_loop_is_a_runtime_error(call):
    event_loop = pyuv.Loop()
    event_loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        call(event_loop)
    assert event_loop.closed


def test_close_from_a_callback_is_refused(loop):
    caught = []

    def close(timer):
        timer.close()
        try:
            loop.close()
        except RuntimeError as error:
            caught.append(str(error))

    pyuv.Timer(loop).start(close, 0)
    loop.run()
    assert len(caught) == 1
    assert "running" in caught[0]


def test_a_loop_whose_fd_was_closed_says_so():
    event_loop = pyuv.Loop()
    pyuv.Timer(event_loop).start(lambda timer: None, 0)
    number = event_loop.fileno()
    os.close(number)
    with pytest.raises(pyuv.error.UVError, match="closed the loop's fd") as raised:
        event_loop.run()
    assert raised.value.args[0] == pyuv.errno.UV_EBADF
    # And goes on saying so when the number is somebody else's, who does not lose it with the loop.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, number)
    with pytest.raises(pyuv.error.UVError, match="closed the loop's fd"):
        event_loop.close()
    del event_loop, raised
    collect()
    assert os.path.samestat(os.fstat(number), os.stat(os.devnull))
    for fd in {null, number}:
        os.close(fd)


def test_close_with_handles_closes_all_that_is_open(tmp_path):
    loop = pyuv.Loop()
    server = pyuv.TCP(loop)
    server.bind(("127.0.0.1", 0))
    server.listen(print)
    client = pyuv.TCP(loop)
    told = []
    client.connect(server.getsockname(), lambda handle, error: told.append("connect"))
    timer = pyuv.Timer(loop)
    timer.start(print, 60)
    idle = pyuv.Timer(loop)
    channel = dns.Channel(loop, ["192.0.2.1"])
    channel.query("example.com", "A", lambda answer, error: told.append(error))
    watcher = fs.FSEvent(loop)
    watcher.start(tmp_path, 0, print)
    loop.close(handles=True)
    assert loop.closed
    assert channel.closed
    assert all(handle.closed for handle in (server, client, timer, idle, watcher))
    assert sorted(told, key=str) == [dns.ARES_EDESTRUCTION, "connect"]


def test_close_with_handles_waits_for_work_and_cancels_what_has_not_begun():
    loop = pyuv.Loop()
    begun, gate = threading.Event(), threading.Event()
    ended = []

    def work():
        begun.set()
        gate.wait()

    loop.queue_work(work, lambda error: ended.append(error))
    begun.wait()
    rest = [loop.queue_work(gate.wait, lambda error: ended.append(error)) for _ in range(100)]
    threading.Timer(0.05, gate.set).start()
    loop.close(handles=True)
    assert loop.closed
    assert len(ended) == 1 + len(rest)
    assert ended.count(pyuv.errno.UV_ECANCELED) >= 90


def test_close_with_handles_closes_what_close_callbacks_open():
    loop = pyuv.Loop()
    made = []

    def closed(handle):
        if len(made) < 5:
            made.append(pyuv.Timer(loop))
            made[-1].close(closed)
            made.append(pyuv.Timer(loop))

    pyuv.Timer(loop).close(closed)
    loop.close(handles=True)
    assert loop.closed
    assert all(timer.closed for timer in made)


def test_close_with_handles_in_a_callback_is_refused_and_closes_nothing():
    loop = pyuv.Loop()
    other = pyuv.Timer(loop)
    seen = []

    def misuse(timer):
        try:
            loop.close(handles=True)
        except RuntimeError as error:
            seen.append((str(error), other.closed))

    pyuv.Timer(loop).start(misuse, 0)
    loop.run()
    assert seen == [("the loop is already running", False)]
    loop.close(handles=True)


def test_a_with_block_closes_the_loop_with_what_is_on_it():
    with pyuv.Loop() as loop:
        timer = pyuv.Timer(loop)
        timer.start(print, 60)
    assert loop.closed
    assert timer.closed
    with loop:
        pass
    failing = pyuv.Loop()
    pyuv.Timer(failing).start(print, 60)
    with pytest.raises(KeyError), failing:
        raise KeyError
    assert failing.closed


def test_close_with_handles_ends_though_callbacks_go_on_and_on(loop):
    goes_on = True

    def again(*arguments):
        if goes_on:
            pyuv.Idle(loop).start(lambda idle: None)
            pyuv.Async(loop, again).close(again)

    pyuv.Timer(loop).close(again)
    with pytest.raises(pyuv.error.UVError, match="still open"):
        loop.close(handles=True)
    goes_on = False
    loop.close(handles=True)
    assert loop.closed


def test_close_with_handles_ends_what_a_callback_starts_and_leaves(loop):
    ticks = Recorder()
    pyuv.Timer(loop).close(lambda timer: pyuv.Idle(loop).start(ticks))
    loop.close(handles=True)
    assert loop.closed
    assert len(ticks) <= 1
