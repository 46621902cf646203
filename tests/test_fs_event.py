import contextlib
import os
import tempfile
import weakref
from pathlib import Path

import pytest
import pyuv
from pyuv import errno, fs
from pyuv.error import FSEventError, HandleClosedError

from util import IN_FORK, Recorder, collect, in_child, open_fds, time_limit

PRELUDE = """
import os, signal, sys, warnings, pyuv
from pyuv import errno, fs
warnings.simplefilter("ignore", DeprecationWarning)
signal.alarm(30)
loop = pyuv.Loop()
os.chdir(sys.argv[1])
"""


def started(loop, path, callback, flags=0):
    handle = fs.FSEvent(loop)
    handle.start(path, flags, callback)
    return handle


def see(loop, recorder, count=1):
    """Runs the loop until `recorder` has so many calls."""
    with time_limit(loop):
        while len(recorder) < count:
            loop.run(pyuv.UV_RUN_ONCE)


def settle(loop):
    """Has everything that has happened so far be told: events come in order."""
    marks = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        handle = started(loop, folder, marks)
        (Path(folder) / "mark").mkdir()
        see(loop, marks)
        handle.close()


def test_names_that_come_change_and_go_in_a_folder(loop, tmp_path):
    seen = Recorder()
    handle = started(loop, tmp_path, seen)
    (tmp_path / "new").touch()
    (tmp_path / "new").write_text("text")
    (tmp_path / "new").rename(tmp_path / "other")
    (tmp_path / "other").unlink()
    settle(loop)
    assert all(call[0] is handle and call[3] is None for call in seen.calls)
    assert {call[1:3] for call in seen.calls} == {
        ("new", fs.UV_RENAME),
        ("new", fs.UV_CHANGE),
        ("other", fs.UV_RENAME),
    }
    assert seen.calls[0][1:] == ("new", fs.UV_RENAME, None)
    assert seen.calls[-1][1:] == ("other", fs.UV_RENAME, None)


