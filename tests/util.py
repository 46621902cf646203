"""Helpers that the tests share."""

import contextlib
import gc
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import pyuv

CPYTHON = sys.implementation.name == "cpython"
"""Whether an object goes with the last reference to it."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with /proc")


IN_FORK = """
import os, signal, sys
def in_fork(function):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        status = 1
        try:
            function()
            sys.stdout.flush()
            status = 0
        except BaseException as error:
            print("child:", repr(error), flush=True)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""
"""For a child's program: `in_fork(function)` calls it in a fork, and gives the exit status of that."""


FORK_BESIDE_THREADS = "ignore:This process:DeprecationWarning"
"""Python warns of a fork beside threads, and Python 3.15 counts those of libuv's pool: tests are about it."""


def start_child(code, *arguments, **options):
    """Start a Python process that runs `code`, for tests that change or endanger their process."""
    warnings = ["-W", "error", "-W", FORK_BESIDE_THREADS]
    program = [sys.executable, "-X", "faulthandler", *warnings, "-c", textwrap.dedent(code)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([*program, *map(str, arguments)], **options)


def finish(child, status=0):
    """Wait for a child's end and compare its exit status; return what it printed, in lines."""
    try:
        out, err = child.communicate(timeout=40)
    except subprocess.TimeoutExpired:
        # faulthandler prints where each thread hangs.
        child.send_signal(signal.SIGABRT)
        out, err = child.communicate()
        raise AssertionError(f"the child hangs\n{out}\n{err}") from None
    assert child.returncode == status, f"exit status {child.returncode}\n{out}\n{err}"
    assert "panicked at" not in (err or ""), err
    return out.splitlines()


def in_child(code, *arguments, status=0, **options):
    """Run `code` in a process of its own and return the lines it printed."""
    return finish(start_child(code, *arguments, **options), status)


def redirected(redirections, command):
    """A command with the shell's redirections, such as ">&-"."""
    return ["sh", "-c", f'exec "$@" {redirections}', "sh", *command]


def wait_for(condition, seconds=20):
    """Wait for what another process, or thread, does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def open_fds():
    """How many file descriptors this process has open, without those of garbage."""

    def counted():
        (gc.collect if CPYTHON else collect)()
        return len(os.listdir("/proc/self/fd"))

    before, now = None, counted()
    # PyPy lets go one collection after it has found an object, and only then finds what that one had.
    while not CPYTHON and now != before:
        before, now = now, counted()
    return now


def settle(event_loop):
    """Have a loop open what it keeps: a wakeup for Ctrl-C, and with its first stream a spare fd."""
    pyuv.Pipe(event_loop).close()
    event_loop.run()


def children():
    """The processes that this one has started and not waited for."""

    def listed():
        tasks = pathlib.Path("/proc/self/task").glob("*/children")
        return {int(pid) for task in tasks for pid in task.read_text().split()}

    # While one of them ends, Linux may leave out others.
    before, now = None, listed()
    while before != now:
        before, now = now, listed()
    return now


def collect():
    """Collect garbage, finalisers' own included."""
    for _ in range(3):
        gc.collect()


@contextlib.contextmanager
def time_limit(event_loop, seconds=20.0):
    """Fail, rather than hang, where `event_loop` runs longer than this."""
    late = []

    def stop(timer):
        late.append(True)
        event_loop.stop()

    timer = pyuv.Timer(event_loop)
    timer.start(stop, seconds)
    timer.ref = False
    try:
        yield
    finally:
        timer.close()
    assert not late, f"the loop was still running after {seconds} seconds"


class Recorder:
    """A callback that remembers the arguments of each call."""

    def __init__(self, then=None):
        self.calls = []
        self.then = then

    def __call__(self, *arguments):
        self.calls.append(arguments)
        if self.then is not None:
            self.then(*arguments)

    def __len__(self):
        return len(self.calls)


def answer(channel, method, *arguments, **options):
    """What the callback of one lookup gets: `answer(channel, "query", "example.com", "A")`."""
    recorder = Recorder()
    getattr(channel, method)(*arguments, callback=recorder, **options)
    assert len(recorder) == 0
    with time_limit(channel.loop):
        channel.loop.run()
    assert len(recorder) == 1
    return recorder.calls[0]


def ask(channel, name, rtype="A"):
    """What the callback of one query gets."""
    return answer(channel, "query", name, rtype)
