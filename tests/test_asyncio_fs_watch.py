"""watch() of pyuv.asyncio.fs: what it tells of, when it does, and beside watchfiles."""

import asyncio
import inspect
import os
import resource
import subprocess
import sys
import threading
import time

import anyio
import pytest
import pyuv.asyncio
import watchfiles
from asyncioutil import run
from pyuv.asyncio.fs import BaseFilter, Change, DefaultFilter, PythonFilter, awatch, watch
from test_fs_event_watchfiles import MARK, SCENARIOS

factory = pyuv.asyncio.new_event_loop


class Watching:
    """What an iterator has told of, by a task, as (name of the change, path from the folder)."""

    def __init__(self, folder, **options):
        self.folder = folder
        self.stop = asyncio.Event()
        options = {"watch_filter": None, "step": 5, "stop_event": self.stop} | options
        self.changes = set()
        self.times = []
        self.task = asyncio.create_task(self.gather(watch(folder, **options)))

    async def gather(self, changes):
        async for found in changes:
            self.times.append(time.monotonic())
            self.changes |= {(change.name, os.path.relpath(path, self.folder)) for change, path in found}

    async def __aenter__(self):
        # Until it watches: it begins with the first turn of its task.
        await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *exception):
        self.stop.set()
        async with asyncio.timeout(10):
            await self.task

    async def until(self, *expected):
        """Waits for changes; gives all that came up to then, and forgets them."""
        async with asyncio.timeout(20):
            while not set(expected) <= self.changes:
                await asyncio.sleep(0.005)
        changes = self.changes.copy()
        self.changes.clear()
        return changes


def test_what_happens_to_a_file(tmp_path):
    async def main():
        async with Watching(tmp_path) as watching:
            (tmp_path / "file").write_text("text")
            assert await watching.until(("added", "file"), ("modified", "file"))
            (tmp_path / "file").write_text("more")
            assert await watching.until(("modified", "file")) == {("modified", "file")}
            (tmp_path / "file").rename(tmp_path / "other")
            told = await watching.until(("deleted", "file"), ("added", "other"))
            assert told == {("deleted", "file"), ("added", "other")}
            (tmp_path / "other").unlink()
            assert await watching.until(("deleted", "other")) == {("deleted", "other")}
            (tmp_path / "folder" / "inner").mkdir(parents=True)
            (tmp_path / "folder" / "inner" / "file").touch()
            await watching.until(
                ("added", "folder"), ("added", "folder/inner"), ("added", "folder/inner/file")
            )

    run(factory, main())


def test_a_file_itself_is_watched(tmp_path):
    path = tmp_path / "file"
    path.touch()

    async def main():
        async with Watching(path) as watching:
            path.write_text("text")
            assert await watching.until(("modified", ".")) == {("modified", ".")}

    run(factory, main())


def test_folders_below_only_if_wanted(tmp_path):
    (tmp_path / "folder").mkdir()

    async def main():
        async with Watching(tmp_path, recursive=False) as watching:
            (tmp_path / "folder" / "file").touch()
            (tmp_path / "file").touch()
            told = await watching.until(("added", "file"))
            assert "folder/file" not in {path for _, path in told}

    run(factory, main())


def test_several_paths(tmp_path):
    async def main():
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        changes = watch(tmp_path / "a", str(tmp_path / "b"), step=100)
        first = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.01)
        (tmp_path / "a" / "file").touch()
        (tmp_path / "b" / "file").touch()
        found = {path for _, path in await first}
        assert found == {str(tmp_path / "a" / "file"), str(tmp_path / "b" / "file")}
        await changes.aclose()

    run(factory, main())


def test_paths_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def main():
        changes = watch(".")
        first = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.01)
        (tmp_path / "file").touch()
        assert (Change.added, str(tmp_path / "file")) in await first
        await changes.aclose()

    run(factory, main())


def test_a_report_comes_soon_and_changes_come_together(tmp_path):
    async def main():
        async with Watching(tmp_path, step=20) as watching:
            latencies = []
            for number in range(20):
                begun = time.monotonic()
                (tmp_path / f"{number}").touch()
                await watching.until(("added", f"{number}"))
                latencies.append(watching.times[-1] - begun)
            # Half of them, since the machine may have other work.
            assert sorted(latencies)[10] < 0.05
        async with Watching(tmp_path, step=100) as watching:
            for number in range(50):
                (tmp_path / f"more {number}").touch()
                await asyncio.sleep(0.001)
            await watching.until(*(("added", f"more {number}") for number in range(50)))
            assert len(watching.times) < 10

    run(factory, main())


