"""What every program of the fuzzer begins with. It is copied into each, so that a program stands alone."""

import atexit
import contextlib
import faulthandler
import fcntl
import functools
import gc
import ipaddress
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import types
import warnings
import weakref

with contextlib.suppress(ImportError):
    import _testcapi

import pyuv
from pyuv import dns, errno, error, fs, thread, util

LOG = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 200)
PATIENCE = 10
MAIN = threading.main_thread()
PROCESS = os.getpid()
v = types.SimpleNamespace(shared=[], server="127.0.0.1:9")
left = types.SimpleNamespace(bodies=250, depth=0, forks=2, waits=6, spawns=6, threads=6, lasting=False)
children, threads, folder = [], [], tempfile.mkdtemp(prefix="pyuv-fuzz-")


try:
    # What shows a traceback is imported then: a child that another thread forks meanwhile would wait for it.
    sum(None + number for number in [1])
except TypeError:
    traceback.format_exc()


def tell(*words):
    os.write(LOG, f"FINDING: {' '.join(map(str, words))}\n".encode(errors="replace"))


def interrupt(number, frame):
    raise KeyboardInterrupt


class Quiet:
    """Errors are what a misused library owes; these two kinds are its own mistakes."""

    def __enter__(self):
        pass

    def __exit__(self, kind, problem, trace):
        if kind is not None and (kind.__name__ == "PanicException" or kind is SystemError):
            tell(kind.__name__, problem)
            os.write(LOG, "".join(traceback.format_exception(problem)).encode(errors="replace"))
        return kind is None or not issubclass(kind, SystemExit)


quiet = Quiet()


def body(function):
    """What Python does where it is called: a few statements, as long as there is any budget left."""

    @functools.wraps(function)
    def run(*arguments, **options):
        if left.depth > 5 or left.bodies <= 0:
            return None
        left.bodies -= 1
        left.depth += 1
        try:
            return function()
        finally:
            left.depth -= 1

    return run


class Bomb:
    def __init__(self, inside):
        self.inside = inside

    def __del__(self):
        self.inside()


class Index(Bomb):
    def __init__(self, inside, value):
        self.inside, self.value = inside, value

    def __index__(self):
        self.inside()
        return self.value

    def __float__(self):
        self.inside()
        return float(self.value)

    def __bool__(self):
        self.inside()
        return bool(self.value)

    def fileno(self):
        self.inside()
        return self.value

    def __del__(self):
        pass


class Path(Bomb):
    def __init__(self, inside, value):
        self.inside, self.value = inside, value

    def __fspath__(self):
        self.inside()
        return self.value


class Text(str):
    def __del__(self):
        self.inside()

    def __hash__(self):
        self.inside()
        return super().__hash__()

    def __eq__(self, other):
        self.inside()
        return super().__eq__(other)

    def __str__(self):
        self.inside()
        return super().__str__()


class Data(bytes):
    def __del__(self):
        self.inside()


class View(Bomb):
    """Lends its memory, and works while it is asked to and when it gets it back."""

    def __init__(self, inside, value):
        self.inside, self.value = inside, value

    def __buffer__(self, flags):
        self.inside()
        return memoryview(self.value)

    def __release_buffer__(self, view):
        self.inside()


class Items(Bomb):
    """A sequence that makes its items when it is asked for them."""

    def __init__(self, inside, *values):
        self.inside, self.values = inside, values

    def __len__(self):
        self.inside()
        return len(self.values)

    def __getitem__(self, index):
        self.inside()
        return self.values[index]

    def __iter__(self):
        for value in self.values:
            self.inside()
            yield value


class Call(Bomb):
    """Calls `inside`, and works when it is shown, compared or let go of."""

    def __call__(self, *arguments, **options):
        return self.inside()

    def __eq__(self, other):
        self.inside()
        return self is other

    def __hash__(self):
        self.inside()
        return 1

    def __repr__(self):
        self.inside()
        return "Call"


class Once:
    """For what is to be called once."""

    def __init__(self, inside):
        self.inside, self.called = inside, 0

    def __call__(self, *arguments, **options):
        self.called += 1
        if self.called > 1:
            tell("called", self.called, "times:", self.inside.__name__, arguments)
        return self.inside()


def odd(kind, inside, value):
    """A str or bytes that does something when it goes."""
    made = kind(value)
    made.inside = inside
    return made


@functools.cache
def slotted(kind):
    """A subclass with slots, which are let go of after the object's own parts, or before."""
    weak = () if kind.__weakrefoffset__ else ("__weakref__",)
    return type("Slotted", (kind,), {"__slots__": ("slot", *weak)})


@functools.cache
def dying(kind):
    """A subclass that works when it goes, and may stay."""

    def __del__(self):
        left.dying()
        if left.bodies > 0:
            v.shared.append(self)

    return type("Dying", (kind,), {"__del__": __del__})


@functools.cache
def bare(kind):
    """A subclass that forgets to initialise."""
    return type("Bare", (kind,), {"__init__": lambda self, *arguments, **options: None})


@functools.cache
def twice(kind):
    """A subclass that initialises twice."""

    def __init__(self, *arguments, **options):
        super(self.__class__, self).__init__(*arguments, **options)
        super(self.__class__, self).__init__(*arguments, **options)

    return type("Twice", (kind,), {"__init__": __init__})


left.dying = lambda: None


