import os
from pathlib import Path

import pytest
from pyuv import fs


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