def test_what_never_rests_is_told_of_all_the_same(tmp_path):
    async def main():
        async with Watching(tmp_path, step=10_000, debounce=100) as watching:
            for number in range(60):
                (tmp_path / f"{number}").touch()
                await asyncio.sleep(0.005)
            await watching.until(("added", "59"))
            assert len(watching.times) >= 2

    run(factory, main())


@pytest.mark.parametrize("kind", [asyncio.Event, anyio.Event, threading.Event])
def test_an_event_ends_it(tmp_path, kind):
    async def main():
        before = len(asyncio.get_running_loop().uv.handles)
        stop = kind()
        asyncio.get_running_loop().call_later(0.05, stop.set)
        async with asyncio.timeout(10):
            assert [changes async for changes in watch(tmp_path, stop_event=stop)] == []
            assert [changes async for changes in awatch(tmp_path, stop_event=stop)] == []
        await asyncio.sleep(0.01)
        assert len(asyncio.get_running_loop().uv.handles) == before
        assert len(asyncio.all_tasks()) == 1

    run(factory, main())


def test_cancelling_ends_it(tmp_path):
    async def main():
        before = len(asyncio.get_running_loop().uv.handles)
        task = asyncio.ensure_future(anext(watch(tmp_path)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)
        assert len(asyncio.get_running_loop().uv.handles) == before

    run(factory, main())


def test_nothing_for_a_while(tmp_path):
    async def main():
        changes = watch(tmp_path, yield_on_timeout=True, rust_timeout=30)
        assert await anext(changes) == set()
        assert await anext(changes) == set()
        await changes.aclose()

    run(factory, main())


@pytest.mark.parametrize("polling", [False, True])
def test_a_path_that_is_not_there(tmp_path, polling):
    async def main():
        with pytest.raises(FileNotFoundError) as caught:
            await anext(watch(tmp_path, tmp_path / "missing", force_polling=polling))
        assert caught.value.filename == str(tmp_path / "missing")

    run(factory, main())


def test_without_a_descriptor_left_it_says_so(tmp_path):
    _, hard = limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def main():
        changes = watch(tmp_path)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(OSError, match="too many open files"):
                await anext(changes)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        async with Watching(tmp_path) as watching:
            (tmp_path / "file").touch()
            await watching.until(("added", "file"))

    run(factory, main())


def test_looking_again_and_again(tmp_path):
    (tmp_path / "there").touch()

    async def main():
        async with Watching(tmp_path, force_polling=True, poll_delay_ms=10) as watching:
            # It tells of what comes after its first look.
            for number in range(1000):
                (tmp_path / f"{number}").touch()
                await asyncio.sleep(0.02)
                if watching.changes:
                    break
            (tmp_path / "file").write_text("text")
            await watching.until(("added", "file"))
            (tmp_path / "there").write_text("more")
            await watching.until(("modified", "there"))
            (tmp_path / "folder").mkdir()
            (tmp_path / "folder" / "inner").touch()
            await watching.until(("added", "folder/inner"))
            (tmp_path / "file").unlink()
            await watching.until(("deleted", "file"))

    run(factory, main())


MANY = """
import os, sys
for number in range(50_000):
    path = f"{number % 10}/{number}"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    if number >= 10:
        # The one before the one before.
        os.rename(f"{number % 10}/{number - 10}", f"{number % 10}/{number - 10} renamed")
"""


def test_of_100_000_changes_none_is_lost(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}").mkdir()

    async def main():
        async with Watching(tmp_path, step=20, debounce=200) as watching:
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", MANY, cwd=tmp_path)
            assert await child.wait() == 0
            # Behind everything else.
            (tmp_path / "end").touch()
            told = await watching.until(("added", "end"))
        names = {path for _, path in told}
        for number in range(50_000):
            folder, name = f"{number % 10}", f"{number % 10}/{number}"
            if number < 49_990:
                # On a machine with much to do the system loses some of them, and they are looked for.
                assert f"{name} renamed" in names
                assert ("deleted", name) in told or ("modified", folder) in told
            else:
                assert name in names

    run(factory, main())


def test_what_the_system_has_lost_is_looked_for(tmp_path):
    """More happens while the loop is busy than the system remembers."""
    with open("/proc/sys/fs/inotify/max_queued_events") as file:
        limit = int(file.read())
    (tmp_path / "old").touch()
    os.utime(tmp_path / "old", (1, 1))

    async def main():
        async with Watching(tmp_path) as watching:
            for number in range(limit + 1000):
                os.mknod(tmp_path / f"{number}")
            await watching.until(("modified", f"{limit + 999}"))

    if limit > 100_000:
        pytest.skip("the system remembers too much")
    run(factory, main())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_paths_are_those_of_watchfiles(tmp_path, scenario):
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    (tree / "sub" / "deep").mkdir(parents=True)
    (tree / "many").mkdir()
    (outside / "folder").mkdir(parents=True)
    for path in [
        *(tree / "a.txt", tree / "sub" / "b.txt", tree / "sub" / "deep" / "c.txt"),
        *(tree / "many" / str(number) for number in range(10)),
        *(outside / "file", outside / "folder" / "inner"),
    ]:
        path.write_text("text")

    async def main():
        async with Watching(tree) as watching:
            for number, expected in enumerate(scenario(tree, outside)):
                paths, more = expected if isinstance(expected, tuple) else (expected, set())
                mark = f"{MARK}{number}"
                (tree / mark).touch()
                told = await watching.until(("added", mark))
                found = {path for _, path in told if not path.startswith(MARK)}
                assert paths <= found <= paths | more
                for change, path in told:
                    if change == "deleted":
                        assert not os.path.lexists(tree / path)

    run(factory, main())


# Shape


def test_it_has_watchfiles_shape():
    theirs = inspect.signature(watchfiles.awatch).parameters
    ours = inspect.signature(watch).parameters
    assert list(ours) == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].kind == parameter.kind
        if name not in ("watch_filter", "step"):
            assert ours[name].default == parameter.default
    assert [(change.name, change.value) for change in Change] == [
        (change.name, change.value) for change in watchfiles.Change
    ]
    assert Change.added.raw_str() == watchfiles.Change.added.raw_str()


