import os
import resource
import threading

import pytest
from pyuv import util
from pyuv.errno import UV_ESRCH
from pyuv.error import UVError

from util import in_child, linux


def test_getrusage_has_the_fields_and_values_of_the_resource_module():
    ours, theirs = util.getrusage(), resource.getrusage(resource.RUSAGE_SELF)
    names = [name for name in dir(theirs) if name.startswith("ru_")]
    assert sorted(names) == sorted(name for name in dir(ours) if name.startswith("ru_"))
    assert len(ours) == 16
    assert ours.ru_utime == pytest.approx(theirs.ru_utime, abs=0.1)
    assert ours.ru_stime == pytest.approx(theirs.ru_stime, abs=0.1)
    assert ours.ru_maxrss == pytest.approx(theirs.ru_maxrss, rel=0.1)
    assert 0 <= theirs.ru_minflt - ours.ru_minflt < 1000
    assert ours.ru_nvcsw <= theirs.ru_nvcsw


@linux
def test_getrusage_thread_counts_the_calling_thread_only():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(util.getrusage_thread()))
    thread.start()
    thread.join()
    whole = util.getrusage()
    assert seen[0].ru_minflt < whole.ru_minflt
    assert seen[0].ru_utime + seen[0].ru_stime <= whole.ru_utime + whole.ru_stime


def test_pids_are_what_the_os_module_sees():
    assert (util.getpid(), util.getppid()) == (os.getpid(), os.getppid())


@linux
def test_exepath_is_the_file_that_runs():
    assert util.exepath() == os.readlink("/proc/self/exe")


def test_priority_can_be_read_and_lowered():
    assert util.getpriority() == util.getpriority(os.getpid()) == os.getpriority(os.PRIO_PROCESS, 0)
    code = """
        import os, pyuv
        pyuv.util.setpriority(0, pyuv.UV_PRIORITY_BELOW_NORMAL)
        print(pyuv.util.getpriority(), os.getpriority(os.PRIO_PROCESS, 0))
    """
    assert in_child(code) == ["10 10"]


@pytest.mark.parametrize("priority", [-21, 20, 2**31, -(2**63), 2**100])
def test_a_priority_out_of_range_is_refused(priority):
    with pytest.raises(ValueError, match=str(priority)):
        util.setpriority(0, priority)


def test_the_priority_of_no_process_is_an_error():
    for pid in (-1, 2**31 - 1):
        with pytest.raises(UVError, match=f"no such process: process {pid}") as caught:
            util.getpriority(pid)
        assert caught.value.args[0] == UV_ESRCH
    with pytest.raises(UVError) as caught:
        util.setpriority(2**31 - 1, 0)
    assert caught.value.args[0] == UV_ESRCH


TITLED = """
    import sys
    from pathlib import Path
    from pyuv import util

    def shown():
        line = Path("/proc/self/cmdline").read_bytes()
        title = line.split(b"\\0")[0].decode(errors="surrogateescape")
        return title, Path("/proc/self/comm").read_text()[:-1]

    room = len(Path("/proc/self/cmdline").read_bytes())
"""


@linux
def test_the_title_before_it_is_set_is_the_programs_name():
    assert in_child(TITLED + "    print(util.get_process_title() == shown()[0] != '')") == ["True"]


@linux
def test_a_title_shows_in_proc_and_sys_argv_stays():
    code = """
    util.set_process_title("pyuv: worker 7, busy")
    print(util.get_process_title(), *shown(), sep="|")
    print(sys.argv[1:], sys.orig_argv[-1])
    """
    printed = in_child(TITLED + code, "argument")
    assert printed == ["pyuv: worker 7, busy|pyuv: worker 7, busy|pyuv: worker 7,", "['argument'] argument"]


@linux
def test_a_title_set_by_another_thread_names_the_main_thread():
    code = """
    import threading
    thread = threading.Thread(target=util.set_process_title, args=("from a thread",))
    thread.start()
    thread.join()
    print(*shown(), sep="|")
    """
    assert in_child(TITLED + code) == ["from a thread|from a thread"]


@linux
def test_a_title_too_long_is_cut_and_the_environment_stays():
    code = """
    import os
    before = util.environ()
    util.set_process_title("x" * (room - 2) + "\\u20ac" + "y" * 100_000)
    print(util.get_process_title() == "x" * (room - 2) == shown()[0])
    print(len(Path("/proc/self/cmdline").read_bytes()) == room, util.environ() == before)
    util.set_process_title("z")
    print(*shown(), sep="|")
    util.set_process_title("")
    print(*shown(), sep="|")
    """
    assert in_child(TITLED + code) == ["True", "True True", "z|z", "|"]


@linux
def test_a_title_keeps_bytes_that_are_not_utf8():
    code = """
    util.set_process_title("caf\\udce9")
    print(ascii(util.get_process_title()))
    """
    assert in_child(TITLED + code) == [r"'caf\udce9'"]


@linux
def test_a_child_and_its_parent_have_titles_of_their_own():
    code = """
    import os
    util.set_process_title("parent")
    child = os.fork()
    if child == 0:
        util.set_process_title("child")
        os._exit(0 if shown() == ("child", "child") else 1)
    print(os.waitpid(child, 0)[1], *shown())
    """
    assert in_child(TITLED + code) == ["0 parent parent"]


def test_a_title_with_a_nul_is_refused():
    with pytest.raises(ValueError, match="NUL"):
        util.set_process_title("a\0b")
