"""scandir and walk of pyuv.asyncio.fs: as a whole, and as it comes."""

import asyncio
import os

import pytest
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import fs
from pyuv.error import FSError
from treeutil import FOLDERS, grow

factory = pyuv.asyncio.new_event_loop


def test_a_folder_is_a_list(tmp_path, loop):
    for number in range(50):
        (tmp_path / f"{number}").touch()

    async def main():
        assert await fs.scandir(tmp_path) == pyuv.fs.scandir(loop, tmp_path)
        assert (await fs.scandir(os.fsencode(tmp_path)))[0].name == b"0"
        with pytest.raises(FileNotFoundError, match=r"\(scandir\)"):
            await fs.scandir(tmp_path / "missing")

    run(factory, main())


def test_a_folder_comes_entry_by_entry(tmp_path):
    for number in range(3000):
        (tmp_path / f"{number}").touch()

    async def main():
        names = [entry.name async for entry in fs.scandir(tmp_path)]
        assert sorted(names) == sorted(os.listdir(tmp_path))
        with pytest.raises(FileNotFoundError, match=r"\(opendir\)"):
            [entry async for entry in fs.scandir(tmp_path / "missing")]

    run(factory, main())


def test_a_folder_that_is_left_early_is_closed(tmp_path):
    (tmp_path / "file").touch()

    async def main():
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            async for _entry in fs.scandir(tmp_path):
                break
        entries = aiter(fs.scandir(tmp_path))
        await anext(entries)
        assert len(os.listdir("/proc/self/fd")) > before
        await entries.aclose()
        await asyncio.sleep(0.01)
        assert len(os.listdir("/proc/self/fd")) == before

    run(factory, main())


def test_a_tree_is_a_result(tmp_path):
    grow(tmp_path)

    async def main():
        seen = []
        result = await fs.walk(tmp_path, progress=seen.append)
        assert len(result.folders) == FOLDERS
        assert seen[-1].folders == FOLDERS
        with pytest.raises(FileNotFoundError, match=r"\(walk\)"):
            await fs.walk(tmp_path / "missing")

    run(factory, main())


def test_a_tree_comes_folder_by_folder(tmp_path):
    grow(tmp_path)

    async def main():
        found = {}
        async for path, entries in fs.walk(tmp_path):
            found.setdefault(path, []).extend(entry.name for entry in entries)
        expected = {path: sorted(folders + files) for path, folders, files in os.walk(tmp_path)}
        assert {path: sorted(names) for path, names in found.items()} == expected
        with pytest.raises(FSError, match=r"missing \(walk\)"):
            [folder async for folder in fs.walk(tmp_path / "missing")]

    run(factory, main())


def test_a_walk_tells_what_failed(tmp_path):
    grow(tmp_path)
    (tmp_path / "link").symlink_to("0")

    async def main():
        link = str(tmp_path / "link")
        walk = fs.walk(link, on_error="continue")
        with pytest.raises(FSError) as caught:
            [folder async for folder in walk]
        assert caught.value.filename == link
        assert walk.errors == [(link, caught.value.code)]

    run(factory, main())


def test_a_walk_that_is_left_early_ends(tmp_path):
    grow(tmp_path)

    async def main():
        folders = aiter(fs.walk(tmp_path))
        assert (await anext(folders)).path == str(tmp_path)
        await folders.aclose()
        # A slow consumer that is cancelled.
        task = asyncio.create_task(slowly())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def slowly():
        async for _ in fs.walk(tmp_path):
            await asyncio.sleep(10)

    run(factory, main())
