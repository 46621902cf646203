import array
import copy
import gc
import mmap
import os
import pickle
import random
import re
import socket
import stat as stat_bits
import subprocess
import sys
import textwrap
import threading
import weakref
from math import inf, nan
from pathlib import Path

import pytest
import pyuv
from pyuv import errno, fs
from pyuv.error import FSError

MANUAL = Path(__file__).parents[1] / "docs" / "fs.md"
# No process has that many files open.
FOREIGN_FD = 2**31 - 16


@pytest.fixture
def loop():
    return pyuv.Loop()


@pytest.fixture(params=["sync", "async"])
def do(request, loop):
    """Does an operation at once or on the loop; gives its result or raises its error."""

    def do_async(function, *arguments, **options):
        seen = []
        asked = function(loop, *arguments, callback=seen.append, **options)
        assert isinstance(asked, fs.FSRequest)
        assert asked.result is None
        assert asked.error is None
        assert seen == []
        loop.run()
        assert seen == [asked]
        assert asked.loop is loop
        if asked.error is not None:
            assert asked.result is None
            raise FSError(asked.error, errno.strerror(asked.error))
        return asked.result

    def do_sync(function, *arguments, **options):
        return function(loop, *arguments, **options)

    return do_sync if request.param == "sync" else do_async


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


@pytest.fixture
def fd(file):
    fd = os.open(file, os.O_RDWR)
    yield fd
    os.close(fd)


def code_of(call, *arguments, **options):
    """The code of the FSError that the call raises."""
    with pytest.raises(FSError) as raised:
        call(*arguments, **options)
    code, message = raised.value.args
    assert message
    return code


def in_child(code, *arguments):
    """Runs `code` in a process of its own; gives what it printed."""
    program = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# Every operation


def test_stat_tells_what_os_stat_tells(do, file):
    ours, theirs = do(fs.stat, file), os.stat(file)
    for name in ("mode", "ino", "dev", "nlink", "uid", "gid", "size", "blksize", "blocks", "rdev"):
        assert getattr(ours, f"st_{name}") == getattr(theirs, f"st_{name}")
    for name in ("st_atime", "st_mtime", "st_ctime"):
        assert getattr(ours, name + "_ns") == getattr(theirs, name + "_ns")
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-6)
    assert (ours.st_flags, ours.st_gen) == (0, 0)
    assert ours.st_birthtime <= theirs.st_ctime
    assert tuple(ours) == tuple(theirs)


