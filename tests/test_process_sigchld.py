"""SIGCHLD, which libuv, Signal handles and Python's signal module all want."""

import os
import signal
import subprocess
import threading

import pytest
import pyuv

from util import Recorder, collect, in_child, linux


@pytest.fixture
def python_handler():
    """A handler of Python's for SIGCHLD; the numbers it got."""
    got = []
    before = signal.signal(signal.SIGCHLD, lambda number, frame: got.append(number))
    yield got
    signal.signal(signal.SIGCHLD, before)


def spawn(loop, args="true", then=lambda process, *_: process.close()):
    ended = Recorder(then)
    process = pyuv.Process.spawn(loop, args, exit_callback=ended)
    return process, ended


def raise_sigchld():
    os.kill(os.getpid(), signal.SIGCHLD)


@pytest.mark.parametrize("end", ["close in exit", "close", "loop"])
def test_pythons_own_handler_is_back_after_the_last_process(python_handler, end):
    loop = pyuv.Loop()
    close = end == "close in exit"
    ends = [spawn(loop, then=lambda process, *_: process.close() if close else None) for _ in range(3)]
    raise_sigchld()
    assert python_handler == []
    if end != "loop":
        loop.run()
    for process, _ in ends:
        if end == "close":
            process.close()
        elif end == "loop":
            # Ended, and not told of.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    del loop, ends, process
    collect()
    raise_sigchld()
    assert python_handler == [signal.SIGCHLD]


def test_pythons_own_handler_is_back_after_a_spawn_that_failed(loop, python_handler):
    with pytest.raises(pyuv.error.ProcessError):
        spawn(loop, "/no/such/program")
    raise_sigchld()
    assert python_handler == [signal.SIGCHLD]


def test_a_handler_that_is_set_meanwhile_is_back_at_the_end(loop, python_handler):
    # It must not end while the signal is the handler's.
    waits, ended = spawn(loop, ["sleep", "100"])
    newer = []
    signal.signal(signal.SIGCHLD, lambda number, frame: newer.append(number))
    # Another spawn takes the signal back, so that both ends are seen.
    _, other_ended = spawn(loop)
    waits.kill(signal.SIGTERM)
    loop.run()
    assert len(ended) == len(other_ended) == 1
    raise_sigchld()
    assert newer == [signal.SIGCHLD]
    assert python_handler == []


@pytest.mark.parametrize("order", ["signal first", "process first"])
def test_a_signal_handle_and_processes_share_the_signal(loop, python_handler, order):
    handle, seen = pyuv.Signal(loop), Recorder(lambda handle, number: handle.stop())
    if order == "signal first":
        handle.start(seen, signal.SIGCHLD)
    process, ended = spawn(loop, ["sleep", "1000"])
    if order == "process first":
        handle.start(seen, signal.SIGCHLD)
    subprocess.run("true", check=True)
    # The handle stops at the end of that child; the process's end is to be seen all the same.
    while not seen:
        loop.run(pyuv.UV_RUN_ONCE)
    process.kill(signal.SIGKILL)
    loop.run()
    assert ended.calls == [(process, 0, signal.SIGKILL)]
    assert python_handler == []
    raise_sigchld()
    assert python_handler == [signal.SIGCHLD]


def test_processes_on_two_loops(loop, python_handler):
    other_loop = pyuv.Loop()
    process, ended = spawn(loop)
    other, other_ended = spawn(other_loop, ["sleep", "1000"])
    loop.run()
    assert ended.calls == [(process, 0, 0)]
    other.kill(signal.SIGKILL)
    other_loop.run()
    assert other_ended.calls == [(other, 0, signal.SIGKILL)]
    other_loop.close()
    raise_sigchld()
    assert python_handler == [signal.SIGCHLD]


def test_loops_on_two_threads_see_their_own_processes_end():
    results = []

    def work():
        loop = pyuv.Loop()
        ends = [spawn(loop, ["sh", "-c", f"exit {n}"]) for n in range(20)]
        loop.run()
        loop.close()
        results.append([ended.calls[0][1] for _, ended in ends])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [list(range(20))] * 2