def test_a_file_tells_its_own_name(loop, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    seen = Recorder()
    handle = started(loop, file, seen)
    assert handle.path == str(file)
    file.write_text("more")
    see(loop, seen)
    assert seen.calls[0] == (handle, "file", fs.UV_CHANGE, None)
    os.utime(file, (1, 1))
    seen.calls.clear()
    see(loop, seen)
    assert seen.calls[0] == (handle, "file", fs.UV_CHANGE, None)


def test_bytes_in_give_bytes_out(loop, tmp_path):
    seen = Recorder()
    handle = started(loop, os.fsencode(tmp_path), seen)
    assert handle.path == os.fsencode(tmp_path)
    (tmp_path / "file").touch()
    see(loop, seen)
    assert seen.calls[0][1] == b"file"


def test_undecodable_names_come_as_the_filesystem_encoding_has_them(loop, tmp_path):
    odd = os.fsdecode(b"odd \xff\xfe")
    (tmp_path / odd).mkdir()
    seen = Recorder()
    outer, inner = started(loop, tmp_path, seen), started(loop, tmp_path / odd, seen)
    assert inner.path == str(tmp_path / odd)
    (tmp_path / odd / odd).touch()
    (tmp_path / odd).chmod(0o700)
    settle(loop)
    assert {(call[0], call[1]) for call in seen.calls} == {(inner, odd), (outer, odd)}


def test_watching_again_after_stop(loop, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    seen = Recorder()
    handle = started(loop, one, seen)
    handle.stop()
    handle.stop()
    assert (handle.active, handle.path) == (False, "")
    handle.start(os.fsencode(two), 0, seen)
    assert (handle.active, handle.path) == (True, os.fsencode(two))
    (one / "unseen").touch()
    (two / "seen").touch()
    settle(loop)
    assert {call[1] for call in seen.calls} == {b"seen"}


def test_starting_a_handle_that_is_watching_is_einval(loop, tmp_path):
    seen = Recorder()
    handle = started(loop, tmp_path, seen)
    with pytest.raises(FSEventError, match=f"already watching {tmp_path}") as raised:
        handle.start("/", 0, pytest.fail)
    assert raised.value.args[0] == errno.UV_EINVAL
    assert handle.path == str(tmp_path)
    (tmp_path / "file").touch()
    see(loop, seen)


def test_a_missing_path_is_an_error_that_names_it(loop, tmp_path):
    handle = fs.FSEvent(loop)
    for path, code in [
        (tmp_path / "missing", errno.UV_ENOENT),
        (tmp_path / ("x" * 300), errno.UV_ENAMETOOLONG),
        ("", errno.UV_ENOENT),
    ]:
        with pytest.raises(FSEventError) as raised:
            handle.start(path, 0, pytest.fail)
        assert raised.value.args[0] == code
        assert raised.value.args[1].endswith(f"{path} (start)")
        assert (handle.active, handle.path) == (False, "")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FSEventError) as raised:
        handle.start(tmp_path / "loop", 0, pytest.fail)
    assert raised.value.args[0] == errno.UV_ELOOP


def test_bad_arguments_leave_the_handle_as_it_was(loop, tmp_path):
    handle = fs.FSEvent(loop)
    with pytest.raises(TypeError, match="callable"):
        handle.start(tmp_path, 0, None)
    with pytest.raises(TypeError):
        handle.start(5, 0, pytest.fail)
    with pytest.raises(TypeError):
        handle.start(tmp_path, "0", pytest.fail)
    with pytest.raises(ValueError, match="1024"):
        handle.start(tmp_path, 1024, pytest.fail)
    with pytest.raises(ValueError, match="NUL"):
        handle.start("a\0b", 0, pytest.fail)
    with pytest.raises(TypeError):
        fs.FSEvent(None)
    assert not handle.active
    with pytest.raises(RuntimeError, match="second time"):
        handle.__init__(loop)


def test_flags_that_no_system_follows_are_accepted(loop, tmp_path):
    seen = Recorder()
    started(loop, tmp_path, seen, 1)
    (tmp_path / "file").touch()
    settle(loop)
    assert {call[1] for call in seen.calls} == {"file"}


@pytest.mark.parametrize("slashes", ["/", "///"])
def test_slashes_behind_a_path_are_not_its_name(loop, tmp_path, slashes):
    (tmp_path / "folder").mkdir()
    seen = Recorder()
    started(loop, f"{tmp_path}/folder{slashes}", seen)
    (tmp_path / "folder").rmdir()
    settle(loop)
    assert {call[1:] for call in seen.calls} == {("folder", fs.UV_RENAME, None)}


def test_after_close_nothing_works_and_nothing_comes(loop, tmp_path):
    handle = started(loop, tmp_path, pytest.fail)
    closed = Recorder()
    handle.close(closed)
    (tmp_path / "file").touch()
    for call in (
        lambda: handle.start(tmp_path, 0, pytest.fail),
        handle.stop,
        lambda: handle.path,
        lambda: handle.close(print),
    ):
        with pytest.raises(HandleClosedError):
            call()
    loop.run()
    assert closed.calls == [(handle,)]


def test_watchers_of_one_path_each_hear_of_everything(loop, tmp_path):
    seen = Recorder()
    handles = [started(loop, tmp_path, seen) for _ in range(5)]
    spelled = started(loop, f"{tmp_path}/../{tmp_path.name}/.", seen)
    (tmp_path / "file").touch()
    see(loop, seen, 6)
    assert {call[0] for call in seen.calls} == {*handles, spelled}
    # libuv keeps the first spelling for all of them.
    assert spelled.path == f"{tmp_path}/../{tmp_path.name}/."


@pytest.mark.parametrize("what", ["stop", "close", "restart"])
@pytest.mark.parametrize("whom", ["itself", "earlier", "later", "all"])
def test_watchers_of_one_path_end_each_other_in_callbacks(loop, tmp_path, what, whom):
    calls = []

    def chosen(handle):
        place = handles.index(handle)
        return {
            "itself": [handle],
            "earlier": handles[:place],
            "later": handles[place + 1 :],
            "all": handles,
        }[whom]

    def on_event(handle, filename, events, error):
        calls.append(handle)
        for other in chosen(handle):
            if other.closed:
                continue
            if what == "close":
                other.close()
            else:
                other.stop()
            if what == "restart":
                other.start(tmp_path, 0, on_event)

    handles = [started(loop, tmp_path, on_event) for _ in range(6)]
    (tmp_path / "one").mkdir()
    settle(loop)
    first = len(calls)
    assert first >= 1
    if whom in ("all", "later") and what != "restart":
        assert calls == [handles[0]]
    if whom == "itself":
        assert set(calls) == set(handles)
    (tmp_path / "two").mkdir()
    settle(loop)
    if what == "restart":
        assert len(calls) > first
    for handle in handles:
        if not handle.closed:
            handle.close()
    with time_limit(loop):
        loop.run()
    assert [handle for handle in loop.handles if isinstance(handle, fs.FSEvent)] == []


def test_a_new_watcher_of_the_path_inside_a_callback(loop, tmp_path):
    later = Recorder()

    def on_event(handle, filename, events, error):
        handle.close()
        started(loop, tmp_path, later)

    started(loop, tmp_path, on_event)
    (tmp_path / "one").mkdir()
    settle(loop)
    # What the callback is about is not told to the watcher that it starts.
    assert [call[1] for call in later.calls if call[1] == "one"] == []
    (tmp_path / "two").mkdir()
    see(loop, later)
    assert later.calls[0][1] == "two"


def test_watchers_that_are_dropped_in_the_callback_of_another(loop, tmp_path):
    def on_event(handle, filename, events, error):
        for other in others:
            other.stop()
        others.clear()
        del other
        collect()
        assert loop.handles[0] is handle
        handle.close()

    trigger = started(loop, tmp_path, on_event)
    others = [started(loop, tmp_path, pytest.fail) for _ in range(3)]
    references = [weakref.ref(other) for other in others]
    (tmp_path / "file").mkdir()
    with time_limit(loop):
        loop.run()
    assert trigger.closed
    assert [reference() for reference in references] == [None] * 3


def test_a_watched_file_that_is_removed_says_so_and_then_nothing(loop, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    seen = Recorder()
    handle = started(loop, file, seen)
    file.unlink()
    settle(loop)
    assert {call[1] for call in seen.calls} == {"file"}
    assert seen.calls[-1][2] == fs.UV_RENAME
    assert handle.active
    seen.calls.clear()
    file.write_text("again")
    settle(loop)
    assert seen.calls == []
    again = started(loop, file, seen)
    file.write_text("more")
    see(loop, seen)
    assert seen.calls[0][0] is again
    handle.stop()
    handle.close()


def test_a_watched_folder_that_is_removed_says_so(loop, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    seen = Recorder()
    handle = started(loop, folder, seen)
    folder.rmdir()
    see(loop, seen)
    settle(loop)
    assert {call[1:] for call in seen.calls} == {("folder", fs.UV_RENAME, None)}
    handle.close()
    loop.run()


def test_many_events_at_once(loop, tmp_path):
    seen = Recorder()
    handle = started(loop, tmp_path, seen)
    for number in range(1000):
        (tmp_path / f"{number} {'x' * 200}").mkdir()
    see(loop, seen, 1000)
    assert [call[1].split()[0] for call in seen.calls] == [str(number) for number in range(1000)]
    handle.close()


def test_an_active_watcher_is_kept_alive_and_a_stopped_one_is_not(loop, tmp_path):
    seen = Recorder()
    alive = weakref.ref(started(loop, tmp_path, seen))
    collect()
    assert loop.handles == [alive()]
    (tmp_path / "file").mkdir()
    see(loop, seen)
    seen.calls.clear()
    alive().stop()
    collect()
    assert alive() is None
    loop.run()
    assert loop.handles == []


def test_a_watcher_does_not_keep_the_loop_running_without_ref(loop, tmp_path):
    handle = started(loop, tmp_path, pytest.fail)
    assert loop.alive
    handle.ref = False
    loop.run()
    assert handle.active


def test_an_exception_in_the_callback_goes_to_the_excepthook(loop, tmp_path):
    raised = []
    loop.excepthook = lambda kind, value, traceback: raised.append(kind)

    def on_event(handle, filename, events, error):
        handle.close()
        raise ZeroDivisionError

    other = Recorder(lambda handle, *rest: handle.close())
    started(loop, tmp_path, on_event)
    started(loop, tmp_path, other)
    (tmp_path / "file").mkdir()
    with time_limit(loop):
        loop.run()
    assert raised == [ZeroDivisionError]
    assert len(other) == 1


def test_a_subclass_carries_attributes(loop, tmp_path):
    class Watcher(fs.FSEvent):
        def __init__(self, loop, name):
            super().__init__(loop)
            self.name = name

    watcher = Watcher(loop, "mine")
    seen = Recorder()
    watcher.start(tmp_path, 0, seen)
    (tmp_path / "file").mkdir()
    see(loop, seen)
    assert seen.calls[0][0].name == "mine"
    assert isinstance(watcher, pyuv.Handle)


def test_descriptors_are_given_back(tmp_path):
    before = open_fds()
    event_loop = pyuv.Loop()
    handles = [started(event_loop, tmp_path, pytest.fail) for _ in range(10)]
    for handle in handles:
        handle.close()
    event_loop.run()
    event_loop.close()
    assert open_fds() == before


def inotify_fds():
    names = {}
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            names[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return {fd for fd, name in names.items() if "inotify" in name}


def test_the_loops_inotify_descriptor_is_not_closed(loop, tmp_path):
    before = inotify_fds()
    seen = Recorder()
    started(loop, tmp_path, seen)
    [inotify] = inotify_fds() - before
    with pytest.raises(pyuv.error.FSError, match="loop's own"):
        fs.close(loop, inotify)
    (tmp_path / "file").mkdir()
    see(loop, seen)


def test_no_descriptor_left_for_inotify_is_emfile(tmp_path):
    code = """
import resource
loop.run(pyuv.UV_RUN_NOWAIT)
handle = fs.FSEvent(loop)
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
taken = []
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    handle.start(".", 0, print)
except pyuv.error.FSEventError as error:
    print(error.args[0] == errno.UV_EMFILE, "max_user_instances" in error.args[1], handle.active)
os.close(taken.pop())
handle.start(".", 0, lambda handle, *event: (handle.close(), print(event)))
os.mkdir("folder")
loop.run()
"""
    assert in_child(PRELUDE + code, tmp_path) == [
        "True True False",
        f"('folder', {fs.UV_RENAME}, None)",
    ]


def test_no_watch_left_is_enospc(tmp_path):
    code = """
import ctypes
# The limits of a user namespace may be lowered from inside it.
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) != 0:
    raise OSError(ctypes.get_errno(), "unshare")
with open("/proc/sys/user/max_inotify_watches", "w") as limit:
    limit.write("2")
for name in "abc":
    os.mkdir(name)
handles = [fs.FSEvent(loop) for _ in range(3)]
for handle, name in zip(handles, "abc"):
    try:
        handle.start(name, 0, lambda handle, *event: (handle.close(), print(event[0])))
    except pyuv.error.FSEventError as error:
        code, message = error.args
        print(code == errno.UV_ENOSPC, "device: c (" in message, "max_user_watches" in message)
handles[0].stop()
handles[2].start("c", 0, lambda handle, *event: (handle.close(), handles[1].close(), print(event[0])))
os.mkdir("c/below")
loop.run()
"""
    assert in_child(PRELUDE + code, tmp_path) == ["True True True", "below"]


FORK = (
    IN_FORK
    + """
def watch(name):
    handle = fs.FSEvent(loop)
    handle.start(name, 0, lambda handle, *event: (handle.close(), print(os.getpid() != parent, event[0])))
    return handle
parent = os.getpid()
"""
)


def test_watchers_go_on_in_a_forked_child_and_in_its_parent(tmp_path):
    code = """
os.mkdir("one"); os.mkdir("two")
watch("one"); watch("two"); watch("one")
loop.run(pyuv.UV_RUN_NOWAIT)
def use():
    loop.fork()
    os.mkdir("one/child"); os.mkdir("two/child")
    loop.run()
    loop.close()
print(in_fork(use))
os.rmdir("one/child"); os.rmdir("two/child")
loop.run()
"""
    assert sorted(in_child(PRELUDE + FORK + code, tmp_path)) == sorted(
        ["True child"] * 3 + ["0"] + ["False child"] * 3
    )


def test_a_path_that_is_gone_in_the_child_stops_its_watcher_only(tmp_path):
    code = """
for name in "abc":
    os.mkdir(name)
handles = [watch(name) for name in "abc"]
loop.run(pyuv.UV_RUN_NOWAIT)
def use():
    os.rmdir("b")
    try:
        loop.fork()
    except pyuv.error.UVError as error:
        print(error.args[0] == errno.UV_ENOENT, error.args[1][-10:])
    print([handle.active for handle in handles])
    handles[1].close()
    os.mkdir("a/x"); os.mkdir("c/x")
    loop.run()
    loop.close()
print(in_fork(use))
"""
    assert in_child(PRELUDE + FORK + code, tmp_path) == [
        "True : b (fork)",
        "[True, False, True]",
        "True x",
        "True x",
        "0",
    ]


def test_fork_in_the_callback_of_a_watcher_says_no(tmp_path):
    code = """
def on_event(handle, *event):
    handle.close()
    def use():
        try:
            loop.fork()
        except pyuv.error.UVError as error:
            print(error.args[0] == errno.UV_EBUSY)
    print(in_fork(use))
    try:
        loop.fork()
    except pyuv.error.UVError as error:
        print(error.args[0] == errno.UV_EBUSY)
handle = fs.FSEvent(loop)
handle.start(".", 0, on_event)
os.mkdir("x")
loop.run()
"""
    assert in_child(PRELUDE + FORK + code, tmp_path) == ["True", "0", "True"]
