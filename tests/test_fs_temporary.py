import os
import stat as stat_bits

import pytest
from fsutil import code_of
from pyuv import errno, fs
from pyuv.error import FSError


def test_mkdtemp_makes_a_folder_of_its_owners(do, tmp_path):
    template = str(tmp_path / "new XXXXXX")
    made = [do(fs.mkdtemp, template) for _ in range(3)]
    assert len(set(made)) == 3
    for path in made:
        assert path[:-6] == template[:-6]
        assert stat_bits.S_IMODE(os.stat(path).st_mode) == 0o700
        assert os.path.isdir(path)


def test_mkstemp_makes_and_opens_a_file_of_its_owners(do, tmp_path):
    fd, path = do(fs.mkstemp, tmp_path / "new-XXXXXX")
    assert isinstance(path, str)
    assert not os.get_inheritable(fd)
    assert stat_bits.S_IMODE(os.stat(path).st_mode) == 0o600
    assert do(fs.write, fd, b"text", 0) == 4
    assert do(fs.read, fd, 10, 0) == b"text"
    assert do(fs.close, fd) is None
    with open(path, "rb") as file:
        assert file.read() == b"text"


def test_bytes_in_give_bytes_out(do, tmp_path):
    template = os.fsencode(tmp_path) + b"/\xff-XXXXXX"
    folder = do(fs.mkdtemp, template)
    assert folder.startswith(os.fsencode(tmp_path) + b"/\xff-")
    fd, path = do(fs.mkstemp, os.fsdecode(template))
    os.close(fd)
    assert os.fsencode(path).startswith(os.fsencode(tmp_path) + b"/\xff-")


@pytest.mark.parametrize("function", [fs.mkdtemp, fs.mkstemp])
def test_errors_name_the_template(do, loop, tmp_path, function):
    assert code_of(do, function, tmp_path / "no template") == errno.UV_EINVAL
    assert code_of(do, function, "") == errno.UV_EINVAL
    missing = tmp_path / "missing" / "XXXXXX"
    assert code_of(do, function, missing) == errno.UV_ENOENT
    with pytest.raises(FSError) as raised:
        function(loop, missing)
    assert str(missing) in raised.value.args[1]
    long = tmp_path / ("x" * 300 + "XXXXXX")
    assert code_of(do, function, long) == errno.UV_ENAMETOOLONG
    with pytest.raises(ValueError, match="NUL"):
        do(function, "a\0XXXXXX")
    assert os.listdir(tmp_path) == []
