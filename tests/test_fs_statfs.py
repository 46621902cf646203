import copy
import os
import pickle

from fsutil import code_of
from pyuv import errno, fs


def test_it_tells_what_statvfs_tells(do, tmp_path):
    ours, theirs = do(fs.statfs, tmp_path), os.statvfs(tmp_path)
    assert ours.f_bsize == theirs.f_bsize
    assert ours.f_frsize == theirs.f_frsize
    assert ours.f_blocks == theirs.f_blocks
    assert ours.f_files == theirs.f_files
    assert 0 <= ours.f_bavail <= ours.f_bfree <= ours.f_blocks
    assert ours.f_ffree <= ours.f_files


def test_kinds_of_filesystems_are_told_apart(do):
    # PROC_SUPER_MAGIC
    assert do(fs.statfs, "/proc").f_type == 0x9FA0


def test_a_result_is_a_named_tuple_of_eight(do):
    result = do(fs.statfs, b"/")
    assert isinstance(result, fs.statfs_result)
    kind, bsize, *_ = result
    assert (kind, bsize, len(result)) == (result.f_type, result.f_bsize, 8)
    assert pickle.loads(pickle.dumps(result)) == copy.copy(result) == result
    assert repr(result).startswith("pyuv.fs.statfs_result(f_type=")
    match result:
        case fs.statfs_result(f_type=found):
            assert found == kind


def test_a_missing_path_is_enoent(do, tmp_path):
    assert code_of(do, fs.statfs, tmp_path / "missing") == errno.UV_ENOENT
