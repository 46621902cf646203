import copy
import os
import pickle
from math import inf, nan
from pathlib import Path

import pytest
from pyuv import fs

MANUAL = Path(__file__).parents[1] / "docs"


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


def test_the_manual_tells_of_every_name():
    manual = "".join(page.read_text() for page in MANUAL.glob("fs*.md"))
    missing = [name for name in fs.__all__ if name not in manual and not name.startswith("UV_")]
    assert missing == []
