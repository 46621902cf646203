"""Process: spawning, ending, signals, and how long a process's handle lives."""

import gc
import os
import signal
import subprocess
import weakref

import pytest
import pyuv
from pyuv import errno
from pyuv.error import HandleClosedError, ProcessError, UVError

from util import Recorder, children, collect, in_child, open_fds, wait_for

SLEEP = ["sleep", "1000"]


def spawn(loop, args, then=None, **options):
    """Spawn, and record how it ends; the exit closes the handle."""
    ended = Recorder(then or (lambda process, *_: process.close()))
    return pyuv.Process.spawn(loop, args, exit_callback=ended, **options), ended


def state(pid):
    """The letter for a process's state, or None where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def kill_abandoned(pid):
    """End a process whose handle was closed; the next spawn finds a zombie."""
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: state(pid) == "Z")


def test_a_process_ends_with_its_status(loop):
    process, ended = spawn(loop, ["sh", "-c", "exit 7"])
    assert process.active
    assert process.pid > 0
    assert process.loop is loop
    loop.run()
    assert ended.calls == [(process, 7, 0)]
    assert process.closed


@pytest.mark.parametrize("status", [0, 1, 127, 128, 255])
def test_every_exit_status_comes_through(loop, status):
    process, ended = spawn(loop, ["sh", "-c", f"exit {status}"])
    loop.run()
    assert ended.calls == [(process, status, 0)]


def test_a_signal_ends_a_process(loop):
    process, ended = spawn(loop, SLEEP)
    process.kill(signal.SIGTERM)
    loop.run()
    assert ended.calls == [(process, 0, signal.SIGTERM)]


def test_after_the_end_a_process_is_inactive_and_cannot_be_killed(loop):
    process, ended = spawn(loop, "true", then=lambda *_: None)
    pid = process.pid
    assert loop.run() is False
    assert len(ended) == 1
    assert not process.active
    assert not process.closed
    assert process.pid == pid
    with pytest.raises(ProcessError, match=f"signal 0 for process {pid}") as error:
        process.kill(0)
    assert error.value.args[0] == errno.UV_ESRCH


def test_without_a_callback_the_loop_runs_until_the_end(loop):
    process = pyuv.Process.spawn(loop, "true")
    loop.run()
    assert not process.active
    assert state(process.pid) is None


def test_many_processes_end_each_with_its_own_status(loop):
    processes = {}
    for status in range(20):
        process, ended = spawn(loop, ["sh", "-c", f"exit {status}"])
        processes[process] = (ended, status)
    loop.run()
    for process, (ended, status) in processes.items():
        assert ended.calls == [(process, status, 0)]


def test_a_process_can_be_spawned_where_another_ends(loop):
    def again(process, *_):
        process.close()
        if len(pids) < 5:
            pids.append(spawn(loop, "true", again)[0].pid)

    pids = [spawn(loop, "true", again)[0].pid]
    loop.run()
    assert len(set(pids)) == 5


def test_processes_that_end_together_may_close_each_other(loop):
    def close_all(process, *_):
        for other in processes:
            if not other.closed:
                other.close()

    ends = [spawn(loop, "true", close_all) for _ in range(4)]
    processes = [process for process, _ in ends]
    # All have ended before the loop looks: it finds them in one go.
    for process in processes:
        wait_for(lambda pid=process.pid: state(pid) == "Z")
    loop.run()
    assert sum(len(ended) for _, ended in ends) == 1
    assert [state(process.pid) for process in processes] == [None] * 4


def test_exceptions_of_exit_callbacks_go_to_the_loop(loop):
    def fail(*_):
        raise ZeroDivisionError

    raised = []
    loop.excepthook = lambda kind, value, traceback: raised.append(kind)
    spawn(loop, "true", fail)
    spawn(loop, "true", fail)
    loop.run()
    assert raised == [ZeroDivisionError] * 2


def test_an_unreferenced_process_does_not_keep_the_loop(loop):
    process, ended = spawn(loop, SLEEP)
    process.ref = False
    assert loop.run() is False
    assert len(ended) == 0
    process.kill(signal.SIGKILL)
    process.ref = True
    loop.run()
    assert ended.calls == [(process, 0, signal.SIGKILL)]


def test_the_loop_keeps_a_running_process_alive(loop):
    process, ended = spawn(loop, "true", then=lambda *_: None)
    process.attribute = "kept"
    watch = weakref.ref(process)
    del process
    gc.collect()
    assert watch().attribute == "kept"
    loop.run()
    assert ended.calls[0][0].attribute == "kept"
    ended.calls.clear()
    collect()
    assert watch() is None


def test_a_loop_is_collected_with_its_running_processes():
    loop = pyuv.Loop()
    process, ended = spawn(loop, SLEEP)
    ended.process = process
    pid, watch = process.pid, weakref.ref(process)
    del loop, process, ended
    collect()
    assert watch() is None
    kill_abandoned(pid)


def test_a_subclass_is_what_spawn_makes(loop):
    class Child(pyuv.Process):
        pass

    child = Child.spawn(loop, "true")
    assert type(child) is Child
    loop.run()


def test_a_process_that_was_not_spawned_is_of_no_use(loop):
    process = pyuv.Process(loop)
    assert process.pid is None
    for call in [process.close, lambda: process.kill(0), lambda: process.active]:
        with pytest.raises(RuntimeError):
            call()
    assert loop.handles == []


def test_a_closed_process_cannot_be_killed(loop):
    process, ended = spawn(loop, SLEEP)
    pid, closed = process.pid, Recorder()
    process.close(closed)
    assert process.pid == pid
    with pytest.raises(HandleClosedError):
        process.kill(0)
    with pytest.raises(HandleClosedError):
        process.close(print)
    loop.run()
    assert closed.calls == [(process,)]
    assert len(ended) == 0
    kill_abandoned(pid)


def test_closing_leaves_the_process_running_and_no_zombie_for_long(loop):
    process, ended = spawn(loop, SLEEP)
    process.close()
    loop.run()
    assert state(process.pid) not in (None, "Z")
    kill_abandoned(process.pid)
    spawn(loop, "true")
    assert state(process.pid) is None
    loop.run()
    assert len(ended) == 0


@pytest.mark.parametrize("signum", [-1, 12345])
def test_what_is_no_signal_is_refused(loop, signum):
    process, ended = spawn(loop, SLEEP)
    with pytest.raises(ProcessError) as error:
        process.kill(signum)
    assert error.value.args[0] == errno.UV_EINVAL
    process.kill(signal.SIGKILL)
    loop.run()
    assert len(ended) == 1


def test_a_detached_process_has_a_session_of_its_own(loop):
    process, _ = spawn(loop, SLEEP, flags=pyuv.UV_PROCESS_DETACHED)
    other, _ = spawn(loop, SLEEP)
    assert os.getsid(process.pid) == process.pid
    assert os.getsid(other.pid) == os.getsid(0)
    for each in process, other:
        each.kill(signal.SIGKILL)
    loop.run()


def test_a_process_starts_with_default_signals():
    """What Python and this test ignore or block is not the child's business."""
    program = "import signal, sys; sys.exit(signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL)"
    code = f"""
        import pyuv, signal, sys
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        loop = pyuv.Loop()
        pyuv.Process.spawn(loop, [sys.executable, "-c", {program!r}], exit_callback=print)
        pyuv.Process.spawn(loop, ["sh", "-c", "kill -USR1 $$"], exit_callback=print)
        loop.run()
    """
    ends = [line.split()[-2:] for line in in_child(code)]
    assert sorted(ends) == [["0", "0"], ["0", str(signal.SIGUSR1.value)]]


