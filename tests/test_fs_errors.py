import os
import re

import pytest
from fsutil import FOREIGN_FD, code_of
from pyuv import errno, fs
from pyuv.error import FSError

from util import in_child


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
    ) == ["True", "True None", "True"]


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