class Guard(pyuv.Timer):
    """Ends a run."""


def turn(loop, mode=pyuv.UV_RUN_DEFAULT):
    """Runs the loop for a while."""
    if left.waits <= 0 or sys.is_finalizing():
        return loop.run(pyuv.UV_RUN_NOWAIT)
    left.waits -= 1
    guard = Guard(loop)
    try:
        guard.start(lambda timer: loop.stop(), 0.02, 0.01)
        return loop.run(mode)
    finally:
        guard.close()


def wait(function, *arguments):
    """Calls what may wait for ever: on the main thread, where an interrupt ends it. A child has no timer."""
    if os.getpid() != PROCESS or sys.is_finalizing():
        return
    if threading.current_thread() is MAIN and left.waits > 0:
        left.waits -= 1
        function(*arguments)


def kick(number, kill=os.kill):
    """Signals the process, as long as Python has its handlers."""
    if not sys.is_finalizing():
        kill(os.getpid(), number)


def at_exit(function, *arguments):
    """Registers it, as long as there is a list of such: CPython crashes where a later finalizer does."""
    if not sys.is_finalizing():
        atexit.register(function, *arguments)


def starve(number, function):
    """Calls with Python's allocator refusing one time, the `number`th."""
    _testcapi.set_nomemory(number, number + 1)
    try:
        function()
    finally:
        _testcapi.remove_mem_hooks()


def default():
    """A loop that stays, and what is active on it."""
    left.lasting = True
    return pyuv.Loop.default_loop()


def some(loop, number):
    """One of the loop's handles."""
    handles = [handle for handle in loop.handles if not isinstance(handle, Guard)]
    return handles[number % len(handles)]


def fork(inside, leave=os._exit):
    if left.forks <= 0:
        return
    left.forks -= 1
    pid = os.fork()
    if pid:
        children.append(pid)
        return
    # Nobody interrupts it.
    left.forks = left.waits = 0
    children.clear()
    try:
        inside()
    finally:
        leave(0)


def start(inside, daemon):
    if left.threads <= 0:
        return
    left.threads -= 1
    made = threading.Thread(target=inside, daemon=daemon)
    threads.append(made)
    made.start()


def spin(loop, times):
    """Turns a loop, on a thread that may outlive the program."""
    for _ in range(times):
        loop.run(pyuv.UV_RUN_NOWAIT)


def spawn(*arguments, **options):
    left.spawns -= 1
    if left.spawns >= 0:
        return pyuv.Process.spawn(*arguments, **options)
    return None


def pair(loop, kind, *options):
    """A connected stream and the socket at its other end."""
    if kind is pyuv.TCP:
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname())
            ours = server.accept()[0]
    else:
        ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    made = kind(loop, *options)
    made.open(ours.detach())
    return made, theirs


def terminal(loop, kind=pyuv.TTY):
    theirs, ours = os.openpty()
    os.set_blocking(theirs, False)
    made = kind(loop, ours)
    os.close(ours)
    return made, theirs


def answer(sock):
    """Answers every question with what was asked, and NXDOMAIN."""
    for _ in range(50):
        message, address = sock.recvfrom(4096)
        sock.sendto(message[:2] + b"\x81\x83" + message[4:], address)


def serve():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    v.server = f"127.0.0.1:{sock.getsockname()[1]}"
    threading.Thread(target=answer, args=(sock,), daemon=True).start()


def wait_for_children():
    """A child that crashes is a finding too."""
    deadline = time.monotonic() + PATIENCE
    while children:
        with contextlib.suppress(ChildProcessError):
            pid, status = os.waitpid(children[0], os.WNOHANG)
            if pid == 0 and time.monotonic() < deadline:
                time.sleep(0.01)
                continue
            if pid == 0:
                # It says where it is.
                tell("a forked child hangs")
                os.kill(children[0], signal.SIGABRT)
                os.waitpid(children[0], 0)
            if os.WIFSIGNALED(status):
                tell("a forked child ended with signal", os.WTERMSIG(status))
        del children[0]


def finish():
    """What is let go of is gone."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    left.bodies = 0
    for one in threads:
        if not one.daemon:
            one.join(PATIENCE)
    wait_for_children()
    for _ in range(50):
        # Work that had begun on the thread pool may put something there later.
        v.__dict__.clear()
        v.shared = []
        kept = []  # What was found before would keep them.
        kept = kept_loops()
        if not kept or left.lasting or any(one.is_alive() for one in threads):
            break
        time.sleep(0.02)
    else:
        tell("loops are kept:", [[type(handle).__name__ for handle in loop.handles] for loop in kept])


def kept_loops():
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, pyuv.Loop) and not each.default]


# Says where every thread is when the process is killed: a hanging one is aborted.
faulthandler.enable(LOG)
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 20, 32 << 20))
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
os.chdir(folder)
os.mkdir("d")
for name in ("a", "d/b", "hosts"):
    with open(name, "w") as file:
        file.write("127.0.0.1 name.test\n")
with open("resolv.conf", "w") as file:
    file.write("nameserver 127.0.0.1\n")
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 3, 0.5)
SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP)
for number in SIGNALS:
    signal.signal(number, lambda number, frame: None)


@atexit.register
def end():
    """From now on nobody interrupts what waits; and a signal that is on its way to another thread meets the
    default, which CPython restores when it ends."""
    left.waits = 0
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
