"""No order of calls with whatever arguments ends the process or hangs it."""

import pytest

from util import in_child

PROGRAM = """
import gc, os, random, signal, socket, sys, tempfile, threading, warnings, pyuv
warnings.simplefilter("ignore")
seed = int(sys.argv[1])
signal.alarm(35)
dice = random.Random(seed)
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
ours, theirs = socket.socketpair()
file = os.open(os.devnull, os.O_RDWR)
folder = tempfile.mkdtemp()
made, loops = [], [pyuv.Loop()]
hits = 0

class Strange:
    def __init__(self, *arguments): pass
    def __call__(self, *arguments): step()
    def __index__(self): step(); return dice.choice([0, 1, 2, -1])
    def __float__(self): step(); return 0.0
    def __bool__(self): raise ValueError
    def fileno(self): step(); return ours.fileno()
    def __repr__(self): raise RuntimeError

class Bare(pyuv.Timer):
    def __init__(self, *arguments): pass

class BareLoop(pyuv.Loop):
    def __init__(self, *arguments): pass

def argument():
    return dice.choice([
        lambda: None, lambda: 0, lambda: 1, lambda: 2, lambda: -1, lambda: 0.001, lambda: 0.0,
        lambda: float("nan"),
        lambda: 1 << 70, lambda: "text", lambda: b"", lambda: signal.SIGUSR1, lambda: signal.SIGKILL,
        lambda: ours.fileno(), lambda: theirs, lambda: file, lambda: 999, lambda: Strange(), lambda: Strange,
        lambda: step, lambda: fail, lambda: (lambda *arguments: step()), lambda: print.__class__,
        lambda: dice.choice(made) if made else None, lambda: dice.choice(loops), lambda: [],
        lambda: BareLoop(), lambda: Bare(),
    ])()

def fail(*arguments):
    raise dice.choice([ValueError, KeyError, RecursionError, MemoryError])("mine")

CLASSES = [pyuv.Timer, pyuv.Async, pyuv.Idle, pyuv.Prepare, pyuv.Check, pyuv.Poll, pyuv.Signal,
           pyuv.TCP, pyuv.TCP, pyuv.Pipe, pyuv.Pipe,
           pyuv.util.SignalChecker, pyuv.fs.FSEvent, pyuv.fs.FSPoll, pyuv.UDP,
           pyuv.Handle, pyuv.WorkRequest, Bare]
LOOP = ["run", "stop", "now", "update_time", "alive", "fileno", "get_timeout", "handles", "close", "fork",
        "configure", "metrics", "queue_work", "excepthook", "__init__", "default", "closed", "__repr__",
        "counters"]
HANDLE = ["start", "stop", "close", "active", "closed", "ref", "loop", "again", "repeat", "due_in", "send",
          "write", "write", "try_write", "try_write2", "shutdown", "start_read", "stop_read", "bind",
          "connect", "listen", "accept", "open", "close_reset", "pending_count", "pending_handle_type",
          "getsockname", "getpeername", "readable", "writable", "write_queue_size",
          "set_blocking", "chmod", "nodelay", "keepalive",
          "send_buffer_size", "fileno", "signum",
          "start_oneshot", "cancel", "path", "start_recv", "stop_recv", "try_send",
          "__init__", "__repr__", "__repr__"]
STREAM = ["start_read", "listen", "bind", "connect", "write", "try_write", "try_write2", "accept"]
ours_too = "\\0pyuv misuse"
depth = 0

def use(target, name):
    global hits
    if dice.random() < 0.1:
        setattr(target, name, argument())
        return
    member = getattr(target, name)
    if callable(member):
        if name == "run":
            result = member(dice.choice([pyuv.UV_RUN_NOWAIT, pyuv.UV_RUN_NOWAIT, "x", 7]))
        elif name == "start" and dice.random() < 0.6:
            kind = type(target).__name__
            callback = dice.choice([step, fail, lambda *arguments: step(), print.__class__, Strange()])
            result = member(*{
                "Timer": (callback, 0, dice.choice([0, 0.001])),
                "Poll": (dice.choice([1, 2, 3, 5]), callback),
                "Signal": (callback, signal.SIGUSR1), "SignalChecker": (),
                "FSEvent": (folder, 0, callback), "FSPoll": (folder, 0.001, callback),
            }.get(kind, (callback,)))
        elif name == "open":
            # What a handle takes it closes: it gets a descriptor of its own.
            taken = [lambda: os.dup(ours.fileno()), lambda: file, lambda: 999, lambda: "text", lambda: None]
            result = member(dice.choice(taken)())
        elif name in STREAM and dice.random() < 0.7:
            callback = dice.choice([step, fail, lambda *arguments: step(), Strange()])
            place = dice.choice(["first", "second", ("127.0.0.1", 0), ("127.0.0.1", 7), ours_too])
            data = dice.choice([b"x", b"", bytearray(b"yy"), [b"z", b""], bytes(100000)])
            handle = dice.choice(made) if made else None
            result = member(*{
                "start_read": (callback,), "listen": (callback,), "bind": (place,),
                "connect": (place, callback),
                "write": dice.choice([(data,), (data, callback), (data, callback, handle)]),
                "try_write": (data,), "try_write2": (data, handle), "accept": (handle,),
            }[name])
        else:
            result = member(*[argument() for _ in range(dice.choice([0, 0, 0, 1, 1, 2, 3]))])
        if isinstance(result, (pyuv.WorkRequest, pyuv.Handle)):
            made.append(result)
    hits += 1

def step(*ignored):
    global depth
    if depth > 3:
        return
    depth += 1
    try:
        what = dice.random()
        if what < 0.25:
            loop = dice.choice(loops)
            arguments = [loop] if dice.random() < 0.8 else [argument()]
            arguments += [argument() for _ in range(dice.choice([0, 0, 1, 2]))]
            made.append(dice.choice(CLASSES)(*arguments))
        elif what < 0.35 and len(made) > 3:
            made.pop(dice.randrange(len(made)))
        elif what < 0.37:
            loops[dice.randrange(len(loops))] = pyuv.Loop()
        elif what < 0.38:
            gc.collect()
        elif what < 0.41:
            os.kill(os.getpid(), signal.SIGUSR1)
        elif what < 0.43:
            theirs.send(b"x")
        elif what < 0.44:
            os.utime(folder)
        elif what < 0.46 and depth == 1:
            thread = threading.Thread(target=quietly)
            thread.start()
            thread.join()
        elif what < 0.65:
            use(dice.choice(loops), dice.choice(LOOP))
        elif made:
            use(dice.choice(made), dice.choice(HANDLE))
    finally:
        depth -= 1

def quietly():
    try:
        step()
    except Exception:
        pass

signal.signal(signal.SIGUSR1, lambda number, frame: None)
theirs.setblocking(False)
sys.stderr = open(os.devnull, "w")
for count in range(3000):
    quietly()
    if count % 20 == 0:
        for loop in loops:
            try:
                loop.run(pyuv.UV_RUN_NOWAIT)
            except Exception:
                pass
    if count % 300 == 0:
        ours.close()
        theirs.close()
        for name in os.listdir():
            os.unlink(name)
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        del made[:]
        loops[:] = [pyuv.Loop() for _ in range(2)]
        gc.collect()
os.rmdir(folder)
print("done" if hits > 50 else f"only {hits}")
"""


@pytest.mark.parametrize("seed", range(12))
def test_random_calls_never_end_the_process(seed):
    assert in_child(PROGRAM, seed)[-1] == "done"
