"""What is left of a loop when somebody has closed its descriptors, as a daemonizer does."""

import socket

import pytest
import pyuv

from util import IN_FORK, Recorder, in_child, linux

pytestmark = linux

PRELUDE = """
import contextlib, gc, os, pty, signal, socket, sys, tempfile, threading, time, warnings
import pyuv, pyuv.fs
warnings.simplefilter("ignore")
folder = tempfile.mkdtemp()
# PyPy's os is without this name of Linux's.
O_TMPFILE = getattr(os, "O_TMPFILE", 0o20200000)

def closed():
    os.closerange(3, 256)

def taken():
    # The numbers are those of files by now, each of which is to stay as it is.
    numbers = [fd for fd in map(int, os.listdir("/proc/self/fd")) if fd > 2]
    os.closerange(3, 256)
    for fd in numbers:
        victim = os.open(folder, O_TMPFILE | os.O_RDWR)
        os.dup2(victim, fd)
        if victim not in numbers:
            os.close(victim)
        os.write(fd, b"mine")
        victims.append(fd)
victims = []

def lost_only(name):
    def lose():
        for fd in map(int, os.listdir("/proc/self/fd")):
            with contextlib.suppress(OSError):
                if fd > 2 and name in os.readlink(f"/proc/self/fd/{fd}"):
                    os.close(fd)
    return lose

LOSSES = {"closed": closed, "taken": taken, "wakeups": lost_only("eventfd"), "pipes": lost_only("pipe:"),
          "epolls": lost_only("eventpoll")}

def nothing(*arguments):
    pass

def make_timer(loop):
    timer = pyuv.Timer(loop)
    timer.start(nothing, 0.001, 0.001)
    return timer, lambda: timer.start(nothing, 1), timer.stop
def make_idle(loop):
    idle = pyuv.Idle(loop)
    idle.start(nothing)
    return idle, lambda: idle.start(nothing), idle.stop
def make_prepare(loop):
    prepare = pyuv.Prepare(loop)
    prepare.start(nothing)
    return prepare, lambda: prepare.start(nothing), prepare.stop
def make_check(loop):
    check = pyuv.Check(loop)
    check.start(nothing)
    return check, lambda: check.start(nothing), check.stop
def make_async(loop):
    wake = pyuv.Async(loop, nothing)
    return wake, wake.send, wake.send
def make_signal(loop):
    handle = pyuv.Signal(loop)
    handle.start(nothing, signal.SIGUSR1)
    return handle, lambda: handle.start(nothing, signal.SIGUSR2), handle.stop
def make_listener(loop):
    listener = pyuv.TCP(loop)
    listener.bind(("127.0.0.1", 0))
    listener.listen(nothing)
    return listener, lambda: listener.listen(nothing), nothing
def make_stream(loop):
    ours, theirs = socket.socketpair()
    stream = pyuv.Pipe(loop)
    stream.open(ours.detach())
    stream.start_read(nothing)
    theirs.send(b"x")
    theirs.detach()
    return stream, lambda: (stream.stop_read(), stream.start_read(nothing)), stream.stop_read
def make_udp(loop):
    udp = pyuv.UDP(loop)
    udp.bind(("127.0.0.1", 0))
    udp.start_recv(nothing)
    return udp, lambda: udp.send(udp.getsockname(), b"x", nothing), udp.stop_recv
def make_poll(loop):
    ours, theirs = socket.socketpair()
    poll = pyuv.Poll(loop, ours.detach())
    poll.start(pyuv.UV_READABLE, nothing)
    theirs.detach()
    return poll, lambda: poll.start(pyuv.UV_READABLE, nothing), poll.stop
def make_tty(loop):
    tty = pyuv.TTY(loop, pty.openpty()[1], True)
    tty.start_read(nothing)
    return tty, lambda: (tty.stop_read(), tty.start_read(nothing)), tty.stop_read
def make_process(loop):
    process = pyuv.Process.spawn(loop, ["/bin/sleep", "0.05"], exit_callback=nothing)
    return process, lambda: process.kill(0), lambda: process.kill(9)
def make_fs_event(loop):
    event = pyuv.fs.FSEvent(loop)
    event.start(folder, 0, nothing)
    return event, lambda: (event.stop(), event.start("/", 0, nothing)), event.stop
def make_fs_poll(loop):
    poll = pyuv.fs.FSPoll(loop)
    poll.start(folder, 0.01, nothing)
    return poll, lambda: (poll.stop(), poll.start("/", 1, nothing)), poll.stop
def make_work(loop):
    loop.queue_work(lambda: time.sleep(0.01), nothing)
    wake = pyuv.Async(loop, nothing)
    return wake, lambda: loop.queue_work(nothing), nothing
def make_nothing(loop):
    wake = pyuv.Async(loop, nothing)
    wake.close()
    return wake, nothing, nothing

def send_from_threads(loop, handle):
    wake = pyuv.Async(loop, nothing)
    threads = [threading.Thread(target=attempt, args=(wake.send,)) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def fork_again(loop, handle):
    def use():
        attempt(loop.run, pyuv.UV_RUN_NOWAIT)
        loop.fork()
        loop.run(pyuv.UV_RUN_NOWAIT)
        os.kill(os.getpid(), signal.SIGUSR1) if isinstance(handle, pyuv.Signal) else None
        loop.run(pyuv.UV_RUN_NOWAIT)
        works(pyuv.Loop())
    assert in_fork(use) == 0

def attempt(call, *arguments):
    # What cannot be done is an error.
    with contextlib.suppress(pyuv.error.UVError, RuntimeError, ValueError):
        call(*arguments)

def use(loop, handle, start, stop):
    run = lambda: attempt(loop.run, pyuv.UV_RUN_NOWAIT)
    return {
        "start": start,
        "stop": stop,
        "close": lambda: (handle.close(), run()),
        "run": run,
        "run and close": lambda: (run(), attempt(handle.close), run(), attempt(loop.close)),
        "sleep": lambda: (attempt(loop.run, pyuv.UV_RUN_ONCE), attempt(loop.run, pyuv.UV_RUN_ONCE)),
        "send": lambda: send_from_threads(loop, handle),
        "signal": lambda: (os.kill(os.getpid(), signal.SIGUSR1), run()),
        "spawn": lambda: pyuv.Process.spawn(loop, ["/bin/true"]),
        "work": lambda: (loop.queue_work(nothing, nothing), run()),
        "close the loop": lambda: (handle.close(), loop.close()),
        "collect": lambda: gc.collect(),
        "fork": lambda: fork_again(loop, handle),
    }

def works(loop):
    seen = []
    def done(name, handle=None):
        seen.append(name)
        if handle is not None: handle.close()
    pyuv.Timer(loop).start(lambda timer: done("timer", timer), 0.001)
    pyuv.Async(loop, lambda wake: done("async", wake)).send()
    watch = pyuv.Signal(loop)
    watch.start(lambda watch, number: done("signal", watch), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    pyuv.Process.spawn(loop, ["/bin/true"], exit_callback=lambda process, *end: done("process", process))
    loop.queue_work(nothing, lambda error: done("work"))
    loop.run()
    assert sorted(seen) == ["async", "process", "signal", "timer", "work"], seen
    loop.close()

def one(make, lose, action):
    def run():
        signal.signal(signal.SIGUSR1, lambda *arguments: None)
        loop = pyuv.Loop()
        handle, start, stop = make(loop)
        loop.run(pyuv.UV_RUN_NOWAIT)
        lose()
        chosen = use(loop, handle, start, stop)[action]
        if action == "collect":
            del handle, start, stop
            del loop
        attempt(chosen)
        del chosen
        for victim in victims:
            with contextlib.suppress(OSError):
                assert os.pread(victim, 100, 0) == b"mine", os.pread(victim, 100, 0)
        works(pyuv.Loop())
        gc.collect()
    return run

def sweep(make):
    for name, lose in LOSSES.items():
        for action in ACTIONS:
            status = in_fork(one(make, lose, action))
            if status:
                print(name, action, status, flush=True)
ACTIONS = list(use(None, None, None, None))
"""

