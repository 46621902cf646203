"""FSEvent with UV_FS_EVENT_RECURSIVE, and what it tells when the system has lost events."""

import contextlib
import os
from pathlib import Path

import pytest
import pyuv
from pyuv import errno, fs
from test_fs_event import PRELUDE, settle, started

from util import Recorder, collect, in_child, time_limit


def names(recorder):
    return {call[1] for call in recorder.calls}


def watched(loop, path):
    seen = Recorder()
    return started(loop, path, seen, fs.UV_FS_EVENT_RECURSIVE), seen


def run_over(folder):
    """Have more happen than the system keeps."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 200_000:
        pytest.skip(f"{limit} events are too many for a test")
    (folder / "a").touch()
    for _ in range(limit // 4 + 100):
        os.rename(folder / "a", folder / "b")
        os.rename(folder / "b", folder / "a")


def test_events_that_are_lost_are_told(loop, tmp_path):
    seen, other = Recorder(), Recorder()
    handle = started(loop, tmp_path, seen)
    (tmp_path / "other").mkdir()
    started(loop, tmp_path / "other", other)
    run_over(tmp_path)
    with time_limit(loop):
        while not other.calls:
            loop.run(pyuv.UV_RUN_ONCE)
    assert seen.calls[-1] == (handle, None, 0, errno.UV_ENOBUFS)
    assert [call[1:] for call in other.calls] == [(None, 0, errno.UV_ENOBUFS)]
    seen.calls.clear()
    (tmp_path / "afterwards").touch()
    settle(loop)
    assert "afterwards" in names(seen)


def test_a_tree_is_watched(loop, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    handle, seen = watched(loop, tmp_path)
    (tmp_path / "a" / "b" / "file").mkdir()
    settle(loop)
    assert seen.calls == [(handle, "a/b/file", fs.UV_RENAME, None)]
    (tmp_path / "a" / "file").touch()
    (tmp_path / "a" / "b").chmod(0o700)
    settle(loop)
    assert names(seen) == {"a/b/file", "a/file", "a/b"}
    assert [handle for handle in loop.handles if not handle.closed] == [handle]


def test_bytes_give_bytes_below(loop, tmp_path):
    (tmp_path / "a").mkdir()
    _, seen = watched(loop, os.fsencode(tmp_path))
    (tmp_path / "a" / "file").touch()
    settle(loop)
    assert names(seen) == {b"a/file"}


def test_what_comes_into_a_tree_is_watched_and_told_of(loop, tmp_path):
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    (outside / "one" / "two").mkdir(parents=True)
    (outside / "one" / "two" / "old").touch()
    tree.mkdir()
    _, seen = watched(loop, tree)
    (tree / "made" / "in" / "one" / "go").mkdir(parents=True)
    (tree / "made" / "in" / "one" / "go" / "file").touch()
    os.rename(outside, tree / "moved")
    settle(loop)
    assert names(seen) == {
        "made",
        "made/in",
        "made/in/one",
        "made/in/one/go",
        "made/in/one/go/file",
        "moved",
        "moved/one",
        "moved/one/two",
        "moved/one/two/old",
    }
    seen.calls.clear()
    (tree / "moved" / "one" / "two" / "new").touch()
    (tree / "made" / "in" / "new").touch()
    settle(loop)
    assert names(seen) == {"moved/one/two/new", "made/in/new"}


def test_what_leaves_a_tree_is_watched_no_more(loop, tmp_path):
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    _, seen = watched(loop, tree)
    os.rename(tree / "a", tmp_path / "a")
    settle(loop)
    assert names(seen) == {"a"}
    seen.calls.clear()
    (tmp_path / "a" / "b" / "file").touch()
    settle(loop)
    assert seen.calls == []


def test_a_folder_that_is_renamed_has_its_new_name(loop, tmp_path):
    (tmp_path / "old" / "inner").mkdir(parents=True)
    _, seen = watched(loop, tmp_path)
    os.rename(tmp_path / "old", tmp_path / "new")
    settle(loop)
    assert names(seen) == {"old", "new", "new/inner"}
    seen.calls.clear()
    (tmp_path / "new" / "inner" / "file").touch()
    settle(loop)
    assert names(seen) == {"new/inner/file"}


def test_a_folder_that_is_removed_and_made_again_is_watched(loop, tmp_path):
    (tmp_path / "a").mkdir()
    _, seen = watched(loop, tmp_path)
    for _ in range(5):
        (tmp_path / "a").rmdir()
        (tmp_path / "a").mkdir()
    settle(loop)
    seen.calls.clear()
    (tmp_path / "a" / "file").touch()
    settle(loop)
    assert names(seen) == {"a/file"}


def test_links_to_folders_are_not_followed(loop, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to("../outside")
    (tmp_path / "tree" / "loop").symlink_to(".")
    _, seen = watched(loop, tmp_path / "tree")
    (tmp_path / "outside" / "file").touch()
    settle(loop)
    assert seen.calls == []


@pytest.mark.parametrize("what", ["stop", "close", "restart"])
def test_a_tree_is_left_in_the_callback(loop, tmp_path, what):
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "new" / "many").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for number in range(50):
        (tmp_path / "new" / str(number)).touch()
    seen, later = Recorder(), Recorder()

    def told(handle, *rest):
        seen(handle, *rest)
        if what == "close":
            handle.close()
        else:
            handle.stop()
        if what == "restart":
            handle.start(tmp_path / "other", fs.UV_FS_EVENT_RECURSIVE, later)

    handle = started(loop, tmp_path / "tree", told, fs.UV_FS_EVENT_RECURSIVE)
    os.rename(tmp_path / "new", tmp_path / "tree" / "new")
    (tmp_path / "tree" / "a" / "file").touch()
    settle(loop)
    assert [call[1] for call in seen.calls] == ["new"]
    (tmp_path / "other" / "file").touch()
    settle(loop)
    assert names(later) == ({"file"} if what == "restart" else set())
    handle.close()
    loop.run()


def watches():
    """How many inotify watches this process has."""
    count = 0
    for entry in os.listdir("/proc/self/fdinfo"):
        with contextlib.suppress(OSError):
            count += Path("/proc/self/fdinfo", entry).read_text().count("inotify wd:")
    return count


def test_watches_of_a_tree_are_given_back(tmp_path):
    for number in range(20):
        (tmp_path / str(number) / "inner").mkdir(parents=True)
    collect()
    before = watches()
    loop = pyuv.Loop()
    handle, seen = watched(loop, tmp_path)
    assert watches() == before + 41
    handle.ref = False
    loop.run()
    handle.stop()
    assert watches() == before
    handle.start(tmp_path, fs.UV_FS_EVENT_RECURSIVE, seen)
    del handle, loop
    collect()
    assert watches() == before


def test_a_tree_after_events_were_lost(loop, tmp_path):
    (tmp_path / "stays").mkdir()
    (tmp_path / "goes").mkdir()
    _, seen = watched(loop, tmp_path)
    run_over(tmp_path)
    (tmp_path / "unheard" / "of").mkdir(parents=True)
    (tmp_path / "goes").rmdir()
    with time_limit(loop):
        while errno.UV_ENOBUFS not in {call[3] for call in seen.calls}:
            loop.run(pyuv.UV_RUN_ONCE)
    settle(loop)
    seen.calls.clear()
    (tmp_path / "unheard" / "of" / "file").touch()
    (tmp_path / "stays" / "file").touch()
    settle(loop)
    assert names(seen) == {"unheard/of/file", "stays/file"}


def test_no_watch_left_for_a_tree_is_enospc(tmp_path):
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    try:
        before = limit.read_text()
        limit.write_text(before)
    except OSError:
        pytest.skip("the limit cannot be set")
    try:
        # The tests of others that run meanwhile are another user's.
        limit.write_text("64")
        lines = in_child(
            PRELUDE
            + """
