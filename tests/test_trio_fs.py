"""pyuv.trio.fs: files, trees, paths and watching, awaited from trio's tasks."""

import inspect
import os
import stat
from pathlib import Path

import pytest
import pyuv
import trio
from fsutil import has_reader
from pyuv.error import FSError
from pyuv.trio import current_loop, fs
from trioutil import run

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_operation_is_here():
    for name in pyuv.fs.__all__:
        function = getattr(pyuv.fs, name)
        if inspect.isroutine(function) and name not in ("open", "scandir", "stat_float_times", "walk"):
            assert inspect.iscoroutinefunction(getattr(fs, name)), name
    assert inspect.iscoroutinefunction(fs.open_fd)


def test_operations_give_what_the_functions_give():
    async def main():
        await fs.mkdir("box")
        fd = await fs.open_fd("box/file", os.O_RDWR | os.O_CREAT)
        assert await fs.write(fd, [b"one ", b"two"]) == 7
        assert await fs.read(fd, 100, 4) == b"two"
        await fs.close(fd)
        assert (await fs.stat("box/file")).st_size == 7
        assert [entry.name for entry in await fs.scandir("box")] == ["file"]
        assert (await fs.du("box")).files == 1
        assert (await fs.copytree("box", "copy")).files == 1
        assert (await fs.rmtree("box")).files == 1
        with pytest.raises(FileNotFoundError) as error:
            await fs.stat("box")
        assert isinstance(error.value, FSError)
        assert error.value.filename == "box"

    run(main)


def test_files():
    async def main():
        async with fs.open("text", "w", encoding="utf-8") as file:
            assert await file.write("één\ntwee\n") == 9
            await file.writelines(["drie\n"] * 3)
        assert Path("text").read_text(encoding="utf-8") == "één\ntwee\n" + "drie\n" * 3
        async with fs.open("text", encoding="utf-8") as file:
            assert await file.readline() == "één\n"
            position = await file.tell()
            assert [line async for line in file] == ["twee\n"] + ["drie\n"] * 3
            await file.seek(position)
            assert await file.read(4) == "twee"
        async with fs.open("text", "r+b") as file:
            await file.seek(0, os.SEEK_END)
            await file.write(b"end")
            await file.seek(0)
            assert (await file.read()).endswith(b"drie\nend")
            await file.truncate(4)
        assert await fs.read_text("text", encoding="utf-8") == "éé"
        assert await fs.write_bytes("text", b"bytes") == 5
        assert await fs.read_bytes("text") == b"bytes"

    run(main)


def test_tasks_use_a_file_in_turn():
    async def main():
        async with fs.open("lines", "w") as file, trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(file.write, f"{number:03}" * 50 + "\n")
        lines = (await fs.read_text("lines")).splitlines()
        assert sorted(lines) == [f"{number:03}" * 50 for number in range(50)]

        found = []
        async with fs.open("lines") as file:

            async def read():
                while line := await file.readline():
                    found.append(line)

            async with trio.open_nursery() as nursery:
                for _ in range(10):
                    nursery.start_soon(read)
        assert sorted(found) == [f"{number:03}" * 50 + "\n" for number in range(50)]

    run(main)


def test_whoever_is_cancelled_leaves_nothing_open_and_loses_nothing():
    os.mkfifo("fifo")

    async def main():
        with trio.CancelScope() as scope:
            async with fs.open("kept", "w") as file:
                await file.write("kept in memory")
                scope.cancel()
                await trio.lowlevel.checkpoint()
        assert scope.cancelled_caught
        assert file.closed
        assert Path("kept").read_text() == "kept in memory"

        # All threads of the pool are held up: what waits behind them is taken back.
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(fs.open_fd, "fifo", os.O_RDONLY)
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(0.05) as scope:
                await fs.mkdir("never")
            assert scope.cancelled_caught
            # Each open ends when there is a writer, and what it gives for nobody is closed.
            nursery.cancel_scope.cancel()
        writer = os.open("fifo", os.O_WRONLY)
        await fs.stat(".")
        os.close(writer)
        assert not os.path.exists("never")
        with trio.fail_after(10):
            while has_reader("fifo"):
                await trio.sleep(0.005)

    run(main)