KINDS = ["timer", "idle", "prepare", "check", "async", "signal", "listener", "stream", "udp", "poll", "tty"]
KINDS += ["process", "fs_event", "fs_poll", "work", "nothing"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_done_then_is_done_or_an_error_and_a_new_loop_works(kind):
    assert in_child(f"{IN_FORK}{PRELUDE}\nsweep(make_{kind})") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_has_lost_them_ends_in_the_ordinary_way(kind):
    code = f"""{IN_FORK}{PRELUDE}
loop = pyuv.Loop()
handle, start, stop = make_{kind}(loop)
loop.run(pyuv.UV_RUN_NOWAIT)
closed()
print("ends")
"""
    assert in_child(code) == ["ends"]


class TestTheWakeup:
    CODE = """
import os, pyuv, tempfile, threading
loop = pyuv.Loop()
wake = pyuv.Async(loop, lambda wake: None)
(number,) = (int(fd) for fd in os.listdir("/proc/self/fd")
             if os.path.islink(f"/proc/self/fd/{fd}") and "eventfd" in os.readlink(f"/proc/self/fd/{fd}"))
"""

    def test_a_send_names_what_was_lost(self):
        code = """
os.close(number)
for call in wake.send, wake.send, loop.run:
    try:
        call()
    except pyuv.error.UVError as error:
        print(error.args[0] == pyuv.errno.UV_EBADF, error.args[1].replace(str(number), "N"))
"""
        told = "True bad file descriptor: somebody closed the loop's fd N, by which it is woken"
        assert in_child(self.CODE + code) == [f"{told} ({call})" for call in ("send", "send", "run")]

    def test_a_send_does_not_write_into_somebodys_file(self):
        code = """
with tempfile.TemporaryFile() as file:
    os.dup2(file.fileno(), number)
    try:
        wake.send()
    except pyuv.error.AsyncError as error:
        print(error.args[0] == pyuv.errno.UV_EBADF)
    file.seek(0)
    print(file.read())
"""
        assert in_child(self.CODE + code) == ["True", "b''"]

    def test_a_send_does_not_wake_somebody_elses_loop(self):
        code = """
os.close(number)
other = pyuv.Loop()
woken = pyuv.Async(other, lambda wake: print("woken"))
try:
    wake.send()
except pyuv.error.AsyncError as error:
    print(error.args[0] == pyuv.errno.UV_EBADF)
print(other.run(pyuv.UV_RUN_NOWAIT))
"""
        assert in_child(self.CODE + code) == ["True", "True"]

    def test_a_loop_that_sleeps_notices(self):
        code = """
timer = pyuv.Timer(loop)
timer.start(lambda timer: (timer.close(), os.close(number)), 0.01)
try:
    loop.run()
except pyuv.error.UVError as error:
    print(error.args[0] == pyuv.errno.UV_EBADF)
"""
        assert in_child(self.CODE + code) == ["True"]

    def test_a_loop_that_lost_it_is_closed_though_the_pool_cannot_tell_of_its_end(self):
        code = """
import pyuv.fs
def wakeups():
    links = {fd: f"/proc/self/fd/{fd}" for fd in map(int, os.listdir("/proc/self/fd"))}
    return {fd for fd, link in links.items() if os.path.islink(link) and "eventfd" in os.readlink(link)}
for _ in range(200):
    before, told = wakeups(), []
    loop = pyuv.Loop()
    (number,) = wakeups() - before
    pyuv.fs.stat(loop, "/", told.append)
    while not told:
        loop.run(pyuv.UV_RUN_NOWAIT)
    os.close(number)
    loop.close()
print("closed")
"""
        assert in_child(self.CODE + code) == ["closed"]

    def test_work_of_a_loop_that_lost_it_is_not_the_end(self):
        code = """
gate = threading.Event()
loop.queue_work(gate.wait, lambda error: print("told"))
os.close(number)
gate.set()
try:
    loop.run()
except pyuv.error.UVError as error:
    print(error.args[0] == pyuv.errno.UV_EBADF)
"""
        assert in_child(self.CODE + code) == ["True"]


def test_a_loop_whose_epoll_is_lost_while_it_runs_ends_its_run():
    code = """
import os, pyuv
loop = pyuv.Loop()
wake = pyuv.Async(loop, lambda wake: None)
timer = pyuv.Timer(loop)
timer.start(lambda timer: (timer.close(), os.close(loop.fileno())), 0.001)
try:
    loop.run()
except pyuv.error.UVError as error:
    print(error.args[0] == pyuv.errno.UV_EBADF, "by which it waits" in error.args[1])
"""
    assert in_child(code) == ["True True"]


def test_a_loop_that_polls_by_the_epoll_of_another_ends_its_run():
    code = """
import os, pyuv, select, socket
loop = pyuv.Loop()
wake = pyuv.Async(loop, lambda wake: None)
theirs = select.epoll()
pairs = [socket.socketpair() for _ in range(300)]
for ours, other in pairs:
    theirs.register(ours, select.EPOLLIN)
    other.send(b"x")
def take(timer):
    timer.close()
    os.dup2(theirs.fileno(), loop.fileno())
timer = pyuv.Timer(loop)
timer.start(take, 0.001)
try:
    loop.run()
except pyuv.error.UVError as error:
    print(error.args[0] == pyuv.errno.UV_EBADF)
"""
    assert in_child(code) == ["True"]


def test_a_signal_is_told_to_the_loops_that_have_kept_their_pipes():
    code = """
import os, pyuv, signal
lost, kept = pyuv.Loop(), None
before = set(os.listdir("/proc/self/fd"))
pyuv.Signal(lost).start(print, signal.SIGUSR1)
kept = pyuv.Loop()
watch = pyuv.Signal(kept)
watch.start(lambda watch, number: (print("told", number == signal.SIGUSR1), watch.close()), signal.SIGUSR1)
for fd in before:
    link = f"/proc/self/fd/{fd}"
    if os.path.islink(link) and "pipe:" in os.readlink(link) and int(fd) > 2:
        os.close(int(fd))
os.kill(os.getpid(), signal.SIGUSR1)
kept.run()
"""
    assert in_child(code) == ["told True"]


class TestAListener:
    def shut(self, loop, family):
        theirs = socket.socket(family)
        theirs.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")
        theirs.listen()
        listener = (pyuv.TCP if family == socket.AF_INET else pyuv.Pipe)(loop)
        listener.open(theirs.dup().detach())
        return theirs, listener

    @pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
    def test_that_somebody_else_shuts_down_is_told_and_closed(self, loop, family):
        theirs, listener = self.shut(loop, getattr(socket, family))
        told = Recorder()
        listener.listen(told)
        loop.run(pyuv.UV_RUN_NOWAIT)
        theirs.shutdown(socket.SHUT_RDWR)
        loop.run()
        assert [arguments[1] for arguments in told.calls] == [pyuv.errno.UV_EINVAL]
        assert listener.closed
        theirs.close()


class TestWhatAForkHolds:
    """A child that has a descriptor still keeps the kernel telling of it under the number it had here."""

    CODE = """
import os, pyuv, pyuv.fs, signal, tempfile, time
def numbers(name):
    links = {fd: f"/proc/self/fd/{fd}" for fd in map(int, os.listdir("/proc/self/fd"))}
    return sorted(fd for fd, link in links.items() if os.path.islink(link) and name in os.readlink(link))
def holds():
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
    return pid
def told(loop):
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: None, 5)
    try:
        print(loop.run(pyuv.UV_RUN_ONCE))
    except pyuv.error.UVError as error:
        print(error.args[0] == pyuv.errno.UV_EBADF, error.args[1].rpartition(", ")[2])
loop = pyuv.Loop()
file = tempfile.TemporaryFile()
file.write(bytes(range(256)))
file.seek(0)
"""

    def test_a_folder_that_is_watched_by_a_number_of_somebody_elses(self):
        code = """
with tempfile.TemporaryDirectory() as folder:
    event = pyuv.fs.FSEvent(loop)
    event.start(folder, 0, print)
    loop.run(pyuv.UV_RUN_NOWAIT)
    child = holds()
    (number,) = numbers("inotify")
    os.dup2(file.fileno(), number)
    open(f"{folder}/new", "w").close()
    told(loop)
    os.kill(child, signal.SIGKILL)
    print(file.tell())
"""
        assert in_child(self.CODE + code) == ["True by which it hears of files (run)", "0"]

    def test_signals_are_not_read_from_somebody_elses_file(self):
        code = """
before = numbers("pipe:")
loop = pyuv.Loop()
reads, writes = sorted(set(numbers("pipe:")) - set(before))
watch = pyuv.Signal(loop)
watch.start(print, signal.SIGUSR1)
loop.run(pyuv.UV_RUN_NOWAIT)
child = holds()
os.dup2(file.fileno(), reads)
os.kill(os.getpid(), signal.SIGUSR1)
told(loop)
os.kill(child, signal.SIGKILL)
print(file.tell())
"""
        assert in_child(self.CODE + code) == ["True by which it hears of signals (run)", "0"]


def test_a_fork_with_no_descriptor_left():
    code = (
        IN_FORK
        + """
import itertools, pyuv, resource
loop = pyuv.Loop()
os.closerange(3, 256)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    for _ in itertools.count(): os.dup(0)
except OSError:
    pass
def use():
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.closerange(3, 64)
    loop = pyuv.Loop()
    watch = pyuv.Signal(loop)
    watch.start(lambda watch, number: (print("told"), watch.close()), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    loop.run()
print(in_fork(use))
"""
    )
    assert in_child(code) == ["64", "told", "0"]


@pytest.mark.parametrize("lose", ["closed", "taken"])
def test_what_wakes_a_loop_for_ctrl_c_is_not_closed_twice(lose):
    code = f"""
loop = pyuv.Loop()
pyuv.Timer(loop).start(lambda timer: None, 0.001)
loop.run()
{lose}()
del loop
gc.collect()
print([os.pread(fd, 10, 0) for fd in victims if os.lseek(fd, 0, os.SEEK_CUR) != 4])
print(len(victims) > 5)
"""
    assert in_child(PRELUDE + code) == ["[]", str(lose == "taken")]


@pytest.mark.parametrize("kind", ["TCP", "Pipe"])
def test_a_listener_whose_number_is_somebody_elses_is_told_and_let_go(kind):
    code = """
import gc, os, pyuv, sys, tempfile, weakref
loop, told = pyuv.Loop(), []
class Listener(getattr(pyuv, sys.argv[1])): pass
with tempfile.TemporaryDirectory() as folder:
    listener = Listener(loop)
    listener.bind(("127.0.0.1", 0) if sys.argv[1] == "TCP" else f"{folder}/pipe")
    listener.listen(lambda listener, error: told.append(error))
    number = listener.fileno()
    file = tempfile.TemporaryFile()
    os.dup2(file.fileno(), number)
    loop.run()
    print(len(told), listener.closed, os.path.sameopenfile(number, file.fileno()))
    gone = weakref.ref(listener)
    del listener
    gc.collect()
    print(gone(), loop.handles)
    loop.close()
"""
    assert in_child(code, kind) == ["1 True True", "None []"]


@pytest.mark.parametrize("name", ["io_uring", "eventfd", "pipe:"])
@pytest.mark.parametrize("end", ["loop.close()", "del loop"])
def test_a_loop_that_has_never_run_ends_though_its_rings_are_lost(end, name):
    code = f"""
loop = pyuv.Loop()
for fd in map(int, os.listdir("/proc/self/fd")):
    with contextlib.suppress(OSError):
        if fd > 2 and "{name}" in os.readlink(f"/proc/self/fd/{{fd}}"):
            os.dup2(os.open("/dev/null", os.O_RDWR), fd)
{end}
print("ended")
"""
    assert in_child(IN_FORK + PRELUDE + code) == ["ended"]


@pytest.mark.parametrize("name", ["wakeups", "pipes"])
def test_a_loop_that_was_not_told_of_a_signal_before_it_lost_them_ends(name):
    code = f"""
signal.alarm(10)
loop = pyuv.Loop()
handle = pyuv.Signal(loop)
handle.start(nothing, signal.SIGUSR1)
loop.run(pyuv.UV_RUN_NOWAIT)
os.kill(os.getpid(), signal.SIGUSR1)
LOSSES["{name}"]()
del handle, loop
gc.collect()
print("ended")
"""
    assert in_child(IN_FORK + PRELUDE + code) == ["ended"]


def test_a_callback_may_close_the_pipe_that_signals_are_read_from():
    # More signals than are read at once, and a file that the next ones would be read from.
    code = """
signal.alarm(10)
loop = pyuv.Loop()
victim = tempfile.TemporaryFile()
victim.write(bytes(range(256)) * 16)
victim.flush()
handles = [pyuv.Signal(loop) for _ in range(40)]
def replace(handle, number):
    victim.seek(0)
    for fd in range(3, 20):
        with contextlib.suppress(OSError):
            if "pipe:" in os.readlink(f"/proc/self/fd/{fd}"):
                os.dup2(victim.fileno(), fd)
for handle in handles:
    handle.start(replace, signal.SIGUSR1)
loop.run(pyuv.UV_RUN_NOWAIT)
os.kill(os.getpid(), signal.SIGUSR1)
attempt(loop.run, pyuv.UV_RUN_NOWAIT)
print("ended")
"""
    assert in_child(IN_FORK + PRELUDE + code) == ["ended"]


@pytest.mark.parametrize(
    "what", ["handle.close(); loop.run()", "print(in_fork(nothing))", "del handle; gc.collect()"]
)
def test_the_lock_of_signals_is_made_anew_beyond_a_limit_far_below(what):
    code = f"""
import resource
signal.alarm(10)
loop = pyuv.Loop()
handle = pyuv.Signal(loop)
handle.start(nothing, signal.SIGUSR1)
loop.run(pyuv.UV_RUN_NOWAIT)
keep = [os.dup(0) for _ in range(40)]
resource.setrlimit(resource.RLIMIT_NOFILE, (8, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
# The first pipe is the lock's.
lock = min(fd for fd in range(3, 40) if "pipe:" in os.readlink(f"/proc/self/fd/{{fd}}"))
for fd in lock, lock + 1:
    os.dup2(keep[0], fd)
{what}
print("ended")
"""
    assert in_child(IN_FORK + PRELUDE + code)[-1] == "ended"