def test_ignored_children_are_seen_all_the_same():
    """With SIGCHLD ignored, the system takes children away before libuv can ask for them."""
    code = """
        import os, pyuv, signal
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        loop = pyuv.Loop()
        def spawn(args, **options):
            ended = lambda *end: (print(end[1:]), first.kill(signal.SIGKILL))
            return pyuv.Process.spawn(loop, args, exit_callback=ended, **options)
        first = pyuv.Process.spawn(loop, ["sleep", "1000"], exit_callback=lambda *end: print(end[1:]))
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            spawn("/no/such/program", uid=os.getuid())
        except pyuv.error.ProcessError as error:
            print(error.args[0] == pyuv.errno.UV_ENOENT)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        spawn(["sh", "-c", "exit 3"], uid=os.getuid())
        loop.run()
        for process in loop.handles:
            process.close()
        print(signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN)
    """
    assert in_child(code) == ["True", "(3, 0)", "(0, 9)", "True"]


def test_a_child_that_somebody_else_waited_for_has_an_unknown_status(loop):
    process, ended = spawn(loop, ["sh", "-c", "exit 3"])
    assert os.waitpid(process.pid, 0)[0] == process.pid
    loop.run()
    assert ended.calls == [(process, 255, 0)]


def test_a_thread_that_waits_for_every_child_does_no_harm():
    """libuv asserts that a child that could not be made another user is its own to wait for."""
    code = """
        import os, pyuv, subprocess, threading
        keep = subprocess.Popen(["sleep", "1000"])
        def steal():
            while os.waitpid(-1, 0)[0] != keep.pid:
                pass
        thief = threading.Thread(target=steal)
        thief.start()
        loop = pyuv.Loop()
        codes = set()
        for _ in range(100):
            try:
                pyuv.Process.spawn(loop, "/no/such/program", uid=os.getuid())
            except pyuv.error.ProcessError as error:
                codes.add(error.args[0])
        ends = []
        for _ in range(10):
            pyuv.Process.spawn(loop, ["sh", "-c", "exit 3"], exit_callback=lambda *end: ends.append(end[1]))
        loop.run()
        os.kill(keep.pid, 9)
        thief.join()
        keep.returncode = 0
        print(codes == {pyuv.errno.UV_ENOENT}, len(ends), set(ends) <= {3, 255})
    """
    assert in_child(code) == ["True 10 True"]


@linux
class TestABlockedSigchld:
    CODE = """
import gc, os, pyuv, signal, threading
signal.alarm(20)
"""

    def test_the_end_of_a_child_is_seen(self):
        code = """
loop = pyuv.Loop()
def ended(process, status, number):
    print(status, number)
    process.close()
for _ in range(3):
    pyuv.Process.spawn(loop, ["/bin/sh", "-c", "exit 3"], exit_callback=ended)
loop.run()
print(signal.SIGCHLD in signal.pthread_sigmask(signal.SIG_BLOCK, []))
loop.close()
"""
        block = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])\n"
        assert in_child(self.CODE + block + code) == ["3 0"] * 3 + ["True"]

    def test_so_it_is_where_the_mask_was_inherited(self):
        code = """
import subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
program = '''
import pyuv
loop = pyuv.Loop()
pyuv.Process.spawn(loop, ["/bin/true"], exit_callback=lambda process, *end: (print(*end), process.close()))
loop.run()
'''
print(subprocess.check_output([sys.executable, "-c", program], timeout=20, text=True).strip())
"""
        assert in_child(self.CODE + code) == ["0 0"]

    def test_a_handle_that_is_closed_first_leaves_nothing(self):
        code = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
loop = pyuv.Loop()
loop.run()
fds = len(os.listdir("/proc/self/fd"))
for how in "close", "drop":
    process = pyuv.Process.spawn(loop, ["/bin/sleep", "0.2"])
    if how == "close": process.close()
    del process
    loop.run()
    print(len(os.listdir("/proc/self/fd")) - fds)
loop.close()
"""
        assert in_child(self.CODE + code) == ["0", "0"]

    def test_the_signal_is_left_to_who_waits_for_it(self):
        code = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
loop = pyuv.Loop()
process = pyuv.Process.spawn(loop, ["/bin/true"], exit_callback=lambda process, *end: print(*end))
loop.run()
print(signal.sigtimedwait([signal.SIGCHLD], 10).si_signo == signal.SIGCHLD)
"""
        assert in_child(self.CODE + code) == ["0 0", "True"]
