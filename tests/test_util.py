import copy
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import pyuv
from pyuv import util

MANUAL = Path(__file__).parents[1] / "docs" / "util.md"


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


def test_the_manual_page_names_every_function():
    text = MANUAL.read_text()
    missing = [name for name in util.__all__ if f"`{name}" not in text]
    assert missing == []
