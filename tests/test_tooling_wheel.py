"""What a wheel is judged by: its symbols, its tag, and where it can run."""

import shutil
from pathlib import Path

import pytest
import pyuv
import symbols
from symbols import Symbol
from targets import TARGETS

LISTING = """
_pyuv.so:     file format elf64-x86-64

DYNAMIC SYMBOL TABLE:
0000000000000000  w   D  *UND*\t0000000000000000              __gmon_start__
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.14) memcpy
0000000000000000      DF *UND*\t0000000000000000  GLIBC_2.34  pthread_create
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.2.5) write
0000000000000000      DF *UND*\t0000000000000000 (GCC_3.3)    _Unwind_GetIP
0000000000000000      D  *UND*\t0000000000000000              PyTuple_New
0000000000000000      D  *UND*\t0000000000000000              __real_waitpid
00000000002d7ac0 g    DF .text\t0000000000000131  Base        PyInit__pyuv
00000000002bc020 g    DF .text\t0000000000000131  Base        __wrap_waitpid
"""

needs_objdump = pytest.mark.skipif(not shutil.which("objdump"), reason="needs objdump")


def module():
    """The extension that the tests run with, which was linked on this machine for this machine."""
    (path,) = Path(pyuv.__file__).parent.glob("_pyuv*.so")
    return path


def test_what_is_asked_of_others():
    found = {symbol.name: symbol for symbol in symbols.parse(LISTING)}
    assert found["memcpy"].glibc == (2, 14)
    assert found["pthread_create"].glibc == (2, 34)
    assert found["write"].glibc == (2, 2)
    assert found["_Unwind_GetIP"] == Symbol("_Unwind_GetIP", "GCC_3.3")
    assert found["_Unwind_GetIP"].glibc is None
    assert found["PyTuple_New"] == Symbol("PyTuple_New", "")
    assert "PyInit__pyuv" not in found


def test_what_an_older_glibc_does_not_have():
    found = symbols.parse(LISTING)
    assert [symbol.name for symbol in symbols.newer(found, (2, 28))] == ["pthread_create"]
    assert symbols.newer(found, (2, 34)) == []


def test_what_a_linker_without_wrap_leaves():
    assert [symbol.name for symbol in symbols.unwrapped(symbols.parse(LISTING))] == ["__real_waitpid"]


@needs_objdump
def test_the_extension_was_linked_with_wrap_and_is_not_for_every_glibc():
    found = symbols.wanted(module())
    assert symbols.unwrapped(found) == []
    assert {symbol.name for symbol in found} >= {"epoll_pwait", "waitpid"}
    # A check that says nothing of glibc 2.2 would say nothing of any.
    assert symbols.newer(found, (2, 2))


@pytest.mark.parametrize(
    ("target", "tag", "admitted"),
    [
        ("x86_64", "manylinux_2_28_x86_64", True),
        ("x86_64", "manylinux_2_5_x86_64", True),
        ("x86_64", "manylinux_2_34_x86_64", False),
        ("x86_64", "manylinux_2_17_aarch64", False),
        ("x86_64", "musllinux_1_2_x86_64", False),
        ("x86_64", "linux_x86_64", False),
        ("aarch64", "manylinux_2_28_aarch64", True),
        ("aarch64-musl", "musllinux_1_1_aarch64", True),
        ("aarch64-musl", "musllinux_1_3_aarch64", False),
    ],
)
def test_the_platforms_that_a_target_admits(target, tag, admitted):
    assert TARGETS[target].admits(tag) is admitted


def test_a_target_is_named_by_processor_and_libc():
    target = TARGETS["aarch64-musl"]
    assert target.triple == "aarch64-unknown-linux-musl"
    assert target.tag == "musllinux_1_2_aarch64"
    assert target.glibc is None
    assert "crt-static" in target.cargo_settings()["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS"]
    assert TARGETS["aarch64"].glibc == (2, 28)
