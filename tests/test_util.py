import contextlib
import copy
import grp
import itertools
import os
import pickle
import platform
import pwd
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest
import pyuv
from pyuv import util
from pyuv.errno import UV_ENOENT, UV_ENOTDIR, UV_ENXIO, UV_ESRCH
from pyuv.error import UVError

linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with /proc")
MANUAL = Path(__file__).parents[1] / "docs" / "util.md"


def in_child(code, *arguments, **options):
    """Run `code`, which changes its process, in a process of its own; return what it printed."""
    program = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def meminfo(name):
    (line,) = (line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


# Clocks


def test_hrtime_is_the_monotonic_clock_in_nanoseconds():
    before = time.monotonic_ns()
    now = util.hrtime()
    assert before <= now <= time.monotonic_ns()


def test_clock_gettime_reads_both_clocks():
    before = time.monotonic_ns()
    monotonic = util.clock_gettime(pyuv.UV_CLOCK_MONOTONIC)
    assert before <= monotonic.tv_sec * 10**9 + monotonic.tv_nsec <= time.monotonic_ns()
    before = time.time_ns()
    real = util.clock_gettime(pyuv.UV_CLOCK_REALTIME)
    assert before <= real.tv_sec * 10**9 + real.tv_nsec <= time.time_ns()


@pytest.mark.parametrize("clock", [-1, 2, 2**31, 2**32, -(2**63), 2**63, 2**100])
def test_clock_gettime_refuses_a_clock_that_does_not_exist(clock):
    with pytest.raises(ValueError, match=str(clock)):
        util.clock_gettime(clock)


def test_gettimeofday_is_the_time():
    before = time.time_ns() // 1000
    now = util.gettimeofday()
    assert before <= now.tv_sec * 10**6 + now.tv_usec <= time.time_ns() // 1000


@linux
def test_uptime_is_the_kernels():
    before = float(Path("/proc/uptime").read_text().split()[0])
    uptime = util.uptime()
    assert isinstance(uptime, float)
    assert before <= uptime <= float(Path("/proc/uptime").read_text().split()[0])


def test_loadavg_is_a_tuple_of_three_averages():
    averages = util.loadavg()
    assert type(averages) is tuple
    assert len(averages) == 3
    assert all(
        ours == pytest.approx(theirs, abs=0.5) for ours, theirs in zip(averages, os.getloadavg(), strict=True)
    )


# Memory


@linux
def test_memory_of_the_machine_is_what_meminfo_says():
    assert util.get_total_memory() == meminfo("MemTotal:")
    assert util.get_free_memory() == pytest.approx(meminfo("MemAvailable:"), rel=0.2)
    assert 0 < util.get_available_memory() <= util.get_total_memory()


def test_constrained_memory_is_a_limit_or_says_that_there_is_none():
    limit = util.get_constrained_memory()
    assert limit == 0 or limit >= resource.getpagesize()


@linux
def test_resident_set_is_what_statm_says():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    size = util.resident_set_memory()
    assert size == pytest.approx(pages * resource.getpagesize(), rel=0.1)
    assert util.resident_set_size is util.resident_set_memory


@linux
def test_constrained_memory_sees_a_new_rlimit():
    code = """
        import resource
        from pyuv import util
        resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
        print(util.get_constrained_memory())
    """
    assert 0 < int(in_child(code)[0]) <= 1 << 32


# Processors


@linux
def test_cpu_info_lists_every_processor_of_proc_stat():
    names = re.findall(r"^cpu\d+", Path("/proc/stat").read_text(), re.MULTILINE)
    processors = util.cpu_info()
    assert len(processors) == len(names)
    for processor in processors:
        assert isinstance(processor.model, str)
        assert processor.model
        assert isinstance(processor.speed, int)


@linux
def test_cpu_times_are_milliseconds():
    ticks = 1000 // os.sysconf("SC_CLK_TCK")
    line = re.search(r"^cpu0 .*", Path("/proc/stat").read_text(), re.MULTILINE)[0]
    user, nice, system, idle = (int(field) * ticks for field in line.split()[1:5])
    times = util.cpu_info()[0].times
    for ours, theirs in [(times.user, user), (times.nice, nice), (times.sys, system), (times.idle, idle)]:
        assert theirs <= ours <= theirs + 10_000


def test_available_parallelism_is_at_most_the_affinity():
    assert 1 <= util.available_parallelism() <= len(os.sched_getaffinity(0))


@linux
def test_affinity_is_what_the_os_module_sees():
    assert util.thread_getaffinity() == os.sched_getaffinity(0)
    assert util.cpumask_size() > max(os.sched_getaffinity(0))


@linux
def test_a_thread_moves_to_the_processor_it_is_told_and_no_other_thread_does():
    before = util.thread_getaffinity()
    last = max(before)
    seen = []

    def move():
        seen.append(util.thread_setaffinity(iter([last, last])))
        seen.append(util.thread_getaffinity())
        seen.append(util.getcpu())

    thread = threading.Thread(target=move)
    thread.start()
    thread.join()
    assert seen == [before, {last}, last]
    assert util.thread_getaffinity() == before


@linux
@pytest.mark.parametrize("cpus", [[], [-1], [2**31], [2**64], [2**100], itertools.count()])
def test_affinity_refuses_processors_that_cannot_be(cpus):
    before = util.thread_getaffinity()
    with pytest.raises(ValueError, match=r"out of range|does not fit|invalid argument"):
        util.thread_setaffinity(cpus)
    assert util.thread_getaffinity() == before


@linux
@pytest.mark.parametrize("cpus", [None, 1, "1", [0.0], [None]])
def test_affinity_wants_an_iterable_of_ints(cpus):
    with pytest.raises(TypeError):
        util.thread_setaffinity(cpus)


# Network interfaces


def test_interface_addresses_have_the_names_the_socket_module_sees():
    names = {name for _, name in socket.if_nameindex()}
    addresses = util.interface_addresses()
    assert {entry.name for entry in addresses} <= names
    for entry in addresses:
        family = socket.AF_INET6 if ":" in entry.address else socket.AF_INET
        assert socket.inet_pton(family, entry.address)
        assert socket.inet_pton(family, entry.netmask)
        assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", entry.mac)


@linux
def test_interface_addresses_have_the_hardware_address_of_sysfs():
    for entry in util.interface_addresses():
        assert entry.mac == Path(f"/sys/class/net/{entry.name}/address").read_text().strip()


def test_loopback_is_there_and_internal():
    (loopback,) = (entry for entry in util.interface_addresses() if entry.address == "127.0.0.1")
    assert loopback.is_internal is True
    assert loopback.netmask == "255.0.0.0"
    assert loopback == (loopback.name, True, "127.0.0.1", "255.0.0.0", loopback.mac)


def test_interface_names_are_found_by_index():
    for index, name in socket.if_nameindex():
        assert util.if_indextoname(index) == name
        assert util.if_indextoiid(index) == name


@pytest.mark.parametrize("function", [util.if_indextoname, util.if_indextoiid])
def test_an_interface_that_is_not_there_is_an_error(function):
    with pytest.raises(UVError, match="4294967295") as caught:
        function(2**32 - 1)
    assert caught.value.args[0] == UV_ENXIO
    for index in (-1, 2**32):
        with pytest.raises(ValueError, match=str(index)):
            function(index)


# The process


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


# The system and its users


def test_hostname_is_the_machines():
    assert util.hostname() == socket.gethostname()


def test_uname_is_what_the_os_module_sees():
    ours, theirs = util.os_uname(), os.uname()
    for name in ("sysname", "release", "version", "machine"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.sysname == platform.system()


def test_users_are_what_the_pwd_module_sees():
    for entry in pwd.getpwall():
        ours, theirs = util.get_passwd(entry.pw_uid), pwd.getpwuid(entry.pw_uid)
        assert ours == (theirs.pw_name, theirs.pw_uid, theirs.pw_gid, theirs.pw_shell, theirs.pw_dir)
    assert util.get_passwd() == util.get_passwd(None) == util.get_passwd(uid=os.geteuid())


def test_groups_are_what_the_grp_module_sees():
    for entry in grp.getgrall():
        ours, theirs = util.get_group(entry.gr_gid), grp.getgrgid(entry.gr_gid)
        assert ours == (theirs.gr_name, theirs.gr_gid, tuple(theirs.gr_mem))


@pytest.mark.parametrize("function", [util.get_passwd, util.get_group])
def test_a_user_or_group_that_is_not_there_is_an_error(function):
    with pytest.raises(UVError, match="4294901744") as caught:
        function(0xFFFEFFF0)
    assert caught.value.args[0] == UV_ENOENT
    for number in (-1, 2**32, 2**100):
        with pytest.raises(ValueError, match=str(number)):
            function(number)


# The environment


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


# Directories


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


# Random bytes


def test_random_gives_as_many_bytes_as_asked_for():
    for length in (0, 1, 255, 65_537, (1 << 20) + 1):
        block = util.random(length)
        assert type(block) is bytes
        assert len(block) == length
    assert util.random(16) != util.random(16)
    assert len(set(util.random(100_000))) == 256


@pytest.mark.parametrize("length", [-1, 2**31, 2**32, 2**63, 2**64, -(2**100)])
def test_random_refuses_lengths_that_cannot_be(length):
    with pytest.raises(ValueError, match=str(length)):
        util.random(length)


def test_a_long_random_call_answers_to_ctrl_c():
    code = """
        import os, signal, threading, time
        from pyuv import util
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        end = time.monotonic() + 50
        try:
            while time.monotonic() < end:
                util.random(1 << 28)
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert in_child(code) == ["interrupted"]


# Handle types


def test_each_kind_of_file_is_guessed():
    ends = []
    with contextlib.ExitStack() as stack:
        for pair in (os.pipe(), os.openpty()):
            ends += pair
            stack.callback(os.close, pair[0])
            stack.callback(os.close, pair[1])
        tcp = stack.enter_context(socket.socket())
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        tcp6 = stack.enter_context(socket.socket(socket.AF_INET6))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix_datagram = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        regular = stack.enter_context(tempfile.TemporaryFile())
        null = stack.enter_context(open(os.devnull))
        folder = os.open("/", os.O_RDONLY)
        stack.callback(os.close, folder)
        expected = {
            ends[0]: pyuv.UV_NAMED_PIPE,
            ends[2]: pyuv.UV_TTY,
            ends[3]: pyuv.UV_TTY,
            tcp.fileno(): pyuv.UV_TCP,
            tcp6.fileno(): pyuv.UV_TCP,
            udp.fileno(): pyuv.UV_UDP,
            unix.fileno(): pyuv.UV_NAMED_PIPE,
            unix_datagram.fileno(): pyuv.UV_UNKNOWN_HANDLE,
            regular.fileno(): pyuv.UV_FILE,
            null.fileno(): pyuv.UV_FILE,
            folder: pyuv.UV_UNKNOWN_HANDLE,
        }
        assert {fd: util.guess_handle_type(fd) for fd in expected} == expected


def test_what_is_no_file_descriptor_is_unknown():
    for fd in (-1, -(2**31), 2**31 - 1):
        assert util.guess_handle_type(fd) == pyuv.UV_UNKNOWN_HANDLE
    for fd in (2**31, -(2**63), 2**100):
        with pytest.raises(ValueError, match=str(fd)):
            util.guess_handle_type(fd)
    for fd in ("0", None, 0.0):
        with pytest.raises(TypeError):
            util.guess_handle_type(fd)


# Constants and named results


def test_constants_have_the_values_of_pyuv_1_4():
    values = """
        ASYNC=1 CHECK=2 CREATE_PIPE=1 DISCONNECT=4 FS_EVENT=3 FS_POLL=4 HANDLE=5 IDLE=6 IGNORE=0
        INHERIT_FD=2 INHERIT_STREAM=4 JOIN_GROUP=1 LEAVE_GROUP=0 NAMED_PIPE=7 POLL=8 PREPARE=9 PROCESS=10
        PROCESS_DETACHED=8 PROCESS_SETGID=2 PROCESS_SETUID=1 PROCESS_WINDOWS_HIDE=16
        PROCESS_WINDOWS_VERBATIM_ARGUMENTS=4 READABLE=1 READABLE_PIPE=16 RUN_DEFAULT=0 RUN_NOWAIT=2
        RUN_ONCE=1 SIGNAL=16 STREAM=11 TCP=12 TCP_IPV6ONLY=1 TIMER=13 TTY=14 UDP=15 UDP_IPV6ONLY=1
        UDP_PARTIAL=2 UDP_REUSEADDR=4 UNKNOWN_HANDLE=0 WRITABLE=2 WRITABLE_PIPE=32
    """
    for name, value in (pair.split("=") for pair in values.split()):
        assert getattr(pyuv, f"UV_{name}") == int(value), name
    assert re.fullmatch(r"1\.\d+\.\d+", pyuv.LIBUV_VERSION)


def test_constants_of_fs_wait_for_it_under_their_names():
    from pyuv import _pyuv

    values = """
        CHANGE=2 DIRENT_BLOCK=7 DIRENT_CHAR=6 DIRENT_DIR=2 DIRENT_FIFO=4 DIRENT_FILE=1 DIRENT_LINK=3
        DIRENT_SOCKET=5 DIRENT_UNKNOWN=0 FS_EVENT_STAT=2 FS_EVENT_WATCH_ENTRY=1 FS_SYMLINK_DIR=1
        FS_SYMLINK_JUNCTION=2 RENAME=1
    """
    for name, value in (pair.split("=") for pair in values.split()):
        assert f"UV_{name}" in _pyuv.fs_constants
        assert getattr(_pyuv, f"UV_{name}") == int(value), name
    assert _pyuv.UV_FS_O_CREAT == os.O_CREAT


def test_named_results_have_the_fields_of_pyuv_1_4():
    names = {
        util.cpu_info_result: ("model", "speed", "times"),
        util.cpu_info_times_result: ("sys", "user", "idle", "irq", "nice"),
        util.interface_addresses_result: ("name", "is_internal", "address", "netmask", "mac"),
    }
    for kind, fields in names.items():
        assert kind.__match_args__ == fields
    assert type(util.cpu_info()[0].times) is util.cpu_info_times_result


@pytest.mark.parametrize(
    "call", [util.os_uname, util.getrusage, util.get_passwd, util.gettimeofday, lambda: util.cpu_info()[0]]
)
def test_a_named_result_is_a_tuple_that_cannot_change(call):
    result = call()
    assert isinstance(result, tuple)
    assert len(result) == len(type(result).__match_args__)
    assert tuple(getattr(result, name) for name in type(result).__match_args__) == tuple(result)
    assert pickle.loads(pickle.dumps(result)) == copy.deepcopy(result) == result
    assert type(result).__module__ == "pyuv.util"
    with pytest.raises(AttributeError):
        setattr(result, type(result).__match_args__[0], 1)


def test_every_name_is_public_and_documented():
    for name in util.__all__:
        assert getattr(util, name).__doc__, name
    assert sorted(util.__all__) == util.__all__


def test_named_results_do_not_leak():
    calls = [util.os_uname, util.getrusage, util.get_passwd, util.cpu_info, util.interface_addresses]
    calls += [util.environ, lambda: util.get_group(0), lambda: util.getenv("PATH")]
    for call in calls:
        call()
    before = sys.getallocatedblocks()
    for _ in range(300):
        for call in calls:
            call()
    assert sys.getallocatedblocks() - before < 300


# Anything at all

FUZZ = """
    import os, random, sys
    import pyuv
    from pyuv import util

    seed = int(sys.argv[1])
    chance = random.Random(seed)
    os.chdir(sys.argv[2])

    class Strange:
        def __index__(self): raise ZeroDivisionError
        def __fspath__(self): return 7
        def __iter__(self): raise ZeroDivisionError
        def __str__(self): raise ZeroDivisionError
        __repr__ = __str__

    class Number:
        def __index__(self): return chance.choice([0, 1, -1, 2**40, -(2**70)])

    VALUES = [
        None, True, 0, 1, -1, 2, 15, 255, 1023, 1024, 4096, 2**31 - 1, 2**31, -(2**31), 2**32, 2**63, 2**64,
        -(2**63), 10**5000, 0.0, float("nan"), "", "a", "a\\0b", "=", "A=B", "\\ud800", "\\udcff",
        "\\U0001f600" * 50, "x" * 100_000, "/", ".", "/proc/self", b"", b"a", b"\\0", b"/tmp", b"\\xff" * 300,
        bytearray(9), [], [0], [0, 1], [-1], [2**70], ["a"], {0}, {}, (), range(3), range(2000), object(),
        Strange(), Number(), [Number()], [Strange()], type, len, pyuv, iter([0]), (n for n in [1]),
    ]

    for _ in range(4000):
        name = chance.choice(util.__all__)
        function = getattr(util, name)
        arguments = [chance.choice(VALUES) for _ in range(chance.choice([0, 0, 1, 1, 1, 2, 2, 3]))]
        # No other process than this one may be touched.
        if name == "setpriority" and arguments and arguments[0] not in (None, "", 0):
            arguments[0] = chance.choice([0, os.getpid(), -1, 2**31 - 1, 2**40, "a", None])
        if name == "random" and arguments == [2**31 - 1]:
            continue
        try:
            function(*arguments)
        except (TypeError, ValueError, pyuv.error.UVError, ZeroDivisionError):
            pass
        except Exception as error:
            sys.exit(f"{name} raised {type(error)}")
    print("alive")
"""


@pytest.mark.parametrize("seed", range(8))
def test_no_argument_ends_the_process(seed, tmp_path):
    program = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(FUZZ), str(seed), str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode >= 0, f"died of {signal.Signals(-done.returncode).name}: {done.stderr[-2000:]}"
    assert done.stdout.endswith("alive\n"), done.stderr[-2000:]


def test_every_function_can_be_called_from_many_threads_at_once():
    plain = [
        "hrtime",
        "cpu_info",
        "interface_addresses",
        "getrusage",
        "get_passwd",
        "os_uname",
        "environ",
        "homedir",
    ]
    failures = []

    def work(seed):
        chance = random.Random(seed)
        try:
            for _ in range(100):
                getattr(util, chance.choice(plain))()
                util.random(chance.randrange(1000))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# The manual


@linux
def test_the_manual_page_is_true():
    blocks = re.findall(r"^```\{doctest\}\n(.*?)^```$", MANUAL.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    script = """
        import doctest, sys
        failed, tried = doctest.testfile(sys.argv[1], module_relative=False)
        print(tried > 10)
        sys.exit(failed)
    """
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder, "util.txt")
        examples.write_text("\n".join(blocks))
        assert in_child(script, str(examples)) == ["True"]


def test_the_manual_page_names_every_function():
    text = MANUAL.read_text()
    missing = [name for name in util.__all__ if f"`{name}" not in text]
    assert missing == []
