import os

import pytest
from pyuv import util

from util import in_child, linux


def test_environ_is_the_process_environment():
    ours = in_child("from pyuv import util; import os; print(util.environ() == dict(os.environ))")
    assert ours == ["True"]
    assert type(util.environ()) is dict


def test_a_variable_can_be_set_read_and_removed():
    code = """
        import os, subprocess
        from pyuv import util
        util.setenv("PYUV_TEST", "caf\\u00e9 \\udcff=1")
        print(ascii(util.getenv("PYUV_TEST")), "PYUV_TEST" in os.environ, "PYUV_TEST" in util.environ())
        shell = subprocess.run(["sh", "-c", 'printf %s "$PYUV_TEST"'], stdout=subprocess.PIPE)
        print(shell.stdout == b"caf\\xc3\\xa9 \\xff=1")
        util.setenv("PYUV_TEST", "")
        print(ascii(util.getenv("PYUV_TEST")))
        util.unsetenv("PYUV_TEST")
        util.unsetenv("PYUV_TEST")
        print(util.getenv("PYUV_TEST"), util.getenv("PYUV_TEST", 7))
        print(util.getenv(name="PYUV_TEST", default="x"))
    """
    assert in_child(code, env={**os.environ, "PYTHONUTF8": "1"}) == [
        r"'caf\xe9 \udcff=1' False True",
        "True",
        "''",
        "None 7",
        "x",
    ]


def test_a_long_value_comes_back_whole():
    code = """
        from pyuv import util
        for length in (255, 256, 257, 511, 512, 100_000):
            util.setenv("PYUV_TEST", "x" * length)
            print(len(util.getenv("PYUV_TEST")) == length)
    """
    assert in_child(code) == ["True"] * 6


@linux
def test_an_environment_that_was_cleared_is_empty():
    code = """
        import ctypes
        from pyuv import util
        ctypes.CDLL(None).clearenv()
        print(util.environ(), util.getenv("HOME"), util.homedir() != "", util.tmpdir())
    """
    assert in_child(code) == ["{} None True /tmp"]


@pytest.mark.parametrize("name", ["", "=", "A=B", "A\0B"])
def test_a_name_that_no_variable_can_have_is_refused(name):
    for call in (lambda: util.getenv(name), lambda: util.setenv(name, "1"), lambda: util.unsetenv(name)):
        with pytest.raises(ValueError, match="environment variable"):
            call()


def test_a_value_with_a_nul_is_refused():
    with pytest.raises(ValueError, match="NUL"):
        util.setenv("PYUV_TEST", "a\0b")
    assert util.getenv("PYUV_TEST") is None


@pytest.mark.parametrize("name", [None, 1, b"HOME", ["HOME"]])
def test_a_name_that_is_no_str_is_a_type_error(name):
    for call in (lambda: util.getenv(name), lambda: util.setenv(name, "1"), lambda: util.unsetenv(name)):
        with pytest.raises(TypeError):
            call()