def test_a_cancelled_scope_is_seen_before_anything_is_done():
    async def main():
        async def refused(call, *arguments):
            with trio.CancelScope() as scope:
                scope.cancel()
                await call(*arguments)
            assert scope.cancelled_caught

        async with fs.open("file", "wb", buffering=0) as file:
            await fs.write_bytes("kept", b"")
            for _ in range(50):
                await refused(fs.unlink, "kept")
                await refused(fs.mkdir, "made")
                await refused(fs.write_text, "made", "")
                await refused(file.write, b"data")
                await refused(fs.AsyncPath("made").touch)
        assert sorted(os.listdir()) == ["file", "kept"]
        assert os.stat("file").st_size == 0

    run(main)


def test_what_closes_is_not_taken_back():
    async def main():
        fd = await fs.open_fd(".", os.O_RDONLY)
        with trio.CancelScope() as scope:
            scope.cancel()
            await fs.close(fd)
        assert scope.cancelled_caught
        with trio.fail_after(10):
            while os.path.exists(f"/proc/self/fd/{fd}"):
                await trio.sleep(0.001)

    run(main)


def test_an_operation_that_fails_is_raised_in_its_task_alone():
    async def main():
        told = []

        async def ask(name):
            try:
                await fs.stat(name)
            except FileNotFoundError:
                told.append(name)
            else:
                told.append(True)

        async with trio.open_nursery() as nursery:
            for name in (".", "no", ".", "neither"):
                nursery.start_soon(ask, name)
        return sorted(map(str, told))

    assert run(main) == ["True", "True", "neither", "no"]


def test_folders_come_as_they_are_found():
    async def main():
        for number in range(30):
            os.makedirs(f"tree/{number}/below")
        assert len([entry async for entry in fs.scandir("tree")]) == 30
        found = [os.path.relpath(folder.path, "tree") async for folder in fs.walk("tree")]
        assert len(found) == 61
        # One that is left in the middle ends with its iterator.
        walking = fs.walk("tree").__aiter__()
        await anext(walking)
        await walking.aclose()

    run(main)


def test_paths():
    async def main():
        path = fs.AsyncPath("folder")
        await path.mkdir()
        await (path / "file").write_text("text")
        assert await (path / "file").is_file()
        assert not await (path / "other").exists()
        assert [one.name async for one in path.iterdir()] == ["file"]
        assert [one async for one in path.glob("*")] == [path / "file"]
        assert stat.S_ISDIR((await path.stat()).st_mode)
        async with (path / "file").open() as file:
            assert await file.read() == "text"

    run(main)


@pytest.mark.parametrize("force_polling", [False, True])
def test_watching(force_polling):
    async def main():
        os.mkdir("watched")
        stop, heard = trio.Event(), set()
        options = {"force_polling": force_polling, "poll_delay_ms": 20, "step": 5}

        async def watch():
            async for changes in fs.watch("watched", stop_event=stop, **options):
                heard.update(changes)
                if (fs.Change.deleted, os.path.abspath("watched/file")) in heard:
                    stop.set()

        async def change():
            while not stop.is_set():
                await fs.write_text("watched/file", "text", atomic=False)
                await trio.sleep(0.06)
                await fs.unlink("watched/file")
                await trio.sleep(0.06)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            nursery.start_soon(change)
        assert {path for _, path in heard} == {os.path.abspath("watched/file")}

        # Whoever is cancelled watches no more.
        with trio.move_on_after(0.05):
            async for _ in fs.watch("watched", **options):
                raise AssertionError("nothing has changed")
        handles = [handle for handle in current_loop().handles if isinstance(handle, pyuv.fs.FSEvent)]
        assert all(handle.closed for handle in handles)

    run(main)
