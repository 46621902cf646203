"""AsyncPath beside pathlib.Path and anyio.Path: the same names, and the same answers."""

import asyncio
import inspect
import os
import pathlib
import pickle
import sys

import anyio
import pytest
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import fs
from pyuv.asyncio.fs import AsyncPath

factory = pyuv.asyncio.new_event_loop

NOT_HERE = {"limiter"}
"""Of anyio's: there are no threads here that could be limited."""


def names(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize("kind", [pathlib.Path, anyio.Path])
def test_all_names_are_here(kind):
    assert names(kind) - names(AsyncPath) - NOT_HERE == set()


def test_what_anyio_awaits_is_awaited_here():
    for name in names(anyio.Path) - NOT_HERE - {"with_segments"}:
        theirs, ours = getattr(anyio.Path, name), getattr(AsyncPath, name)
        if name == "open":
            # It is to be awaited, and an asynchronous context manager as well.
            continue
        assert inspect.iscoroutinefunction(ours) is inspect.iscoroutinefunction(theirs), name


def test_a_path_is_a_pure_path():
    path = AsyncPath("a", "b.txt")
    assert isinstance(path, pathlib.PurePath)
    assert path == pathlib.PurePosixPath("a/b.txt")
    assert hash(path) == hash(pathlib.PurePosixPath("a/b.txt"))
    for other in (path / "c", "c" / path, path.parent, path.with_suffix(".py"), path.joinpath("x")):
        assert type(other) is AsyncPath
    assert [type(parent) for parent in path.parents] == [AsyncPath, AsyncPath]
    assert os.fspath(path) == str(path) == "a/b.txt"
    assert repr(path) == "AsyncPath('a/b.txt')"
    assert pickle.loads(pickle.dumps(path)) == path
    assert sorted([AsyncPath("b"), AsyncPath("a")])[0].name == "a"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder" / "a.py").touch()
    (tmp_path / "folder" / "inner" / "b.py").touch()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "broken").symlink_to("missing")
    os.mkfifo(tmp_path / "pipe")
    return AsyncPath(tmp_path)


ASKS = [
    *("exists", "is_dir", "is_file", "is_symlink", "is_mount", "is_fifo", "is_socket", "is_block_device"),
    *("is_char_device", "owner", "group", "resolve", "absolute", "expanduser", "readlink"),
]


def told(call, *arguments, **options):
    try:
        return call(*arguments, **options)
    except OSError as error:
        return type(error).__mro__[-4], error.errno


async def awaited(coroutine):
    try:
        return await coroutine
    except OSError as error:
        return type(error).__mro__[-4], error.errno


@pytest.mark.parametrize("name", ASKS)
def test_answers_are_those_of_pathlib(tree, name):
    async def main():
        for each in ("", "file", "folder", "link", "broken", "pipe", "missing", "/", "/dev/null", "~/x"):
            path = AsyncPath(each)
            expected = told(getattr(pathlib.Path(each), name))
            found = await awaited(getattr(path, name)())
            assert found == expected, each
            if isinstance(expected, pathlib.Path):
                assert type(found) is AsyncPath

    run(factory, main())


def test_status_and_kind_of_a_link_itself(tree):
    async def main():
        link = tree / "link"
        assert (await link.stat()).st_ino == os.stat(link).st_ino
        assert (await link.stat(follow_symlinks=False)).st_ino == os.lstat(link).st_ino
        assert (await link.lstat()).st_ino == os.lstat(link).st_ino
        assert await link.is_dir()
        assert not await link.is_dir(follow_symlinks=False)
        assert await (tree / "broken").exists(follow_symlinks=False)
        assert await link.samefile(tree / "folder")
        assert not await link.is_junction()
        if sys.version_info >= (3, 14):
            assert link.info.is_dir()
        if sys.version_info >= (3, 13):
            assert AsyncPath.from_uri("file:///abc") == AsyncPath("/abc")

    run(factory, main())


