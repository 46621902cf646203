"""What aiofiles has, by its names: a program that imports pyuv.asyncio.fs in its place goes on working."""

import asyncio
import inspect
import os
import subprocess
import sys

import pytest
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import fs

factory = pyuv.asyncio.new_event_loop

# Of aiofiles 25.1.0: `__all__` of its modules, and the public names of its classes.
MODULES = {
    "": "open stderr stderr_bytes stdin stdin_bytes stdout stdout_bytes tempfile",
    "os": "access getcwd link listdir makedirs mkdir path readlink remove removedirs rename renames replace "
    "rmdir scandir sendfile stat statvfs symlink unlink wrap",
    "ospath": "abspath exists getatime getctime getmtime getsize isdir isfile islink ismount samefile "
    "sameopenfile",
    "tempfile": "NamedTemporaryFile SpooledTemporaryFile TemporaryDirectory TemporaryFile",
}
FILE = (
    "close closed fileno flush isatty mode name read readable readline readlines seek seekable tell truncate "
    "writable write writelines "
)
CLASSES = {
    "r+": FILE + "buffer detach encoding errors line_buffering newlines",
    "r+b": FILE + "detach peek raw read1 readinto",
    "unbuffered": FILE + "readall readinto",
    "spooled": "close closed encoding fileno flush isatty mode name newlines read readline readlines "
    "rollover seek tell truncate write writelines",
    "folder": "cleanup close name",
}
AT_ONCE = {
    "buffer",
    "closed",
    "detach",
    "encoding",
    "errors",
    "line_buffering",
    "mode",
    "name",
    "newlines",
    "raw",
}
"""What is not awaited; and `fileno`, but of a spooled file."""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_its_names(module):
    found = getattr(fs, module) if module else fs
    assert [name for name in MODULES[module].split() if not hasattr(found, name)] == []
    if module in ("os", "ospath"):
        for name in set(MODULES[module].split()) - {"path", "wrap"}:
            assert inspect.iscoroutinefunction(getattr(found, name)), name


