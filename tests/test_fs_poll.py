import os
import threading
import time
import weakref

import pytest
import pyuv
from pyuv import errno, fs
from pyuv.error import FSPollError, HandleClosedError

from util import Recorder, collect, in_child, time_limit

OFTEN = 0.005


def started(loop, path, callback, interval=OFTEN):
    handle = fs.FSPoll(loop)
    handle.start(path, interval, callback)
    return handle


def see(loop, recorder, count=1):
    """Runs the loop until `recorder` has so many calls."""
    with time_limit(loop):
        while len(recorder) < count:
            loop.run(pyuv.UV_RUN_ONCE)


def put(path, content):
    """Has the file be there with this content, and nothing in between for a look to see."""
    fresh = path.with_name("fresh")
    fresh.write_bytes(content)
    fresh.replace(path)


def first_look(loop, *handles):
    """Waits for the look that later ones are compared to: a request that keeps the loop running."""
    for handle in handles:
        handle.ref = False
    with time_limit(loop):
        loop.run()
    for handle in handles:
        handle.ref = True


def look_around(loop, seconds=10 * OFTEN):
    """Runs the loop for some looks."""
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: loop.stop(), seconds)
    loop.run()
    timer.close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


def test_a_change_tells_what_was_and_what_is(loop, file):
    seen = Recorder()
    handle = started(loop, file, seen)
    assert handle.path == str(file)
    first_look(loop, handle)
    look_around(loop)
    assert seen.calls == []
    before = os.stat(file)
    put(file, b"longer than before")
    see(loop, seen)
    [(who, previous, current, error)] = seen.calls
    assert (who, error) == (handle, None)
    assert isinstance(previous, fs.stat_result)
    assert (previous.st_size, current.st_size) == (10, 18)
    assert previous.st_mtime_ns == before.st_mtime_ns
    assert current.st_mtime_ns == os.stat(file).st_mtime_ns
    look_around(loop)
    assert len(seen) == 1


def test_being_read_is_no_change(loop, file):
    os.utime(file, ns=(1, os.stat(file).st_mtime_ns))
    handle = started(loop, file, pytest.fail)
    first_look(loop, handle)
    assert file.read_bytes()
    look_around(loop)


def test_what_is_missing_is_told_once_and_what_comes_is_a_change(loop, tmp_path):
    path = tmp_path / "file"
    seen = Recorder()
    handle = started(loop, path, seen)
    see(loop, seen)
    look_around(loop)
    assert seen.calls == [(handle, None, None, errno.UV_ENOENT)]
    put(path, b"1")
    see(loop, seen, 2)
    _, previous, current, error = seen.calls[1]
    assert (previous.st_size, previous.st_ino, current.st_size, error) == (0, 0, 1, None)
    path.unlink()
    see(loop, seen, 3)
    look_around(loop)
    assert seen.calls[2:] == [(handle, None, None, errno.UV_ENOENT)]
    path.mkdir()
    see(loop, seen, 4)
    assert seen.calls[3][1].st_size == 1
    path.rmdir()
    path.symlink_to(path.name)
    see(loop, seen, 5)
    while seen.calls[-1][3] != errno.UV_ELOOP:
        see(loop, seen, len(seen) + 1)


def test_bytes_and_undecodable_paths(loop, tmp_path):
    odd = os.fsencode(tmp_path) + b"/odd \xff"
    seen = Recorder()
    in_bytes, in_str = started(loop, odd, seen), started(loop, os.fsdecode(odd), seen)
    assert (in_bytes.path, in_str.path) == (odd, os.fsdecode(odd))
    see(loop, seen, 2)
    os.mkdir(odd)
    see(loop, seen, 4)
    assert [call[3] for call in seen.calls] == [errno.UV_ENOENT] * 2 + [None] * 2


def test_starting_an_active_handle_starts_anew(loop, file, tmp_path):
    seen = Recorder()
    handle = started(loop, file, pytest.fail, 60)
    handle.start(tmp_path / "missing", OFTEN, seen)
    assert handle.path == str(tmp_path / "missing")
    see(loop, seen)
    assert seen.calls[0][3] == errno.UV_ENOENT


def test_restarting_while_a_look_is_in_flight(loop, file):
    """uv_fs_poll_t fails an assertion when the timer of the first start goes off."""
    seen = Recorder()
    handle = started(loop, file, pytest.fail)
    for _ in range(20):
        handle.stop()
        handle.start(file, OFTEN, seen)
    first_look(loop, handle)
    look_around(loop)
    assert seen.calls == []
    put(file, b"changed")
    see(loop, seen)
    look_around(loop)
    assert len(seen) == 1


def test_restarting_in_the_callback(loop, file):
    """As above: uv_fs_poll_t's look is always in flight there."""
    seen = Recorder(lambda handle, *rest: (handle.stop(), handle.start(file, OFTEN, seen)))
    handle = started(loop, file, seen)
    for count in (1, 2, 3):
        first_look(loop, handle)
        put(file, b"x" * count)
        see(loop, seen, count)
        look_around(loop)
    assert len(seen) == 3


def test_stop_and_close_in_the_callback(loop, tmp_path):
    closed = Recorder()
    stopped = started(loop, tmp_path / "a", lambda handle, *rest: handle.stop())
    started(loop, tmp_path / "b", lambda handle, *rest: handle.close(closed))
    with time_limit(loop):
        loop.run()
    assert (stopped.active, stopped.path, len(closed)) == (False, "", 1)