NAMES = [
    *("/a/b.py", "/a/.git/x", "/a/__pycache__/b.pyc", "/a/b.pyc", "/a/b.swp", "/a/b~", "/a/.#b"),
    *("/a/.DS_Store", "/a/node_modules/c/d.js", "/a/flycheck_b", "/a/b.pyx", "/a/b.txt", "/a/git"),
    *("/a/b.___jb_tmp___", "/a/x.md", "/skip/a.py", "/skipped.py", "/other/skip", "/a/.idea/x.py", ""),
]


@pytest.mark.parametrize("name", NAMES)
def test_filters_are_those_of_watchfiles(name):
    class OursOwn(BaseFilter):
        ignore_dirs = ("b",)
        ignore_entity_patterns = (r"\.txt$",)
        ignore_paths = ("/skip",)

    class TheirsOwn(watchfiles.BaseFilter):
        ignore_dirs = ("b",)
        ignore_entity_patterns = (r"\.txt$",)
        ignore_paths = ("/skip",)

    for ours, theirs in [
        (DefaultFilter(), watchfiles.DefaultFilter()),
        (DefaultFilter(ignore_dirs=["a"]), watchfiles.DefaultFilter(ignore_dirs=["a"])),
        (DefaultFilter(ignore_paths=["/skip"]), watchfiles.DefaultFilter(ignore_paths=["/skip"])),
        (
            DefaultFilter(ignore_entity_patterns=["b"]),
            watchfiles.DefaultFilter(ignore_entity_patterns=["b"]),
        ),
        (PythonFilter(), watchfiles.PythonFilter()),
        (PythonFilter(extra_extensions=(".md",)), watchfiles.PythonFilter(extra_extensions=(".md",))),
        (OursOwn(), TheirsOwn()),
    ]:
        assert ours(Change.added, name) is theirs(watchfiles.Change.added, name), repr(ours)


def test_a_filter_is_asked(tmp_path):
    async def main():
        async with Watching(tmp_path, watch_filter=PythonFilter()) as watching:
            (tmp_path / "a.txt").touch()
            (tmp_path / "a.py").touch()
            assert {path for _, path in await watching.until(("added", "a.py"))} == {"a.py"}

    run(factory, main())
    assert "_ignore_dirs" in repr(DefaultFilter())


def test_a_program_is_moved_by_its_import(tmp_path):
    code = f"""
import asyncio, pathlib, pyuv.asyncio
from pyuv.asyncio.fs import awatch
async def main():
    asyncio.get_running_loop().call_later(0.1, pathlib.Path({str(tmp_path)!r}, "file").touch)
    async for changes in awatch({str(tmp_path)!r}):
        print(len(changes))
        break
pyuv.asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert int(ran.stdout) >= 1
    assert ran.stderr == ""
