"""Calls everything in any order, with whatever arguments: `python tests/misuse.py SEED [STEPS]`.

The same seed makes the same choices; what the system and other threads do in between differs. Prints the seed
first, and "done" at the end: a process that is killed, aborts or hangs has found something.
"""

import contextlib
import faulthandler
import fcntl
import gc
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import warnings

import pyuv
from pyuv import dns, fs

SEED = int(sys.argv[1])
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
# The numbers below are arguments too, which handles are made of: they are nothing that anybody needs.
report = os.fdopen(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 20), "w", buffering=1)
null = os.open(os.devnull, os.O_RDWR)
for number in {0, 1, *range(3, 20)} - {null}:
    os.dup2(null, number)
print("seed", SEED, file=report)
faulthandler.enable()
faulthandler.dump_traceback_later(35 + STEPS // 200)
signal.alarm(40 + STEPS // 200)
warnings.simplefilter("ignore")
dice = random.Random(SEED)


class World:
    """What there is at the moment."""

    def __init__(self):
        self.made = []
        self.loops = [pyuv.Loop()]
        self.folder = tempfile.mkdtemp()
        self.file = os.open(os.devnull, os.O_RDWR)
        self.depth = 0
        self.hits = 0
        self.open_sockets()

    def open_sockets(self):
        self.ours, self.theirs = socket.socketpair()
        self.theirs.setblocking(False)
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self.silent.getsockname()[1]}"
        self.terminal = os.openpty()

    def end(self):
        """Lets everything go, and begins anew."""
        for end in (self.ours, self.theirs, self.silent):
            end.close()
        for fd in self.terminal:
            with contextlib.suppress(OSError):
                os.close(fd)
        for name in os.listdir():
            os.unlink(name)
        del self.made[:]
        self.open_sockets()
        self.loops[:] = [pyuv.Loop() for _ in range(2)]
        gc.collect()


class Strange:
    """An object that works in its own ways, and does more than it is asked for."""

    def __init__(self, *arguments):
        pass

    def __call__(self, *arguments):
        step()

    def __index__(self):
        step()
        return dice.choice([0, 1, 2, -1])

    def __float__(self):
        step()
        return 0.0

    def __bool__(self):
        raise ValueError

    def __iter__(self):
        step()
        return iter([b"x", self])

    def fileno(self):
        step()
        return world.ours.fileno()

    def __repr__(self):
        raise RuntimeError


class Bare(pyuv.Timer):
    def __init__(self, *arguments):
        pass


class BareLoop(pyuv.Loop):
    def __init__(self, *arguments):
        pass


def fail(*arguments):
    raise dice.choice([ValueError, KeyError, RecursionError, MemoryError])("mine")


def callback():
    return dice.choice([step, fail, lambda *arguments: step(), print.__class__, Strange()])


def some_handle():
    return dice.choice(world.made) if world.made else None


ARGUMENTS = [
    *(
        lambda value=value: value
        for value in (None, True, False, 0, 1, 2, -1, 0.001, 0.0, float("nan"), 1 << 70)
    ),
    *(lambda value=value: value for value in ("text", b"", [], signal.SIGUSR1, signal.SIGKILL, 999)),
    lambda: world.ours.fileno(),
    lambda: world.theirs,
    lambda: world.file,
    lambda: world.terminal[1],
    Strange,
    lambda: Strange,
    callback,
    some_handle,
    lambda: dice.choice(world.loops),
    BareLoop,
    Bare,
]


def argument():
    return dice.choice(ARGUMENTS)()


def several(most):
    return [argument() for _ in range(dice.randrange(most + 1))]


CLASSES = [
    *(
        pyuv.Timer,
        pyuv.Async,
        pyuv.Idle,
        pyuv.Prepare,
        pyuv.Check,
        pyuv.Poll,
        pyuv.Signal,
        pyuv.TCP,
        pyuv.TCP,
    ),
    *(pyuv.Pipe, pyuv.Pipe, pyuv.UDP, pyuv.UDP, pyuv.TTY, pyuv.Process, pyuv.Handle, pyuv.WorkRequest, Bare),
    *(pyuv.util.SignalChecker, fs.FSEvent, fs.FSPoll),
]
LOOP = """
    run stop now update_time alive fileno get_timeout handles close fork configure metrics
    queue_work excepthook __init__ default closed __repr__ counters
""".split()  # noqa: SIM905
HANDLE = """
    start stop close close active closed ref loop again repeat due_in send write write try_write
    try_write2 shutdown start_read stop_read bind bind2 connect connect2 listen accept open
    close_reset pending_count pending_instances pending_handle_type getsockname getpeername readable
    writable write_queue_size set_blocking chmod nodelay keepalive keepalive_ex simultaneous_accepts
    send_buffer_size receive_buffer_size fileno signum family ipc kill pid start_oneshot cancel path
    start_recv stop_recv try_send try_send2 send_queue_size send_queue_count disconnect
    set_membership set_source_membership set_multicast_interface set_multicast_loop
    set_multicast_ttl set_ttl set_broadcast using_recvmmsg set_mode get_winsize query servers
    timeout __init__ __repr__
""".split()  # noqa: SIM905

PLACES = ["first", "second", ("127.0.0.1", 0), ("127.0.0.1", 7), "\0pyuv misuse", ("::1", 0), None]
DATA = [b"x", b"", bytearray(b"yy"), [b"z", b""], bytes(100_000), memoryview(b"ab")]


def place():
    return dice.choice([*PLACES, address_of(some_handle())])


def address_of(handle):
    try:
        return handle.getsockname()
    except Exception:
        return None


def data():
    return dice.choice(DATA)


def descriptor():
    """For `open`: what a handle takes it closes, so it gets a descriptor of its own."""
    kind = dice.randrange(6)
    if kind == 0:
        return os.dup(world.ours.fileno())
    if kind == 1:
        return socket.socket(socket.AF_INET, dice.choice([socket.SOCK_STREAM, socket.SOCK_DGRAM])).detach()
    if kind == 2:
        read, write = os.pipe()
        os.close(write)
        return read
    return dice.choice([world.file, 999, "text", None, -1])


# Calls that make sense, often enough that what they start goes on.
SENSIBLE = {
    "Timer.start": lambda: (callback(), 0, dice.choice([0, 0.001])),
    "Poll.start": lambda: (dice.choice([1, 2, 3, 5, 8]), callback()),
    "Signal.start": lambda: (callback(), signal.SIGUSR1),
    "SignalChecker.start": lambda: (),
    "FSEvent.start": lambda: (world.folder, 0, callback()),
    "FSPoll.start": lambda: (world.folder, 0.001, callback()),
    "start": lambda: (callback(),),
    "start_oneshot": lambda: (callback(), signal.SIGUSR1),
    "start_read": lambda: (callback(),),
    "start_recv": lambda: (callback(),),
    "listen": lambda: (callback(),),
    "close": lambda: dice.choice([(), (callback(),)]),
    "close_reset": lambda: dice.choice([(), (callback(),)]),
    "shutdown": lambda: dice.choice([(), (callback(),)]),
    "bind": lambda: (place(),),
    "UDP.connect": lambda: (place(),),
    "connect": lambda: (place(), callback()),
    "write": lambda: dice.choice([(data(),), (data(), callback()), (data(), callback(), some_handle())]),
    "try_write": lambda: (data(),),
    "try_write2": lambda: (data(), some_handle()),
    "accept": lambda: (some_handle(),),
    "Async.send": lambda: (),
    "UDP.send": lambda: dice.choice([(place(), data()), (place(), data(), callback())]),
    "try_send": lambda: (place(), data()),
    "try_send2": lambda: ([(place(), data()), (place(), data())],),
    "open": lambda: (descriptor(),),
    "query": lambda: (dice.choice(["name.test", "localhost", b"x" * 70]), "A", callback()),
    "run": lambda: (dice.choice([pyuv.UV_RUN_NOWAIT, pyuv.UV_RUN_NOWAIT, "x", 7]),),
    "kill": lambda: (dice.choice([signal.SIGKILL, 0, -1]),),
    "set_blocking": lambda: (False,),
    "set_mode": lambda: (dice.randrange(5),),
}

# For what else could wait for ever, open what is others', or send a signal to this process's group.
ALWAYS_SENSIBLE = {"run", "open", "kill", "set_blocking"}


def use(target, name):
    if dice.random() < 0.1:
        setattr(target, name, argument())
        return
    member = getattr(target, name)
    if callable(member):
        kind = type(target).__name__
        sensible = SENSIBLE.get(f"{kind}.{name}") or SENSIBLE.get(name)
        if sensible and (name in ALWAYS_SENSIBLE or dice.random() < 0.7):
            result = member(*sensible())
        else:
            result = member(*several(3))
        if isinstance(result, (pyuv.WorkRequest, pyuv.Handle)):
            world.made.append(result)
    world.hits += 1


# What else happens to a program, or is done by one.


def make():
    loop = dice.choice(world.loops)
    arguments = [loop] if dice.random() < 0.8 else [argument()]
    world.made.append(dice.choice(CLASSES)(*arguments, *several(2)))


def drop():
    if len(world.made) > 3:
        world.made.pop(dice.randrange(len(world.made)))


def spawn():
    stdio = [
        pyuv.StdIO(),
        pyuv.StdIO(fd=world.theirs.fileno(), flags=pyuv.UV_INHERIT_FD),
        pyuv.StdIO(some_handle(), flags=dice.choice([pyuv.UV_INHERIT_STREAM, pyuv.UV_CREATE_PIPE | 16])),
    ]
    program = dice.choice(["true", "false", "no such program", [], ["sleep", "60"]])
    dice.shuffle(stdio)
    loop = dice.choice(world.loops)
    world.made.append(pyuv.Process.spawn(loop, program, stdio=stdio, exit_callback=callback()))
    if program == ["sleep", "60"]:
        # Not for this long: nobody is left behind when this process is killed.
        world.made[-1].kill(signal.SIGKILL)


def ask_for_files():
    loop = dice.choice(world.loops)
    path = os.path.join(world.folder, dice.choice(["a", "b", "c\0"]))
    operation = dice.choice([fs.stat, fs.scandir, fs.unlink, fs.realpath, fs.opendir, fs.statfs])
    world.made.append(operation(loop, path, dice.choice([callback(), argument()])))


def ask_for_names():
    loop = dice.choice(world.loops)
    if dice.random() < 0.5:
        dns.getaddrinfo(loop, "127.0.0.1", callback=callback())
    else:
        world.made.append(dns.Channel(loop, servers=[world.server], timeout=0.01, tries=1))


def lose_a_descriptor():
    """Closes one behind its handle's back and has somebody else take its number, in one call: once it is
    free, pyuv itself might take it, and the handle would close it there."""
    handle = some_handle()
    # What a Poll waits for is somebody else's, libuv's own among them.
    if isinstance(handle, (pyuv.Stream, pyuv.UDP)):
        os.dup2(dice.choice([world.file, world.theirs.fileno(), *world.terminal]), handle.fileno(), False)


def fork():
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            for loop in world.loops:
                if dice.random() < 0.7:
                    with contextlib.suppress(Exception):
                        loop.fork()
            for _ in range(20):
                quietly()
            gc.collect()
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        print("a forked child ended with", status, file=report)
        os.abort()


def type_a_line():
    # A handle that has it too may have set it otherwise.
    os.set_blocking(world.terminal[0], False)
    os.write(world.terminal[0], b"x\n")


def in_a_thread():
    thread = threading.Thread(target=quietly)
    thread.start()
    thread.join()


EVENTS = [
    (25, make),
    (10, drop),
    (2, lambda: world.loops.__setitem__(dice.randrange(len(world.loops)), pyuv.Loop())),
    (1, gc.collect),
    (3, lambda: os.kill(os.getpid(), signal.SIGUSR1)),
    (2, lambda: world.theirs.send(b"x")),
    (1, lambda: os.utime(world.folder)),
    (1, type_a_line),
    (1, spawn),
    (3, ask_for_files),
    (2, ask_for_names),
    (1, lose_a_descriptor),
    (19, lambda: use(dice.choice(world.loops), dice.choice(LOOP))),
    (45, lambda: use(some_handle(), dice.choice(HANDLE))),
]
OUTSIDE = [(3, in_a_thread), (0.3, fork)]


def step(*ignored):
    if world.depth > 3:
        return
    world.depth += 1
    try:
        events = EVENTS + OUTSIDE if world.depth == 1 else EVENTS
        (event,) = dice.choices([event for _, event in events], [weight for weight, _ in events])
        event()
    finally:
        world.depth -= 1


def quietly():
    with contextlib.suppress(Exception):
        step()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda number, frame: None)
    home = tempfile.mkdtemp()
    os.chdir(home)
    world = World()
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for count in range(1, STEPS + 1):
        quietly()
        if count % 20 == 0:
            for loop in list(world.loops):
                with contextlib.suppress(Exception):
                    loop.run(pyuv.UV_RUN_NOWAIT)
        if count % 300 == 0:
            world.end()
    os.chdir("/")
    for folder in (home, world.folder):
        shutil.rmtree(folder)
    print("done" if world.hits > STEPS // 60 else f"only {world.hits}", file=report)