os.chown(".", 54321, 54321)
os.setuid(54321)
os.makedirs("few/one")
for number in range(100):
    os.makedirs(f"many/{number}")
many = fs.FSEvent(loop)
try:
    many.start("many", fs.UV_FS_EVENT_RECURSIVE, print)
except pyuv.error.FSEventError as error:
    print(error.code == errno.UV_ENOSPC, many.active)
few = fs.FSEvent(loop)
told = []
few.start("few", fs.UV_FS_EVENT_RECURSIVE, lambda handle, name, events, error: told.append(error))
os.rename("many", "few/many")
while errno.UV_ENOSPC not in told:
    loop.run(pyuv.UV_RUN_ONCE)
print(few.active)
""",
            tmp_path,
        )
    finally:
        limit.write_text(before)
    assert lines == ["True False", "True"]


def test_a_tree_goes_on_in_a_forked_child(tmp_path):
    assert in_child(
        PRELUDE
        + """
os.makedirs("a/b")
told = []
handle = fs.FSEvent(loop)
handle.start(".", fs.UV_FS_EVENT_RECURSIVE, lambda handle, name, events, error: told.append(name))
child = os.fork()
if child == 0:
    loop.fork()
    open("a/b/child", "w").close()
    while "a/b/child" not in told:
        loop.run(pyuv.UV_RUN_ONCE)
    os._exit(0)
while "a/b/child" not in told:
    loop.run(pyuv.UV_RUN_ONCE)
print(os.waitpid(child, 0)[1])
""",
        tmp_path,
    ) == ["0"]
