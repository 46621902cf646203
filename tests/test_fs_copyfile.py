import os

import pytest
from fsutil import block_pool, code_of
from pyuv import errno, fs
from pyuv.error import FSError


def test_content_and_permissions_are_copied(do, file, tmp_path):
    file.chmod(0o640)
    copy = tmp_path / "copy"
    assert do(fs.copyfile, file, copy) is None
    assert copy.read_bytes() == b"0123456789"
    assert os.stat(copy).st_mode == os.stat(file).st_mode
    file.write_bytes(b"short")
    assert do(fs.copyfile, file, copy, 0) is None
    assert copy.read_bytes() == b"short"


def test_a_large_file_is_whole(do, tmp_path):
    content = os.urandom(1 << 20) * 5
    (tmp_path / "large").write_bytes(content)
    do(fs.copyfile, tmp_path / "large", tmp_path / "copy", fs.UV_FS_COPYFILE_FICLONE)
    assert (tmp_path / "copy").read_bytes() == content


def test_exclusive_refuses_to_overwrite(do, file, tmp_path):
    copy = tmp_path / "copy"
    assert do(fs.copyfile, file, copy, fs.UV_FS_COPYFILE_EXCL) is None
    file.write_bytes(b"other")
    assert code_of(do, fs.copyfile, file, copy, fs.UV_FS_COPYFILE_EXCL) == errno.UV_EEXIST
    assert copy.read_bytes() == b"0123456789"


def test_a_file_is_not_copied_over_itself(do, file, tmp_path):
    (tmp_path / "link").hardlink_to(file)
    assert do(fs.copyfile, file, tmp_path / "link") is None
    assert file.read_bytes() == b"0123456789"


def test_a_forced_clone_shares_blocks_or_fails(do, file, tmp_path):
    code = None
    try:
        do(fs.copyfile, file, tmp_path / "copy", fs.UV_FS_COPYFILE_FICLONE_FORCE)
    except FSError as error:
        code = error.args[0]
    if code is None:
        assert (tmp_path / "copy").read_bytes() == b"0123456789"
    else:
        assert code in (errno.UV_ENOTSUP, errno.UV_ENOTTY, errno.UV_ENOSYS, errno.UV_EXDEV)
        assert not (tmp_path / "copy").exists()


def test_errors_of_both_ends(do, file, tmp_path):
    missing = tmp_path / "missing"
    assert code_of(do, fs.copyfile, missing, tmp_path / "copy") == errno.UV_ENOENT
    assert code_of(do, fs.copyfile, file, missing / "copy") == errno.UV_ENOENT
    assert code_of(do, fs.copyfile, file, tmp_path) == errno.UV_EISDIR
    assert not (tmp_path / "copy").exists()


def test_a_file_that_is_shorter_than_it_says(do, tmp_path):
    """Those of /sys have content only while they are read."""
    path = "/sys/class/net/lo/mtu"
    if not os.path.exists(path):
        pytest.skip("/sys is not mounted")
    do(fs.copyfile, path, tmp_path / "copy")
    with open(path, "rb") as file:
        assert (tmp_path / "copy").read_bytes() == file.read()


def test_a_file_that_is_longer_than_it_says(do, tmp_path):
    do(fs.copyfile, "/proc/self/cmdline", tmp_path / "copy")
    with open("/proc/self/cmdline", "rb") as file:
        assert (tmp_path / "copy").read_bytes() == file.read()


def test_what_is_no_file_is_written_to_and_stays(do, file, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    do(fs.copyfile, file, fifo)
    assert os.read(reader, 100) == b"0123456789"
    os.close(reader)
    assert os.stat(fifo).st_mode == 0o10600


def test_a_device_that_is_full_stays(do, file, tmp_path):
    full = tmp_path / "full"
    try:
        os.mknod(full, 0o20600, os.makedev(1, 7))
        os.close(os.open(full, os.O_WRONLY))
    except PermissionError:
        pytest.skip("devices can be made by root alone, and used where no mount forbids it")
    assert code_of(do, fs.copyfile, file, full) == errno.UV_ENOSPC
    assert full.is_char_device()


def test_undecodable_names(do, file, tmp_path):
    odd = os.fsencode(tmp_path) + b"/\xff\xfe"
    assert do(fs.copyfile, str(file), odd) is None
    assert do(fs.copyfile, os.fsdecode(odd), tmp_path / "back") is None
    assert (tmp_path / "back").read_bytes() == b"0123456789"


@pytest.mark.parametrize("flags", [-1, 8, 2**40])
def test_flags_that_do_not_exist_are_a_value_error(do, file, tmp_path, flags):
    with pytest.raises(ValueError, match=str(flags)):
        do(fs.copyfile, file, tmp_path / "copy", flags)


def test_a_copy_that_waits_can_be_cancelled(loop, file, tmp_path):
    go_on = block_pool(loop)
    seen = []
    request = fs.copyfile(loop, file, tmp_path / "copy", callback=seen.append)
    assert (request.path, request.path2) == (file, tmp_path / "copy")
    assert request.cancel() is True
    go_on()
    loop.run()
    assert seen == [request]
    assert request.error == errno.UV_ECANCELED
    assert not (tmp_path / "copy").exists()