def test_a_process_of_the_parent_does_not_keep_the_loop_of_a_fork_running():
    code = """
        import os, pyuv, signal
        loop = pyuv.Loop()
        ended = []
        process = pyuv.Process.spawn(loop, ["sleep", "1000"], exit_callback=lambda *a: ended.append(a))
        pid = os.fork()
        if pid == 0:
            loop.fork()
            assert not process.ref
            assert loop.run() is False
            process.close()
            loop.run()
            own = []
            pyuv.Process.spawn(loop, ["sh", "-c", "exit 3"], exit_callback=lambda *a: own.append(a[1:]))
            loop.run()
            os._exit(own[0][0])
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        process.kill(signal.SIGKILL)
        loop.run()
        print(ended[0][1:])
    """
    assert in_child(code) == ["(0, 9)"]


def test_spawning_leaves_no_descriptor(loop):
    spawn(loop, "true")
    loop.run()
    before, own = open_fds(), children()
    for _ in range(10):
        spawn(loop, "true", stdio=[pyuv.StdIO(fd=2, flags=pyuv.UV_INHERIT_FD)] * 5)
        with pytest.raises(ProcessError):
            spawn(loop, "/no/such/program", stdio=[pyuv.StdIO(fd=2, flags=pyuv.UV_INHERIT_FD)] * 5)
    loop.run()
    assert open_fds() == before
    assert children() <= own


def test_subprocess_and_processes_of_a_loop_do_not_disturb_each_other(loop):
    mine, ended = spawn(loop, ["sh", "-c", "exit 3"])
    theirs = subprocess.Popen(["sh", "-c", "exit 4"])
    assert theirs.wait(20) == 4
    loop.run()
    assert ended.calls == [(mine, 3, 0)]


def test_kill_of_util_sends_a_signal(loop):
    process, ended = spawn(loop, SLEEP)
    pyuv.util.kill(process.pid, 0)
    pyuv.util.kill(process.pid, signal.SIGINT)
    loop.run()
    assert ended.calls == [(process, 0, signal.SIGINT)]


def test_kill_of_util_says_what_is_wrong():
    with pytest.raises(UVError) as error:
        pyuv.util.kill(2**31 - 1, 0)
    assert error.value.args[0] == errno.UV_ESRCH
    for pid, signum in [(os.getpid(), 12345), (2**31, 0), (0, 2**40)]:
        with pytest.raises(ValueError, match=r"signal 12345|out of range"):
            pyuv.util.kill(pid, signum)
    with pytest.raises(TypeError):
        pyuv.util.kill("1", 0)
