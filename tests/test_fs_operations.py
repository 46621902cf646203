import array
import mmap
import os
import random
import socket
import stat as stat_bits

import pytest
from fsutil import code_of
from pyuv import errno, fs


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


def test_utime_and_kin_take_nanoseconds(do, file, fd, tmp_path):
    def times(path):
        return os.lstat(path).st_atime_ns, os.lstat(path).st_mtime_ns

    # No float has these.
    assert do(fs.utime, file, ns=(1_700_000_000_123_456_789, -1)) is None
    assert times(file) == (1_700_000_000_123_456_789, -1)
    assert do(fs.futime, fd, ns=(1, 2_000_000_001)) is None
    assert times(file) == (1, 2_000_000_001)
    (tmp_path / "link").symlink_to(file)
    assert do(fs.lutime, tmp_path / "link", ns=(3, 1_700_000_000_000_000_001)) is None
    assert times(tmp_path / "link") == (3, 1_700_000_000_000_000_001)
    assert times(file) == (1, 2_000_000_001)


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((), {}, TypeError),
        ((1,), {}, TypeError),
        ((1, 2), {"ns": (1, 2)}, TypeError),
        ((), {"ns": (1,)}, ValueError),
        ((), {"ns": 1}, TypeError),
        ((), {"ns": (1.5, 2)}, TypeError),
        ((), {"ns": (0, 1 << 100)}, ValueError),
        ((), {"ns": (0, 1 << 1000)}, ValueError),
    ],
)
def test_times_are_given_one_way(loop, file, arguments, options, error):
    with pytest.raises(error):
        fs.utime(loop, file, *arguments, **options)


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