def test_what_is_in_a_folder(tree):
    plain = pathlib.Path(tree)

    async def main():
        assert {path async for path in tree.iterdir()} == set(plain.iterdir())
        for pattern in ("*", "*/*.py", "**/*.py", "none*"):
            assert {path async for path in tree.glob(pattern)} == set(plain.glob(pattern))
            assert {path async for path in tree.rglob(pattern)} == set(plain.rglob(pattern))
        async for path in tree.glob("*"):
            assert type(path) is AsyncPath
            break
        if sys.version_info >= (3, 12):
            seen = [(path, sorted(names), sorted(files)) async for path, names, files in tree.walk()]
            assert seen == [(path, sorted(names), sorted(files)) for path, names, files in plain.walk()]
            async for path, names, _files in tree.walk():
                assert type(path) is AsyncPath
                names.clear()
            assert path == tree
        with pytest.raises(FileNotFoundError):
            [path async for path in (tree / "missing").iterdir()]

    run(factory, main())


def test_content(tree):
    async def main():
        path = tree / "new"
        assert await path.write_text("one\ntwo\n", newline="\r\n") == 8
        assert await path.read_bytes() == b"one\r\ntwo\r\n"
        assert await path.read_text() == "one\ntwo\n"
        assert await path.write_bytes(bytearray(b"text"), atomic=True) == 4
        assert await path.write_text("t\u00e9xt", "latin-1", atomic=True) == 4
        async with path.open("rb") as file:
            assert await file.read() == b"t\xe9xt"
        async with await path.open(encoding="latin-1") as file:
            assert await file.read() == "t\u00e9xt"
        with pytest.raises(FileNotFoundError) as caught:
            await (tree / "missing").read_text()
        assert caught.value.filename == tree / "missing"

    run(factory, main())


def test_changes(tree):
    async def main():
        path = tree / "one" / "two"
        with pytest.raises(FileNotFoundError):
            await path.mkdir()
        await path.mkdir(parents=True)
        with pytest.raises(FileExistsError):
            await path.mkdir()
        await path.mkdir(exist_ok=True)
        await path.rmdir()
        file = tree / "touched"
        await file.touch(0o600)
        with pytest.raises(FileExistsError):
            await file.touch(exist_ok=False)
        await file.chmod(0o640)
        assert (await file.stat()).st_mode & 0o777 == 0o640
        if os.chmod in os.supports_follow_symlinks:
            await file.lchmod(0o600)
            assert (await file.stat()).st_mode & 0o777 == 0o600
        if sys.version_info < (3, 12):
            await file.link_to(tree / "linked")
            assert await (tree / "linked").samefile(file)
            await (tree / "linked").unlink()
        renamed = await file.rename(tree / "renamed")
        assert type(renamed) is AsyncPath
        assert await (await renamed.replace(tree / "replaced")).exists()
        await (tree / "soft").symlink_to("replaced")
        await (tree / "hard").hardlink_to(tree / "replaced")
        assert await (tree / "soft").readlink() == AsyncPath("replaced")
        assert (await (tree / "hard").stat()).st_nlink == 2
        await (tree / "hard").unlink()
        await (tree / "hard").unlink(missing_ok=True)
        with pytest.raises(FileNotFoundError):
            await (tree / "hard").unlink()
        assert await AsyncPath.cwd() == tree
        assert await AsyncPath.home() == pathlib.Path.home()
        if sys.version_info >= (3, 14):
            copy = await (tree / "folder").copy(tree / "copied")
            assert await (copy / "inner" / "b.py").exists()
            assert await (await copy.move(tree / "moved")).is_dir()
            assert await (await (tree / "file").copy_into(tree / "moved")).is_file()
            assert await (await (tree / "moved").move_into(tree / "one")).is_dir()

    run(factory, main())


def test_paths_go_where_paths_go(tree):
    async def main():
        assert (await fs.stat(tree / "file")).st_size == 4
        async with fs.open(tree / "file") as file:
            assert file.name == str(tree / "file")
        await asyncio.gather(*((tree / f"{number}").write_text("text") for number in range(50)))

    run(factory, main())
