"""Daemon threads are in every way from Rust into Python when the program ends: none of them aborts it.

Up to Python 3.13 CPython ends such a thread by unwinding its stack, through whatever frames are on it.
"""

import sys

import pytest

from util import finish, start_child

EXITS = 8

PRELUDE = """
import array, os, sys, threading, time, weakref, pyuv
from pyuv import dns, fs, util
sys.setswitchinterval(1e-6)

def python(*results):
    # Long enough for another thread to want the GIL.
    for _ in range(200):
        pass
    return results[0] if results else None

class Number:
    def __index__(self):
        return python(1)
    def __float__(self):
        return python(0.001)

class Path:
    def __fspath__(self):
        return python("/")

class Odd:
    def __repr__(self):
        return python("Odd()")

class Dying:
    def __del__(self):
        python()

class Pieces:
    def __len__(self):
        return python(2)
    def __getitem__(self, index):
        python()
        if index > 1:
            raise IndexError
        return b"piece"

class Stderr:
    def write(self, text):
        python()
    def flush(self):
        python()

def failing(*arguments):
    python()
    raise ValueError

begun = threading.Event()

def for_ever(function):
    while True:
        begun.set()
        function()

def refused(function, *arguments):
    try:
        function(*arguments)
    except (TypeError, ValueError, pyuv.error.FSError):
        # Who tells of it may have the lock of stderr when the program ends, which CPython does not bear.
        pass
"""

KINDS = {
    "run": """
loop = pyuv.Loop()
for_ever(lambda: loop.run(pyuv.UV_RUN_NOWAIT))
""",
    "a callback": """
loop = pyuv.Loop()
pyuv.Idle(loop).start(python)
for_ever(loop.run)
""",
    "callbacks one after the other": """
loop = pyuv.Loop()
def again(timer):
    timer.start(again, 0)
    python()
for_ever(lambda: (pyuv.Timer(loop).start(again, 0), loop.run(pyuv.UV_RUN_ONCE)))
""",
    "excepthook": """
loop = pyuv.Loop()
loop.excepthook = lambda *arguments: python()
pyuv.Idle(loop).start(failing)
for_ever(loop.run)
""",
    "stderr": """
sys.stderr = Stderr()
loop = pyuv.Loop()
pyuv.Idle(loop).start(failing)
for_ever(loop.run)
""",
    "__index__": """
loop = pyuv.Loop()
for_ever(lambda: loop.run(Number()) or fs.stat(loop, "/") and refused(fs.read, loop, Number(), Number()))
""",
    "__index__ of an option": """
loop = pyuv.Loop()
for_ever(lambda: dns.Channel(loop, servers=["127.0.0.1"], tries=Number()))
""",
    "__float__": """
timer = pyuv.Timer(pyuv.Loop())
for_ever(lambda: timer.start(python, Number()))
""",
    "__fspath__": """
loop = pyuv.Loop()
for_ever(lambda: fs.stat(loop, Path()))
""",
    "__repr__": """
timer = pyuv.Timer(pyuv.Loop())
for_ever(lambda: refused(timer.start, Odd(), 1))
""",
    "__getitem__": """
loop = pyuv.Loop()
ours, theirs = pyuv.Pipe(loop), pyuv.Pipe(loop)
r, w = pyuv.util.pipe()
ours.open(w)
theirs.open(r)
theirs.start_read(lambda *arguments: None)
for_ever(lambda: (ours.write(Pieces()), loop.run(pyuv.UV_RUN_NOWAIT)))
""",
    "__del__ of an argument": """
timer = pyuv.Timer(pyuv.Loop())
for_ever(lambda: (timer.start(lambda timer, dying=Dying(): None, 1), timer.stop()))
""",
    "__del__ of what a handle kept": """
loop = pyuv.Loop()
class Timer(pyuv.Timer):
    __slots__ = ("dying",)
def make():
    timer = Timer(loop)
    timer.dying = timer.other = Dying()
for_ever(make)
""",
    "a weak reference": """
loop = pyuv.Loop()
def make():
    timer = pyuv.Timer(loop)
    weakref.finalize(timer, python)
for_ever(make)
""",
    "work": """
loop = pyuv.Loop()
for_ever(lambda: (loop.queue_work(python, python), loop.run()))
""",
    "file operations": """
loop = pyuv.Loop()
for_ever(lambda: (fs.stat(loop, "/", python), fs.scandir(loop, "/", python), loop.run()))
""",
    "a large file": """
import tempfile
with tempfile.NamedTemporaryFile() as file:
    file.truncate(2 << 20)
    loop = pyuv.Loop()
    for_ever(lambda: (fs.read_file(loop, file.name, python), loop.run(), fs.read_file(loop, file.name)))
""",
    "a walk": """
loop = pyuv.Loop()
for_ever(lambda: fs.walk(loop, "/proc/self/fdinfo", on_batch=python))
""",
    "getaddrinfo": """
loop = pyuv.Loop()
for_ever(lambda: (dns.getaddrinfo(loop, "127.0.0.1", callback=python), loop.run()))
""",
    "a channel": """
loop = pyuv.Loop()
channel = dns.Channel(loop, servers=["127.0.0.1:9"])
def ask():
    channel.query("bücher.example", "A", callback=python)
    channel.cancel()
    loop.run(pyuv.UV_RUN_NOWAIT)
for_ever(ask)
""",
    "a lock": """
mutex = pyuv.thread.Mutex()
def hold():
    with mutex:
        python()
for_ever(hold)
""",
    "a queue": """
queue = pyuv.thread.Queue()
for_ever(lambda: (queue.put(Dying()), queue.get()))
""",
    "async": """
loop = pyuv.Loop()
wake = pyuv.Async(loop, python)
for_ever(lambda: (wake.send(), loop.run(pyuv.UV_RUN_ONCE)))
""",
    "an argument of the wrong kind": """
def wrong():
    try:
        util.random("many")
    except TypeError:
        python()
for_ever(wrong)
""",
    "a collection": """
import gc
def cycle():
    loop = pyuv.Loop()
    timer = pyuv.Timer(loop)
    timer.dying, timer.self = Dying(), timer
    timer.start(python, 60)
    del loop, timer
    gc.collect()
for_ever(cycle)
""",
}


def program(kind, first="", last=""):
    """Two threads do what the kind is, `first` before it; `last` is what the program does at its end."""
    body = "\n".join(f"    {line}" for line in (first + KINDS[kind]).splitlines())
    return f"""{PRELUDE}
def body():
{body}
for _ in range(2):
    threading.Thread(target=body, daemon=True).start()
begun.wait()
time.sleep(0.02)
{last}
print("leaving")
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", KINDS)
def test_a_daemon_thread_lets_the_program_end_in(kind):
    for _ in range(EXITS):
        assert finish(start_child(program(kind))) == ["leaving"]


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="Linux's scheduling")
@pytest.mark.parametrize("kind", ["a large file", "a walk", "an argument of the wrong kind"])
def test_a_daemon_thread_that_comes_back_too_late_lets_the_program_end_in(kind):
    one_processor = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    # The threads get it when nobody else wants it.
    first = f"""
{one_processor}
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
"""
    # That is for a moment at the process's very end.
    last = f"""
{one_processor}
import ctypes
libc = ctypes.CDLL(None)
libc.__cxa_atexit(libc.usleep, ctypes.c_void_p(50_000), None)
"""
    for _ in range(EXITS):
        assert finish(start_child(program(kind, first, last))) == ["leaving"]
