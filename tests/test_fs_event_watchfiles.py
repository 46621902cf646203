"""FSEvent beside watchfiles, on what watchfiles tries itself with: both tell of the same paths.

Both watch one tree. A scenario is a generator of steps; after each step there is a mark, a new file, and
what comes before both have told of the mark is what they tell of the step.
"""

import itertools
import os
import shutil

import pytest
import pyuv
import watchfiles
from pyuv import fs

from util import time_limit

MARK = ".mark-"


class Both:
    """The two, at work on a folder."""

    def __init__(self, loop, folder):
        self.loop, self.folder = loop, folder
        self.marks = itertools.count()
        self.ours, self.theirs = set(), set()
        self.handle = fs.FSEvent(loop)
        self.handle.start(folder, fs.UV_FS_EVENT_RECURSIVE, self.on_event)
        self.changes = watchfiles.watch(
            folder, watch_filter=None, debounce=20, step=5, rust_timeout=50, yield_on_timeout=True
        )
        # From here on it watches.
        assert next(self.changes) == set()

    def on_event(self, handle, name, events, error):
        assert error is None
        self.ours.add(name)

    def settle(self):
        """What each has told of since the last time."""
        mark = f"{MARK}{next(self.marks)}"
        (self.folder / mark).touch()
        with time_limit(self.loop):
            while mark not in self.ours:
                self.loop.run(pyuv.UV_RUN_ONCE)
            while mark not in self.theirs:
                self.theirs |= {os.path.relpath(path, self.folder) for _, path in next(self.changes)}
        told = [{path for path in paths if not path.startswith(MARK)} for paths in (self.ours, self.theirs)]
        self.ours.clear()
        self.theirs.clear()
        return told


def add(tree, outside):
    (tree / "new.txt").write_text("text")
    yield {"new.txt"}
    (tree / "sub" / "new").touch()
    yield {"sub/new"}


def modify_by_writing(tree, outside):
    (tree / "a.txt").write_text("other")
    yield {"a.txt"}
    with open(tree / "sub" / "b.txt", "a") as file:
        file.write("more")
    yield {"sub/b.txt"}


def modify_the_mode(tree, outside):
    (tree / "a.txt").chmod(0o600)
    yield {"a.txt"}
    os.utime(tree / "sub" / "b.txt", (1, 1))
    yield {"sub/b.txt"}


def read(tree, outside):
    (tree / "a.txt").read_text()
    os.listdir(tree / "sub")
    yield set()


def delete(tree, outside):
    (tree / "a.txt").unlink()
    yield {"a.txt"}
    (tree / "sub" / "b.txt").unlink()
    yield {"sub/b.txt"}


def delete_a_folder(tree, outside):
    shutil.rmtree(tree / "sub")
    yield {"sub", "sub/b.txt", "sub/deep", "sub/deep/c.txt"}
    (tree / "sub").mkdir()
    yield {"sub"}


def move_in(tree, outside):
    os.rename(outside / "file", tree / "came")
    yield {"came"}
    os.rename(outside / "folder", tree / "folder")
    # Ours tells of what came with it, too.
    yield {"folder"}, {"folder/inner"}
    (tree / "folder" / "inner").write_text("other")
    yield {"folder/inner"}


def move_out(tree, outside):
    os.rename(tree / "a.txt", outside / "a.txt")
    yield {"a.txt"}
    os.rename(tree / "sub", outside / "sub")
    yield {"sub"}
    (outside / "a.txt").write_text("other")
    yield set()


def move_within(tree, outside):
    os.rename(tree / "a.txt", tree / "z.txt")
    yield {"a.txt", "z.txt"}
    os.rename(tree / "z.txt", tree / "sub" / "z.txt")
    yield {"z.txt", "sub/z.txt"}


def rename_several(tree, outside):
    for number in range(10):
        os.rename(tree / "many" / str(number), tree / "many" / f"renamed {number}")
    yield {f"many/{name}" for number in range(10) for name in (number, f"renamed {number}")}


def replace(tree, outside):
    (tree / "a.tmp").write_text("other")
    os.replace(tree / "a.tmp", tree / "a.txt")
    yield {"a.tmp", "a.txt"}


def new_folders_in_each_other(tree, outside):
    (tree / "one").mkdir()
    yield {"one"}
    (tree / "one" / "two").mkdir()
    yield {"one/two"}
    (tree / "one" / "two" / "three").mkdir()
    yield {"one/two/three"}
    (tree / "one" / "two" / "three" / "file").touch()
    yield {"one/two/three/file"}
    (tree / "one" / "two" / "three" / "file").write_text("text")
    yield {"one/two/three/file"}


def many_at_once(tree, outside):
    for number in range(500):
        (tree / "many" / f"new {number}").write_text("text")
    yield {f"many/new {number}" for number in range(500)}
    for number in range(500):
        (tree / "many" / f"new {number}").unlink()
    yield {f"many/new {number}" for number in range(500)}


def odd_names(tree, outside):
    names = {"with space", "new\nline", "b\u00fccher", "\u65e5\u672c", "-", "..."}
    for name in names:
        (tree / "sub" / name).touch()
    yield {f"sub/{name}" for name in names}


def links(tree, outside):
    (tree / "link").symlink_to("a.txt")
    yield {"link"}
    os.link(tree / "a.txt", tree / "sub" / "hard")
    yield {"sub/hard"}


SCENARIOS = [
    add,
    modify_by_writing,
    modify_the_mode,
    read,
    delete,
    delete_a_folder,
    move_in,
    move_out,
    move_within,
    rename_several,
    replace,
    new_folders_in_each_other,
    many_at_once,
    odd_names,
    links,
]


@pytest.fixture
def both(loop, tmp_path):
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    (tree / "sub" / "deep").mkdir(parents=True)
    (tree / "many").mkdir()
    (outside / "folder").mkdir(parents=True)
    for path in [
        tree / "a.txt",
        tree / "sub" / "b.txt",
        tree / "sub" / "deep" / "c.txt",
        *(tree / "many" / str(number) for number in range(10)),
        outside / "file",
        outside / "folder" / "inner",
    ]:
        path.write_text("text")
    both = Both(loop, tree)
    yield both
    both.changes.close()
    both.handle.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_both_tell_of_the_same_paths(both, scenario):
    for expected in scenario(both.folder, both.folder.parent / "outside"):
        paths, more = expected if isinstance(expected, tuple) else (expected, set())
        ours, theirs = both.settle()
        assert (ours, theirs) == (paths | more, paths)


def test_of_folders_made_at_once_nothing_is_missed(both):
    """watchfiles tells of what it finds; ours tells of everything in them, whenever that came."""
    for _ in range(20):
        (both.folder / "one" / "two" / "three").mkdir(parents=True)
        (both.folder / "one" / "two" / "three" / "file").touch()
        ours, theirs = both.settle()
        assert ours == {"one", "one/two", "one/two/three", "one/two/three/file"}
        assert theirs <= ours
        shutil.rmtree(both.folder / "one")
        assert both.settle()[0] >= {"one"}