def test_lstat_tells_of_the_link_itself(do, file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    assert stat_bits.S_ISLNK(do(fs.lstat, tmp_path / "link").st_mode)
    assert stat_bits.S_ISREG(do(fs.stat, tmp_path / "link").st_mode)


def test_fstat_tells_of_an_open_file(do, loop, fd, file):
    assert do(fs.fstat, fd) == fs.stat(loop, file)


def test_unlink_removes_a_name(do, file):
    assert do(fs.unlink, file) is None
    assert not file.exists()


def test_mkdir_makes_a_folder_with_its_mode(do, tmp_path):
    assert do(fs.mkdir, tmp_path / "new", 0o700) is None
    assert stat_bits.S_IMODE(os.stat(tmp_path / "new").st_mode) == 0o700
    assert do(fs.mkdir, tmp_path / "default") is None


def test_rmdir_removes_an_empty_folder(do, tmp_path, file):
    (tmp_path / "dir").mkdir()
    assert do(fs.rmdir, tmp_path / "dir") is None
    assert not (tmp_path / "dir").exists()
    assert code_of(do, fs.rmdir, tmp_path) == errno.UV_ENOTEMPTY
    assert code_of(do, fs.rmdir, file) == errno.UV_ENOTDIR


def test_rename_gives_another_name(do, file, tmp_path):
    assert do(fs.rename, file, tmp_path / "other") is None
    assert (tmp_path / "other").read_bytes() == b"0123456789"
    assert not file.exists()


def test_chmod_and_fchmod_set_permissions(do, file, fd):
    assert do(fs.chmod, file, 0o640) is None
    assert stat_bits.S_IMODE(os.stat(file).st_mode) == 0o640
    assert do(fs.fchmod, fd, 0o600) is None
    assert stat_bits.S_IMODE(os.stat(file).st_mode) == 0o600


def test_chown_leaves_alone_what_is_minus_one(do, file, fd):
    before = os.stat(file)
    assert do(fs.chown, file, -1, -1) is None
    assert do(fs.fchown, fd, -1, -1) is None
    assert do(fs.lchown, file, -1, -1) is None
    assert do(fs.chown, file, os.getuid(), os.getgid()) is None
    assert (os.stat(file).st_uid, os.stat(file).st_gid) == (before.st_uid, before.st_gid)


def test_link_gives_a_further_name(do, file, tmp_path):
    assert do(fs.link, file, tmp_path / "more") is None
    assert os.stat(file).st_nlink == 2
    assert code_of(do, fs.link, file, tmp_path / "more") == errno.UV_EEXIST


def test_symlink_says_what_readlink_reads(do, tmp_path):
    assert do(fs.symlink, "anything", tmp_path / "link", 0) is None
    assert do(fs.readlink, tmp_path / "link") == "anything"
    assert do(fs.symlink, "no flags", tmp_path / "second") is None


def test_realpath_is_absolute_and_without_links(do, file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    assert do(fs.realpath, tmp_path / "link") == os.path.realpath(file)


def test_open_and_close(do, tmp_path):
    fd = do(fs.open, tmp_path / "new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    assert stat_bits.S_IMODE(os.fstat(fd).st_mode) == 0o600
    assert not os.get_inheritable(fd)
    assert do(fs.close, fd) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_read_gives_what_there_is(do, fd):
    assert do(fs.read, fd, 4, -1) == b"0123"
    assert do(fs.read, fd, 4) == b"4567"
    assert do(fs.read, fd, 4, 1) == b"1234"
    assert do(fs.read, fd, 100, 3) == b"3456789"
    assert do(fs.read, fd, 10, 0) == b"0123456789"
    assert do(fs.read, fd, 1, 9) == b"9"
    assert do(fs.read, fd, 0, 0) == b""
    assert do(fs.read, fd, 4, 10) == b""


def test_write_puts_bytes_where_it_is_told(do, fd, file):
    assert do(fs.write, fd, b"ab", -1) == 2
    assert do(fs.write, fd, b"cd") == 2
    assert do(fs.write, fd, b"\0!", 8) == 2
    assert do(fs.write, fd, b"", 0) == 0
    assert file.read_bytes() == b"abcd4567\0!"


def test_write_far_beyond_the_end(do, fd, file):
    offset = 2**31 + 3
    assert do(fs.write, fd, b"end", offset) == 3
    assert do(fs.read, fd, 10, offset) == b"end"
    os.truncate(file, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview"),
        memoryview(b"..part..")[2:6],
        array.array("i", [1, 2, 3]),
        [b"a", bytearray(b"list"), memoryview(b"of")],
        (b"", b"tuple", b""),
        [b""],
        [b"%d," % number for number in range(3000)],
    ],
    ids=lambda data: type(data).__name__,
)
def test_write_takes_whatever_has_bytes(do, fd, file, data):
    expected = b"".join(map(bytes, data)) if isinstance(data, list | tuple) else bytes(data)
    os.truncate(file, 0)
    assert do(fs.write, fd, data, 0) == len(expected)
    assert file.read_bytes() == expected


def test_write_takes_a_memory_map(do, fd, file):
    with mmap.mmap(-1, 4096) as memory:
        memory[:4] = b"mmap"
        assert do(fs.write, fd, memory, 0) == 4096
    assert file.read_bytes()[:5] == b"mmap\0"


def test_access_answers_by_its_error(do, file, tmp_path):
    assert do(fs.access, file, os.F_OK) is None
    assert do(fs.access, file, os.R_OK | os.W_OK) is None
    file.chmod(0o600)
    assert code_of(do, fs.access, file, os.X_OK) == errno.UV_EACCES
    assert code_of(do, fs.access, tmp_path / "missing", os.F_OK) == errno.UV_ENOENT


def test_scandir_tells_names_and_types_in_order(do, tmp_path, monkeypatch):
    (tmp_path / "b").write_text("")
    (tmp_path / "a").mkdir()
    (tmp_path / "c").symlink_to("b")
    os.mkfifo(tmp_path / "d")
    with socket.socket(socket.AF_UNIX) as unix:
        # A socket's whole path would be too long for some temporary folders.
        monkeypatch.chdir(tmp_path)
        unix.bind("e")
        found = do(fs.scandir, tmp_path)
    assert [(entry.name, entry.type) for entry in found] == [
        ("a", fs.UV_DIRENT_DIR),
        ("b", fs.UV_DIRENT_FILE),
        ("c", fs.UV_DIRENT_LINK),
        ("d", fs.UV_DIRENT_FIFO),
        ("e", fs.UV_DIRENT_SOCKET),
    ]
    assert do(fs.scandir, tmp_path / "a") == []


def test_scandir_tells_devices(do):
    types = {entry.name: entry.type for entry in do(fs.scandir, "/dev")}
    assert types["null"] == fs.UV_DIRENT_CHAR


def test_fsync_and_fdatasync(do, fd):
    assert do(fs.fsync, fd) is None
    assert do(fs.fdatasync, fd) is None


def test_ftruncate_cuts_and_fills_up(do, fd, file):
    assert do(fs.ftruncate, fd, 4) is None
    assert do(fs.ftruncate, fd, 6) is None
    assert file.read_bytes() == b"0123\0\0"


def test_sendfile_copies(do, fd, tmp_path):
    with open(tmp_path / "target", "wb") as target:
        assert do(fs.sendfile, target.fileno(), fd, 2, 100) == 8
    assert (tmp_path / "target").read_bytes() == b"23456789"


def test_utime_and_kin_set_times(do, file, fd, tmp_path):
    assert do(fs.utime, file, 1000.5, 2000) is None
    assert (os.stat(file).st_atime, os.stat(file).st_mtime) == (1000.5, 2000)
    assert do(fs.futime, fd, fs.UTIME_OMIT, -1.5) is None
    assert (os.stat(file).st_atime, os.stat(file).st_mtime) == (1000.5, -1.5)
    assert do(fs.futime, fd, fs.UTIME_NOW, 1) is None
    assert os.stat(file).st_atime > 1e9
    (tmp_path / "link").symlink_to(file)
    assert do(fs.lutime, tmp_path / "link", 5, 6) is None
    assert os.lstat(tmp_path / "link").st_mtime == 6
    assert os.stat(file).st_mtime == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_file_is_what_was_written_to_it(do, loop, tmp_path, seed):
    chance = random.Random(seed)
    path = tmp_path / "file"
    fd = fs.open(loop, path, os.O_RDWR | os.O_CREAT)
    model = bytearray()
    for _ in range(30):
        where, length = chance.randrange(300), chance.randrange(300)
        match chance.choice(["write", "read", "cut"]):
            case "write":
                pieces = [chance.randbytes(chance.randrange(50)) for _ in range(chance.randrange(1, 5))]
                data = b"".join(pieces)
                assert do(fs.write, fd, pieces, where) == len(data)
                if data:
                    model.extend(bytes(max(0, where - len(model))))
                    model[where : where + len(data)] = data
            case "read":
                assert do(fs.read, fd, length, where) == bytes(model[where : where + length])
            case "cut":
                do(fs.ftruncate, fd, length)
                model[:] = model[:length].ljust(length, b"\0")
    assert path.read_bytes() == bytes(model)
    fs.close(loop, fd)


# Paths


@pytest.mark.parametrize("kind", [str, os.fsencode, Path], ids=["str", "bytes", "Path"])
def test_paths_are_str_bytes_or_path_like(do, file, kind):
    assert do(fs.stat, kind(str(file))).st_size == 10


def test_bytes_in_give_bytes_out(do, file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    link = os.fsencode(tmp_path / "link")
    assert do(fs.readlink, link) == os.fsencode(file)
    assert do(fs.realpath, link) == os.fsencode(os.path.realpath(file))
    assert [entry.name for entry in do(fs.scandir, os.fsencode(tmp_path))] == [b"file", b"link"]


def test_a_path_like_of_bytes_gives_bytes_out(do, file):
    class BytesPath:
        def __fspath__(self):
            return os.fsencode(file)

    assert do(fs.realpath, BytesPath()) == os.fsencode(os.path.realpath(file))


def test_undecodable_names_go_in_and_come_out(do, tmp_path):
    odd = b"odd \xff\xfe"
    (tmp_path / os.fsdecode(odd)).write_text("12345")
    [as_str] = do(fs.scandir, tmp_path)
    [as_bytes] = do(fs.scandir, os.fsencode(tmp_path))
    assert (as_str.name, as_bytes.name) == (os.fsdecode(odd), odd)
    assert do(fs.stat, tmp_path / as_str.name).st_size == 5
    assert do(fs.stat, os.path.join(os.fsencode(tmp_path), odd)).st_size == 5
    assert do(fs.symlink, as_str.name, tmp_path / "link") is None
    assert do(fs.readlink, tmp_path / "link") == os.fsdecode(odd)


def test_names_outside_ascii(do, tmp_path):
    assert do(fs.mkdir, tmp_path / "gr\u00fc\u00df \u4f60\u597d \U0001f980") is None
    assert [entry.name for entry in do(fs.scandir, tmp_path)] == ["gr\u00fc\u00df \u4f60\u597d \U0001f980"]


# Errors


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (fs.stat, ()),
        (fs.lstat, ()),
        (fs.unlink, ()),
        (fs.rmdir, ()),
        (fs.chmod, (0o600,)),
        (fs.chown, (-1, -1)),
        (fs.lchown, (-1, -1)),
        (fs.readlink, ()),
        (fs.realpath, ()),
        (fs.open, (os.O_RDONLY,)),
        (fs.access, (os.F_OK,)),
        (fs.scandir, ()),
        (fs.utime, (0, 0)),
        (fs.lutime, (0, 0)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_missing_file_is_enoent(do, tmp_path, function, rest):
    assert code_of(do, function, tmp_path / "missing", *rest) == errno.UV_ENOENT


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (fs.fstat, ()),
        (fs.close, ()),
        (fs.fchmod, (0o600,)),
        (fs.fchown, (-1, -1)),
        (fs.fsync, ()),
        (fs.fdatasync, ()),
        (fs.futime, (0, 0)),
        (fs.read, (1, -1)),
        (fs.write, (b"x", -1)),
        (fs.sendfile, (0, 0, 1)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("fd", [FOREIGN_FD, -1, -100, -(2**31)])
def test_an_fd_that_is_not_open_is_ebadf(do, function, rest, fd):
    assert code_of(do, function, fd, *rest) == errno.UV_EBADF


@pytest.mark.parametrize("function", [fs.rename, fs.link])
def test_errors_name_both_paths(loop, tmp_path, function):
    source, target = tmp_path / "source", tmp_path / "target"
    with pytest.raises(FSError, match=re.escape(f"{source} -> {target}")) as raised:
        function(loop, source, target)
    assert raised.value.args[0] == errno.UV_ENOENT


def test_errors_name_the_path_or_the_fd(loop, tmp_path):
    with pytest.raises(FSError, match=re.escape(str(tmp_path / "missing"))):
        fs.stat(loop, tmp_path / "missing")
    with pytest.raises(FSError, match=f"fd {FOREIGN_FD}"):
        fs.fstat(loop, FOREIGN_FD)


def test_errors_of_the_system_are_told_apart(do, file, fd, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert code_of(do, fs.mkdir, tmp_path) == errno.UV_EEXIST
    assert code_of(do, fs.stat, tmp_path / "loop") == errno.UV_ELOOP
    assert code_of(do, fs.stat, tmp_path / ("x" * 300)) == errno.UV_ENAMETOOLONG
    assert code_of(do, fs.stat, file / "below") == errno.UV_ENOTDIR
    assert code_of(do, fs.stat, "") == errno.UV_ENOENT
    assert code_of(do, fs.readlink, file) == errno.UV_EINVAL
    assert code_of(do, fs.open, tmp_path, os.O_WRONLY) == errno.UV_EISDIR
    assert code_of(do, fs.symlink, "x", file) == errno.UV_EEXIST
    assert code_of(do, fs.rename, file, "/proc/file") in (errno.UV_EXDEV, errno.UV_ENOENT, errno.UV_EACCES)


def test_a_full_disk_is_enospc(do):
    with open("/dev/full", "wb", buffering=0) as full:
        assert code_of(do, fs.write, full.fileno(), b"x", -1) == errno.UV_ENOSPC


def test_reading_a_folder_is_eisdir(do, tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert code_of(do, fs.read, fd, 1, -1) == errno.UV_EISDIR
    finally:
        os.close(fd)


def test_a_closed_fd_is_ebadf(do, file):
    fd = do(fs.open, file, os.O_RDONLY)
    do(fs.close, fd)
    assert code_of(do, fs.close, fd) == errno.UV_EBADF
    assert code_of(do, fs.read, fd, 1) == errno.UV_EBADF


def test_no_fd_left_is_emfile():
    assert in_child(
        """
        import os, resource, pyuv
        from pyuv import errno, fs
        loop = pyuv.Loop()
        taken = []
        # What the loop opens for itself on its first run, it opens now.
        loop.run()
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        try:
            while True:
                taken.append(fs.open(loop, "/dev/null", os.O_RDONLY))
        except pyuv.error.FSError as error:
            print(error.args[0] == errno.UV_EMFILE)
        request = fs.open(loop, "/dev/null", os.O_RDONLY, callback=lambda request: None)
        loop.run()
        print(request.error == errno.UV_EMFILE, request.result)
        for fd in taken:
            fs.close(loop, fd)
        print(fs.open(loop, "/dev/null", os.O_RDONLY) == taken[0])
        """
    ) == ["True", "True", "None", "True"]


def test_a_file_size_limit_says_how_much_was_written(tmp_path):
    assert in_child(
        """
        import os, resource, signal, sys, pyuv
        from pyuv import errno, fs
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        loop = pyuv.Loop()
        fd = fs.open(loop, sys.argv[1], os.O_WRONLY | os.O_CREAT)
        print(fs.write(loop, fd, b"0123456789abcdef", 0))
        try:
            fs.write(loop, fd, b"x", 10)
        except pyuv.error.FSError as error:
            print(error.args[0] == errno.UV_EFBIG)
        """,
        tmp_path / "file",
    ) == ["10", "True"]


# Bad input: an exception at the call, and the loop is as it was


def still_usable(loop):
    assert not loop.alive
    assert fs.stat(loop, "/").st_mode
    assert loop.run() in (False, None, True)


@pytest.mark.parametrize("with_callback", [False, True])
@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda *more: (fs.stat, "a\0b", *more), ValueError, "a\\x00b"),
        (lambda *more: (fs.stat, b"a\0b", *more), ValueError, "a\\x00b"),
        (lambda *more: (fs.rename, "a", "c\0d", *more), ValueError, "c\\x00d"),
        (lambda *more: (fs.stat, 5, *more), TypeError, "int"),
        (lambda *more: (fs.stat, None, *more), TypeError, "None"),
        (lambda *more: (fs.fstat, "5", *more), TypeError, "str"),
        (lambda *more: (fs.fstat, 2**40, *more), ValueError, "1099511627776"),
        (lambda *more: (fs.fstat, 2**100, *more), ValueError, str(2**100)),
        (lambda *more: (fs.read, 0, -1, -1, *more), ValueError, "-1"),
        (lambda *more: (fs.read, 0, 2**31, -1, *more), ValueError, "2147483648"),
        (lambda *more: (fs.read, 0, 2**100, -1, *more), ValueError, str(2**100)),
        (lambda *more: (fs.read, 0, 1, -2, *more), ValueError, "-2"),
        (lambda *more: (fs.read, 0, 1.5, -1, *more), TypeError, "float"),
        (lambda *more: (fs.write, 0, b"x", -2, *more), ValueError, "-2"),
        (lambda *more: (fs.write, 0, b"x", 2**63, *more), ValueError, str(2**63)),
        (lambda *more: (fs.write, 0, "text", -1, *more), TypeError, "str"),
        (lambda *more: (fs.write, 0, 5, -1, *more), TypeError, "int"),
        (lambda *more: (fs.write, 0, None, -1, *more), TypeError, "NoneType"),
        (lambda *more: (fs.write, 0, [], -1, *more), ValueError, "empty"),
        (lambda *more: (fs.write, 0, [b"x", "y"], -1, *more), TypeError, "str"),
        (lambda *more: (fs.chmod, "x", -1, *more), ValueError, "-1"),
        (lambda *more: (fs.chown, "x", -2, 0, *more), ValueError, "-2"),
        (lambda *more: (fs.ftruncate, 0, -1, *more), ValueError, "-1"),
        (lambda *more: (fs.sendfile, 1, 0, -1, 5, *more), ValueError, "-1"),
        (lambda *more: (fs.sendfile, 1, 0, 0, -5, *more), ValueError, "-5"),
        (lambda *more: (fs.utime, "x", 1e300, 0, *more), ValueError, "1"),
        (lambda *more: (fs.utime, "x", -inf, 0, *more), ValueError, "inf"),
    ],
)
def test_bad_input_is_an_exception_at_the_call(loop, call, exception, message, with_callback):
    function, *arguments = call(*([pytest.fail] if with_callback else []))
    with pytest.raises(exception, match=re.escape(message)):
        function(loop, *arguments)
    still_usable(loop)


@pytest.mark.parametrize("callback", [5, "callback", object()])
def test_a_callback_that_cannot_be_called_is_a_type_error(loop, callback):
    with pytest.raises(TypeError, match=re.escape(repr(callback))):
        fs.stat(loop, "/", callback)
    still_usable(loop)


def test_what_is_not_a_loop_is_a_type_error():
    for wrong in (None, 5, object(), pyuv.Loop):
        with pytest.raises(TypeError, match="loop"):
            fs.stat(wrong, "/")


def test_a_view_that_is_not_contiguous_is_refused(loop, fd):
    with pytest.raises(BufferError):
        fs.write(loop, fd, memoryview(b"0123")[::2])
    still_usable(loop)


def test_memory_that_is_not_there_is_an_error():
    assert in_child(
        """
        import os, resource, pyuv
        from pyuv import fs
        loop = pyuv.Loop()
        fd = fs.open(loop, "/dev/zero", os.O_RDONLY)
        fs.stat(loop, "/", callback=lambda request: None)
        loop.run()
        limit = 1 << 30
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            fs.read(loop, fd, 2147479552)
        except MemoryError:
            print("MemoryError")
        print(len(fs.read(loop, fd, 1000)))
        """
    ) == ["MemoryError", "1000"]


def test_the_loops_own_fd_is_not_closed(loop):
    assert code_of(fs.close, loop, loop.fileno()) == errno.UV_EBADF
    assert code_of(fs.close, loop, loop.fileno(), pytest.fail) == errno.UV_EBADF
    fs.stat(loop, "/", lambda request: None)
    loop.run()


# Requests


def test_a_request_tells_what_it_is_about(loop, file, tmp_path):
    link = str(tmp_path / "link")
    one = fs.stat(loop, file, lambda request: None)
    two = fs.symlink(loop, b"x", link, 0, lambda request: None)
    three = fs.fstat(loop, FOREIGN_FD, lambda request: None)
    assert (one.path, one.path2, one.fd) == (file, None, None)
    assert one.path is file
    assert (two.path, two.path2, two.fd) == (b"x", link, None)
    assert (three.path, three.path2, three.fd) == (None, None, FOREIGN_FD)
    assert one.loop is loop
    loop.run()
    assert (one.error, two.error, three.error) == (None, None, errno.UV_EBADF)
    assert one.result.st_size == 10


def test_a_request_carries_attributes_and_is_weakly_referenced(loop):
    seen = []
    request = fs.stat(loop, "/", lambda request: seen.append(request.note))
    request.note = "mine"
    dies = weakref.ref(request)
    loop.run()
    assert seen == ["mine"]
    assert dies() is request
    del request
    assert dies() is None


def test_a_request_is_not_made_by_hand():
    with pytest.raises(TypeError, match="FSRequest"):
        fs.FSRequest()


def test_a_request_lives_until_it_is_called(loop):
    seen = []
    fs.stat(loop, "/", seen.append)
    gc.collect()
    loop.run()
    assert seen[0].result.st_mode


def test_the_callback_is_let_go_when_it_was_called(loop):
    class Callback:
        def __call__(self, request):
            pass

    callback = Callback()
    dies = weakref.ref(callback)
    request = fs.stat(loop, "/", callback)
    del callback
    assert dies() is not None
    loop.run()
    assert dies() is None
    assert request.error is None


def test_a_request_in_a_cycle_is_collected(loop):
    class Callback:
        def __call__(self, request):
            self.request = request
            request.callback = self

    callback = Callback()
    dies = weakref.ref(fs.stat(loop, "/", callback))
    loop.run()
    del callback
    gc.collect()
    assert dies() is None


def test_operations_chain(loop, file):
    steps = []

    def opened(request):
        steps.append("opened")
        fs.read(loop, request.result, 100, -1, lambda read: got(request.result, read))

    def got(fd, request):
        steps.append(request.result)
        fs.close(loop, fd, closed)

    def closed(request):
        steps.append(request.error)

    fs.open(loop, file, os.O_RDONLY, 0, opened)
    loop.run()
    assert steps == ["opened", b"0123456789", None]


def test_many_at_once_each_get_their_own_result(loop, tmp_path):
    for size in range(100):
        (tmp_path / str(size)).write_bytes(bytes(size))
    told = {}

    def note(request):
        told[int(Path(request.path).name)] = request.result.st_size

    for size in range(100):
        fs.stat(loop, tmp_path / str(size), note)
    loop.run()
    assert told == {size: size for size in range(100)}


def test_an_exception_in_a_callback_goes_to_the_excepthook(loop):
    seen = []
    loop.excepthook = lambda kind, value, traceback: seen.append((kind, str(value)))

    def bad(request):
        raise ZeroDivisionError("on purpose")

    fs.stat(loop, "/", bad)
    fs.stat(loop, "/", lambda request: seen.append(request.error))
    loop.run()
    assert sorted(seen, key=str) == [(ZeroDivisionError, "on purpose"), None]


def block_pool(loop):
    """Keeps every thread of the pool waiting; gives what lets them go."""
    gate = threading.Event()
    for _ in range(int(os.environ.get("UV_THREADPOOL_SIZE", "4"))):
        loop.queue_work(gate.wait)
    return gate.set


def test_what_waits_can_be_cancelled(loop, file):
    go_on = block_pool(loop)
    order = []
    request = fs.unlink(loop, file, order.append)
    assert request.cancel() is True
    assert request.cancel() is False
    assert request.error is None
    go_on()
    loop.run()
    assert order == [request]
    assert (request.error, request.result) == (errno.UV_ECANCELED, None)
    assert file.exists()


def test_what_is_over_cannot_be_cancelled(loop):
    request = fs.stat(loop, "/", lambda request: None)
    loop.run()
    assert request.cancel() is False
    assert request.error is None


def test_what_is_running_cannot_be_cancelled(loop):
    out, into = os.pipe()
    request = fs.read(loop, out, 1, -1, lambda request: None)
    # A worker has it as soon as cancel says no; until then nothing else would tell.
    begun = fs.fstat(loop, into, lambda request: None)
    while begun.error is None and begun.result is None:
        loop.run(pyuv.UV_RUN_ONCE)
    cancelled = request.cancel()
    os.write(into, b"x")
    loop.run()
    os.close(out)
    os.close(into)
    if cancelled:
        assert request.error == errno.UV_ECANCELED
    else:
        assert request.result == b"x"


def test_written_memory_is_locked_until_the_callback(loop):
    out, into = os.pipe()
    data = bytearray(1 << 20)
    request = fs.write(loop, into, data, -1, lambda request: None)
    with pytest.raises(BufferError):
        data.append(1)

    def drain():
        left = len(data)
        while left:
            left -= len(os.read(out, left))

    reader = threading.Thread(target=drain)
    reader.start()
    loop.run()
    reader.join()
    assert request.result == len(data)
    data.append(1)
    os.close(out)
    os.close(into)


def test_memory_of_a_refused_write_is_let_go(loop):
    data = bytearray(b"x")
    assert code_of(fs.write, loop, -1, data, -1, pytest.fail) == errno.UV_EBADF
    assert code_of(fs.write, loop, -1, data) == errno.UV_EBADF
    data.append(1)


def test_a_loop_with_requests_in_flight_does_not_close(loop):
    fs.stat(loop, "/", lambda request: None)
    with pytest.raises(Exception, match="request"):
        loop.close()
    loop.run()
    loop.close()


def test_a_closed_loop_takes_no_request(loop):
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        fs.stat(loop, "/", pytest.fail)


def test_a_request_outlives_its_loop(file):
    loop = pyuv.Loop()
    request = fs.stat(loop, file, lambda request: None)
    loop.run()
    loop.close()
    assert request.cancel() is False
    assert request.result.st_size == 10


def test_a_dropped_loop_lets_go_of_what_is_in_flight():
    class Callback:
        def __call__(self, request):
            pytest.fail("called")

    loop = pyuv.Loop()
    callback = Callback()
    callback.loop = loop
    data = bytearray(b"x")
    callback.request = fs.write(loop, FOREIGN_FD, data, -1, callback)
    fs.stat(loop, "/", callback)
    dies = [weakref.ref(loop), weakref.ref(callback)]
    del loop, callback
    while any(ref() is not None for ref in dies):
        gc.collect()
    # The pool may still have been at work; loops are freed with the next ones.
    while True:
        pyuv.Loop().close()
        try:
            data.append(1)
        except BufferError:
            continue
        break
    assert len(data) == 2


def test_a_second_thread_may_not_submit_while_the_loop_runs(loop):
    errors = []
    out, into = os.pipe()

    def other():
        try:
            fs.stat(loop, "/", pytest.fail)
        except RuntimeError as error:
            errors.append(str(error))
        finally:
            os.write(into, b"x")

    thread = threading.Thread(target=other)
    fs.read(loop, out, 1, -1, lambda request: None)
    fs.stat(loop, "/", lambda request: thread.start())
    loop.run()
    thread.join()
    os.close(out)
    os.close(into)
    assert len(errors) == 1
    assert "thread" in errors[0]


def test_other_threads_run_while_a_call_blocks(loop):
    out, into = os.pipe()
    thread = threading.Thread(target=lambda: os.write(into, b"x"))
    thread.start()
    assert fs.read(loop, out, 1) == b"x"
    thread.join()
    os.close(out)
    os.close(into)


def test_ctrl_c_ends_a_read_that_blocks():
    assert in_child(
        """
        import os, signal, threading, pyuv
        loop = pyuv.Loop()
        out, into = os.pipe()
        seen = []
        signal.signal(signal.SIGUSR1, lambda *rest: seen.append("handled"))

        def interrupt(number):
            signal.pthread_kill(threading.main_thread().ident, number)

        def twice():
            # Sent again until it meets the read, which goes on after the first kind.
            while not seen:
                interrupt(signal.SIGUSR1)
                pause.wait(0.01)
            while not done.wait(0.01):
                interrupt(signal.SIGINT)

        pause, done = threading.Event(), threading.Event()
        thread = threading.Thread(target=twice)
        thread.start()
        try:
            pyuv.fs.read(loop, out, 1)
        except KeyboardInterrupt:
            done.set()
            print("KeyboardInterrupt")
        print(seen[0])
        """
    ) == ["KeyboardInterrupt", "handled"]


# Results


def test_a_stat_result_is_a_sequence_of_ten(loop):
    result, theirs = fs.stat(loop, "/"), os.stat("/")
    assert len(result) == 10
    assert tuple(result) == tuple(theirs)
    assert result[0] == result.st_mode
    assert result[-1] == theirs[-1]
    assert result[:3] == theirs[:3]
    mode, *_, ctime = result
    assert (mode, ctime) == (theirs.st_mode, int(theirs.st_ctime))
    with pytest.raises(IndexError):
        result[10]


def test_equal_stat_results_are_equal_and_hash_alike(loop, file):
    one, two = fs.stat(loop, file), fs.stat(loop, file)
    assert one == two
    assert hash(one) == hash(two)
    assert one != fs.stat(loop, "/")
    assert one != tuple(one)


def test_stat_results_are_copied_and_pickled(loop, file):
    result = fs.stat(loop, file)
    for again in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert again == result
        assert again.st_mtime_ns == result.st_mtime_ns
        assert again.st_blocks == result.st_blocks


def test_a_stat_result_shows_its_fields(loop, file):
    shown = repr(fs.stat(loop, file))
    assert shown.startswith("pyuv.fs.stat_result(st_mode=")
    assert "st_size=10" in shown


@pytest.mark.parametrize("state", [None, (), ([], [], True), ([0] * 12, [(0, 0)] * 3, True)])
def test_a_stat_result_is_not_made_of_anything(state):
    with pytest.raises((TypeError, ValueError)):
        fs.stat_result(state)


def test_stat_float_times_turns_fractions_off_and_on(loop, file):
    os.utime(file, (1000.5, 2000.25))
    assert fs.stat_float_times() is True
    fs.stat_float_times(False)
    try:
        assert fs.stat_float_times() is False
        result = fs.stat(loop, file)
        assert (result.st_atime, result.st_mtime) == (1000, 2000)
        assert isinstance(result.st_mtime, int)
        assert result.st_mtime_ns == 2000_250_000_000
    finally:
        fs.stat_float_times(True)
    assert fs.stat(loop, file).st_atime == 1000.5
    assert fs.stat(loop, file) == result


def test_dirents_compare_hash_and_pickle(loop, file, tmp_path):
    [one], [two] = fs.scandir(loop, tmp_path), fs.scandir(loop, tmp_path)
    assert one == two
    assert hash(one) == hash(two)
    assert one != fs.Dirent("file", fs.UV_DIRENT_DIR)
    assert one != "file"
    assert repr(one) == "Dirent(name='file', type=1)"
    assert pickle.loads(pickle.dumps(one)) == one
    match one:
        case fs.Dirent(name, kind):
            assert (name, kind) == ("file", fs.UV_DIRENT_FILE)


def test_times_that_are_no_times_are_named_constants():
    assert inf == fs.UTIME_NOW
    assert repr(fs.UTIME_OMIT) == repr(nan)


# The manual


def test_the_manual_tells_of_every_name():
    manual = MANUAL.read_text()
    missing = [name for name in fs.__all__ if name not in manual and not name.startswith("UV_")]
    assert missing == []
