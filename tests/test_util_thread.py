import sys
import threading

import pytest
import pyuv
from pyuv import util
from threadutil import in_thread

linux = pytest.mark.skipif(sys.platform != "linux", reason="as Linux has it")


def named(name):
    util.thread_setname(name)
    return util.thread_getname()


@linux
def test_a_thread_has_the_name_it_gives_itself_and_no_other_thread_has():
    before = util.thread_getname()
    assert in_thread(named, "grüße") == "grüße"
    assert in_thread(named, "") == ""
    assert in_thread(named, "0123456789abcdefgh") == "0123456789abcde"
    assert util.thread_getname() == before


@linux
def test_the_system_sees_the_name():
    def name():
        util.thread_setname("seen")
        with open(f"/proc/self/task/{threading.get_native_id()}/comm") as comm:
            return comm.read()

    assert in_thread(name) == "seen\n"


@linux
def test_a_name_cut_inside_a_letter_comes_back():
    assert in_thread(named, "x" * 14 + "ü") == "x" * 14 + "\udcc3"


def test_a_name_with_a_nul_is_a_value_error():
    with pytest.raises(ValueError, match="NUL"):
        util.thread_setname("a\0b")
    with pytest.raises(TypeError):
        util.thread_setname(1)


@linux
def test_a_thread_can_be_given_a_lower_priority():
    def lower():
        before = util.thread_getpriority()
        util.thread_setpriority(pyuv.UV_THREAD_PRIORITY_LOWEST)
        return before, util.thread_getpriority()

    before = util.thread_getpriority()
    assert in_thread(lower) == (before, 4)
    assert util.thread_getpriority() == before


@pytest.mark.parametrize("priority", [-3, 3, 2**31, -(2**63), 2**100])
def test_a_priority_that_is_none_of_five_is_a_value_error(priority):
    with pytest.raises(ValueError, match=str(priority)):
        util.thread_setpriority(priority)