def test_what_a_look_in_flight_finds_after_stop_is_not_told(loop, tmp_path):
    stopped, closed = (started(loop, tmp_path / name, pytest.fail) for name in "ab")
    stopped.stop()
    closed.close()
    loop.run()
    assert loop.handles == [stopped]


def test_after_close_nothing_works(loop, file):
    handle = started(loop, file, pytest.fail)
    handle.close()
    for call in (
        lambda: handle.start(file, 1, pytest.fail),
        handle.stop,
        lambda: handle.path,
        lambda: handle.close(print),
    ):
        with pytest.raises(HandleClosedError):
            call()


def test_bad_arguments_leave_the_handle_as_it_was(loop, file):
    handle = fs.FSPoll(loop)
    for path, interval, callback, error in [
        (file, 1, None, TypeError),
        (5, 1, pytest.fail, TypeError),
        (file, "1", pytest.fail, TypeError),
        (file, -1, pytest.fail, ValueError),
        (file, float("nan"), pytest.fail, ValueError),
        (file, 1e300, pytest.fail, ValueError),
        ("a\0b", 1, pytest.fail, ValueError),
    ]:
        with pytest.raises(error):
            handle.start(path, interval, callback)
        assert (handle.active, handle.path) == (False, "")
    with pytest.raises(RuntimeError, match="second time"):
        handle.__init__(loop)
    assert issubclass(FSPollError, pyuv.error.HandleError)


def test_an_interval_of_nothing_is_a_millisecond(loop, file):
    seen = Recorder()
    first_look(loop, started(loop, file, seen, 0))
    put(file, b"")
    see(loop, seen)


def test_a_long_interval_is_waited_for(loop, file):
    seen = Recorder()
    # Intervals are counted from when the loop last looked at the clock.
    loop.update_time()
    begin = time.monotonic()
    first_look(loop, started(loop, file, seen, 0.3))
    put(file, b"changed")
    see(loop, seen)
    assert time.monotonic() - begin >= 0.29


def test_an_active_handle_is_kept_alive_and_a_stopped_one_is_not(loop, file):
    seen = Recorder()
    alive = weakref.ref(started(loop, file, seen))
    collect()
    assert loop.handles == [alive()]
    first_look(loop, alive())
    put(file, b"changed")
    see(loop, seen)
    seen.calls.clear()
    alive().stop()
    collect()
    assert alive() is None
    loop.run()
    assert loop.handles == []


def test_without_ref_it_does_not_keep_the_loop_running(loop, file):
    handle = started(loop, file, pytest.fail)
    handle.ref = False
    with time_limit(loop):
        loop.run()
    assert handle.active


def test_a_loop_is_dropped_while_the_pool_is_busy(file):
    """A uv_fs_poll_t would have to wait for its stat, which waits for this very thread."""
    go_on = threading.Event()
    busy = pyuv.Loop()
    threads = int(os.environ.get("UV_THREADPOOL_SIZE", "4"))
    for _ in range(threads):
        busy.queue_work(go_on.wait)
    event_loop = pyuv.Loop()
    handle = started(event_loop, file, pytest.fail)
    dies = weakref.ref(event_loop)
    del handle, event_loop
    collect()
    assert dies() is None
    go_on.set()
    busy.run()


def test_a_handle_is_closed_while_the_pool_is_busy(loop, file):
    go_on = threading.Event()
    busy = pyuv.Loop()
    for _ in range(int(os.environ.get("UV_THREADPOOL_SIZE", "4"))):
        busy.queue_work(go_on.wait)
    closed = Recorder()
    handle = started(loop, file, pytest.fail, 0.001)
    handle.close(closed)
    with time_limit(loop):
        while not closed:
            loop.run(pyuv.UV_RUN_ONCE)
    go_on.set()
    busy.run()
    loop.run()


def test_many_at_once_each_tell_of_their_own(loop, tmp_path):
    told = {}

    def on_change(handle, previous, current, error):
        told[handle.path] = current.st_size
        handle.close()

    paths = [tmp_path / str(number) for number in range(100)]
    for path in paths:
        path.touch()
    first_look(loop, *[started(loop, path, on_change) for path in paths])
    for number, path in enumerate(paths, 1):
        put(path, bytes(number))
    with time_limit(loop):
        loop.run()
    assert set(told) == {str(path) for path in paths}


def test_it_goes_on_in_a_forked_child(tmp_path):
    code = """
import os, signal, sys, warnings, pyuv
warnings.simplefilter("ignore", DeprecationWarning)
signal.alarm(30)
os.chdir(sys.argv[1])
open("file", "w").close()
loop = pyuv.Loop()
handle = pyuv.fs.FSPoll(loop)
handle.start("file", 0.005, lambda handle, *rest: (handle.close(), print(rest[1].st_size, flush=True)))
handle.ref = False
loop.run()
handle.ref = True
pid = os.fork()
if pid == 0:
    try:
        loop.fork()
        with open("fresh", "w") as file:
            file.write("12345")
        os.rename("fresh", "file")
        loop.run()
    finally:
        os._exit(0)
os.waitpid(pid, 0)
loop.run()
"""
    assert in_child(code, tmp_path) == ["5", "5"]
