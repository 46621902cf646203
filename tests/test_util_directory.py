import os
import pwd

import pytest
from pyuv import util
from pyuv.errno import UV_ENOENT, UV_ENOTDIR
from pyuv.error import UVError

from util import in_child


def test_cwd_is_what_the_os_module_sees():
    assert util.cwd() == os.getcwd()


@pytest.mark.parametrize("kind", ["str", "bytes", "Path"])
def test_chdir_takes_every_kind_of_path(kind, tmp_path):
    place = tmp_path / "caf\u00e9"
    place.mkdir()
    code = """
        import os, sys
        from pathlib import Path
        from pyuv import util
        kind = {"str": str, "bytes": os.fsencode, "Path": Path}[sys.argv[1]]
        util.chdir(kind(sys.argv[2]))
        print(util.cwd() == os.getcwd() == sys.argv[2])
    """
    assert in_child(code, kind, str(place)) == ["True"]


def test_the_working_directory_can_be_deep_or_gone(tmp_path):
    code = """
        import os, sys
        from pyuv import util, errno, error
        os.chdir(sys.argv[1])
        for _ in range(12):
            os.mkdir("d" * 200)
            util.chdir("d" * 200)
        print(util.cwd() == os.getcwd(), len(util.cwd()) > 2400)
        os.rmdir(util.cwd())
        try:
            util.cwd()
        except error.UVError as error:
            print(errno.errorcode[error.args[0]])
    """
    assert in_child(code, str(tmp_path)) == ["True True", "UV_ENOENT"]


def test_chdir_to_no_directory_is_an_error_that_names_it():
    with pytest.raises(UVError, match="/no/such/place") as caught:
        util.chdir("/no/such/place")
    assert caught.value.args[0] == UV_ENOENT
    with pytest.raises(UVError) as caught:
        util.chdir(__file__)
    assert caught.value.args[0] == UV_ENOTDIR
    with pytest.raises(ValueError, match="NUL"):
        util.chdir("a\0b")
    for path in (None, 1, [], object()):
        with pytest.raises(TypeError):
            util.chdir(path)


def test_home_and_temporary_directory_follow_the_environment():
    code = "from pyuv import util; print(util.homedir(), util.tmpdir())"
    assert in_child(code, env={"HOME": "/some/home", "TMPDIR": "/some/tmp/"}) == ["/some/home /some/tmp"]
    home = pwd.getpwuid(os.geteuid()).pw_dir
    assert in_child(code, env={}) == [f"{home} /tmp"]