def test_the_modules_can_be_imported_by_themselves():
    code = "import pyuv.asyncio.fs.os; print(pyuv.asyncio.fs.os.path.exists.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["exists"]
    ran = subprocess.run(
        [sys.executable, "-c", "import pyuv, pyuv.asyncio, sys; print('pyuv.asyncio.fs' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["False"]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fs.nothing  # noqa: B018


@pytest.mark.parametrize("kind", CLASSES)
def test_a_file_has_its_names(tmp_path, kind):
    (tmp_path / "file").touch()

    async def made():
        if kind == "spooled":
            return await fs.tempfile.SpooledTemporaryFile(mode="w+")
        if kind == "folder":
            return await fs.tempfile.TemporaryDirectory()
        buffering = 0 if kind == "unbuffered" else -1
        return await fs.open(tmp_path / "file", "r+b" if kind == "unbuffered" else kind, buffering)

    async def main():
        file = await made()
        for name in CLASSES[kind].split():
            value = getattr(file, name)
            at_once = name in AT_ONCE or (name == "fileno" and kind != "spooled")
            assert inspect.iscoroutinefunction(value) is not at_once, name
        await file.close()

    run(factory, main())


def test_os(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def main():
        assert await fs.os.getcwd() == os.getcwd()
        await fs.os.makedirs("a/b/c")
        with pytest.raises(FileExistsError):
            await fs.os.makedirs("a/b/c")
        await fs.os.makedirs("a/b/c", exist_ok=True)
        await fs.os.mkdir("d", 0o700)
        async with fs.open("a/file", "w") as file:
            await file.write("text")
        status = await fs.os.stat("a/file")
        assert (status.st_size, status[6]) == (4, 4)
        await fs.os.symlink("a/file", "link")
        assert await fs.os.readlink("link") == "a/file"
        assert (await fs.os.stat("link", follow_symlinks=False)).st_ino == os.lstat("link").st_ino
        await fs.os.link("a/file", "hard")
        await fs.os.rename("hard", "harder")
        await fs.os.replace("harder", "d/hard")
        await fs.os.renames("d/hard", "e/f/hard")
        assert sorted(await fs.os.listdir()) == ["a", "e", "link"]
        assert sorted(await fs.os.listdir(b".")) == [b"a", b"e", b"link"]
        with await fs.os.scandir("e") as entries:
            assert [entry.name for entry in entries] == ["f"]
        folder = os.open("a", os.O_RDONLY)
        assert (await fs.os.stat("file", dir_fd=folder)).st_size == 4
        assert await fs.os.access("file", os.R_OK, dir_fd=folder)
        assert sorted(await fs.os.listdir(folder)) == ["b", "file"]
        await fs.os.mkdir("inner", dir_fd=folder)
        await fs.os.rmdir("inner", dir_fd=folder)
        assert (await fs.os.stat(folder)).st_ino == os.stat("a").st_ino
        os.close(folder)
        assert await fs.os.access("a/file", os.F_OK)
        assert not await fs.os.access("missing", os.F_OK)
        assert (await fs.os.statvfs(".")).f_bsize == os.statvfs(".").f_bsize
        source, target = os.open("a/file", os.O_RDONLY), os.open("copy", os.O_WRONLY | os.O_CREAT)
        assert await fs.os.sendfile(target, source, 0, 10) == 4
        assert await fs.os.sendfile(target, source, None, 10) == 4
        os.close(source)
        os.close(target)
        await fs.os.unlink("copy")
        await fs.os.remove("e/f/hard")
        await fs.os.removedirs("e/f")
        await fs.os.rmdir("a/b/c")
        assert sorted(os.listdir()) == ["a", "link"]
        assert await fs.os.wrap(os.path.basename)("a/b") == "b"

    run(factory, main())


def test_ospath(tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    (tmp_path / "link").symlink_to("missing")

    async def main():
        for name in ("getsize", "getatime", "getmtime", "getctime"):
            assert await getattr(fs.ospath, name)(path) == getattr(os.path, name)(path)
        for one in (path, tmp_path, tmp_path / "link", tmp_path / "missing", "/", "a\0b"):
            for name in ("exists", "isfile", "isdir", "islink", "ismount", "lexists", "abspath"):
                assert await getattr(fs.ospath, name)(one) == getattr(os.path, name)(one), (name, one)
        assert await fs.ospath.samefile(path, str(path))
        assert not await fs.ospath.samefile(path, tmp_path)
        assert await fs.ospath.realpath(path) == os.path.realpath(path)
        with path.open() as one, path.open() as other:
            assert await fs.ospath.sameopenfile(one.fileno(), other.fileno())
            assert await fs.ospath.exists(one.fileno())
        with pytest.raises(FileNotFoundError):
            await fs.ospath.getsize(tmp_path / "missing")

    run(factory, main())


def test_temporary_files(tmp_path):
    async def main():
        async with fs.tempfile.NamedTemporaryFile("w+", prefix="a", suffix="z", dir=tmp_path) as file:
            await file.write("text")
            await file.flush()
            (name,) = os.listdir(tmp_path)
            assert file.name == str(tmp_path / name)
            assert (name[0], name[-1], file.delete) == ("a", "z", True)
            assert os.stat(file.name).st_mode & 0o777 == 0o600
        assert os.listdir(tmp_path) == []
        async with fs.tempfile.NamedTemporaryFile(dir=tmp_path, delete_on_close=False) as file:
            await file.write(b"text")
            await file.close()
            assert os.stat(file.name).st_size == 4
        assert os.listdir(tmp_path) == []
        file = await fs.tempfile.NamedTemporaryFile(dir=tmp_path, delete=False)
        await file.close()
        os.unlink(file.name)
        async with fs.tempfile.TemporaryFile(dir=tmp_path) as file:
            assert os.listdir(tmp_path) == []
            await file.write(b"text")
            await file.seek(0)
            assert await file.read() == b"text"
        async with fs.tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            (tmp_path / folder / "file").touch()
        assert os.listdir(tmp_path) == []
        folder = await fs.tempfile.TemporaryDirectory(dir=tmp_path)
        assert folder.name in repr(folder)
        await folder.close()
        assert os.listdir(tmp_path) == []
        with pytest.raises(ValueError, match="mode"):
            await fs.tempfile.TemporaryFile("q")

    run(factory, main())


@pytest.mark.parametrize("mode", ["w+", "w+b"])
def test_a_spooled_file_leaves_memory_when_it_is_long(mode):
    piece = "t\u00e9xt\n" if mode == "w+" else b"text!\n"

    async def main():
        async with fs.tempfile.SpooledTemporaryFile(
            100, mode, encoding=None if "b" in mode else "utf-8"
        ) as file:
            assert file.name is None
            for _ in range(10):
                await file.write(piece)
            assert file.name is None
            assert file.mode == mode
            await file.seek(0)
            assert await file.readline() == piece
            position = await file.tell()
            await file.rollover()
            await file.rollover()
            assert await file.tell() == position
            assert await file.readlines() == [piece] * 9
            await asyncio.gather(*(file.writelines([piece] * 10) for _ in range(5)))
            assert file.name == await file.fileno()
            await file.seek(0)
            assert [line async for line in file] == [piece] * 60
            assert await file.seekable()
            assert await file.readable()
            assert await file.writable()
            assert not await file.isatty()
            await file.flush()
            await file.seek(0)
            await file.truncate(0)
            assert await file.read() == piece[:0]
            assert not file.closed
        assert file.closed
        async with fs.tempfile.SpooledTemporaryFile(20, mode) as file:
            await asyncio.gather(*(file.write(piece) for _ in range(20)))
            await file.seek(0)
            assert await file.readlines() == [piece] * 20
            assert isinstance(file.name, int)

    run(factory, main())


def test_standard_streams(capfd):
    async def main():
        await fs.stdout.write("out\n")
        await fs.stdout.flush()
        await fs.stdout_bytes.write(b"bytes\n")
        await fs.stdout_bytes.flush()
        await fs.stderr.write("err\n")
        await fs.stderr.flush()
        assert fs.stderr.fileno() == sys.stderr.fileno()
        assert repr(sys.stderr) in repr(fs.stderr)

    run(factory, main())
    assert capfd.readouterr() == ("out\nbytes\n", "err\n")


def test_the_standard_input_is_read_line_by_line():
    code = """
import pyuv.asyncio
from pyuv.asyncio import fs
async def main():
    print(await fs.stdin_bytes.readline(), [line async for line in fs.stdin])
pyuv.asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", code], input="", capture_output=True, text=True, check=True)
    assert ran.stdout == "b'' []\n"
    ran = subprocess.run(
        [sys.executable, "-c", code], input="a\n", capture_output=True, text=True, check=True
    )
    assert ran.stdout == "b'a\\n' []\n"


def test_a_file_of_somebody_elses_is_wrapped(tmp_path):
    async def main():
        async with fs.wrap_file(open(tmp_path / "file", "w+")) as file:
            await file.write("one\ntwo\n")
            await file.seek(0)
            assert [line async for line in file] == ["one\n", "two\n"]
            assert file.wrapped.name == file.name
        assert file.closed
        with pytest.raises(ValueError, match="closed"):
            await file.read()

    run(factory, main())


def test_whole_files(tmp_path):
    path = tmp_path / "file"

    async def main():
        assert await fs.write_bytes(path, b"text") == 4
        assert await fs.read_bytes(path) == b"text"
        assert await fs.write_text(path, "t\u00e9xt\n", "latin-1", newline="\r\n") == 5
        assert path.read_bytes() == b"t\xe9xt\r\n"
        assert await fs.read_text(path, "latin-1") == "t\u00e9xt\n"
        assert await fs.read_text(path, "latin-1", newline="") == "t\u00e9xt\r\n"
        number = path.stat().st_ino
        await fs.write_text(path, "", atomic=False)
        assert path.stat().st_ino == number
        await fs.write_text(path, "text", mode=0o600)
        assert path.stat().st_ino != number
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(UnicodeEncodeError):
            await fs.write_text(path, "\u20ac", "ascii")
        assert path.read_text() == "text"
        with pytest.raises(TypeError, match="must be str"):
            await fs.write_text(path, b"text")

    run(factory, main())
