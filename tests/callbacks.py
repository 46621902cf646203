"""Every kind of callback there is, and what makes it come.

`KINDS` has for each the number of its arguments and a function: given a loop, the callback and a `Place`, it
does what makes a running loop call back, and returns the handle that the callback belongs to, if it is open.
The callback may come more than once.
"""

import os
import signal
import socket
import sys
from contextlib import ExitStack, suppress

import pyuv
from pyuv import dns, fs
from streams import LOCALHOST, connected, fill, listener


class Place:
    """What they need around them: a folder, a name server, and what is to be kept or to be closed."""

    def __init__(self, folder, make_channel):
        self.folder = folder
        self.make_channel = make_channel
        self.kept = []
        self.stack = ExitStack()

    def keep(self, *things):
        self.kept.extend(things)
        return things[0]

    def sockets(self, kind=socket.SOCK_STREAM):
        """Two sockets that are connected."""
        return [self.stack.enter_context(end) for end in socket.socketpair(socket.AF_UNIX, kind)]

    def terminal(self):
        """The fds of a pseudo terminal: the master's, and the terminal's."""
        ends = os.openpty()
        for fd in ends:
            self.stack.callback(os.close, fd)
        return ends

    def pair(self, loop):
        """The two ends of a TCP connection."""
        return self.keep(connected(loop), None)

    def pipes(self, loop, ipc=False):
        """The two ends of a pipe."""
        ends = [pyuv.Pipe(loop, ipc), pyuv.Pipe(loop, ipc)]
        for end, fd in zip(ends, pyuv.util.socketpair(), strict=True):
            end.open(fd)
        return self.keep(ends, None)


KINDS = {}
THREADS = {"work"}
"""Those that are called on a thread of the pool."""


def kind(name, arguments):
    def add(function):
        KINDS[name] = (arguments, function)
        return function

    return add


def unreachable():
    """An address that nobody listens on."""
    with socket.create_server(LOCALHOST) as server:
        return server.getsockname()


# Watchers, timers, signals.


@kind("timer", 1)
def _(loop, callback, place):
    timer = pyuv.Timer(loop)
    timer.start(callback, 0)
    return timer


@kind("repeating timer", 1)
def _(loop, callback, place):
    timer = pyuv.Timer(loop)
    timer.start(callback, 0.001, 0.001)
    return timer


for watcher in (pyuv.Idle, pyuv.Prepare, pyuv.Check):

    @kind(watcher.__name__.lower(), 1)
    def _(loop, callback, place, watcher=watcher):
        handle = watcher(loop)
        handle.start(callback)
        return handle


@kind("async", 1)
def _(loop, callback, place):
    handle = pyuv.Async(loop, callback)
    handle.send()
    return handle


@kind("poll", 3)
def _(loop, callback, place):
    ours, _ = place.sockets()
    poll = pyuv.Poll(loop, ours)
    poll.start(pyuv.UV_WRITABLE, callback)
    return poll


@kind("poll of a descriptor that is lost", 3)
def _(loop, callback, place):
    ours, _ = place.sockets()
    poll = pyuv.Poll(loop, ours)
    poll.start(pyuv.UV_WRITABLE, callback)
    ours.close()
    return poll


@kind("signal", 2)
def _(loop, callback, place):
    handle = pyuv.Signal(loop)
    handle.start(callback, signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    return handle


@kind("oneshot signal", 2)
def _(loop, callback, place):
    handle = pyuv.Signal(loop)
    handle.start_oneshot(callback, signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    return handle


# The ends of handles.

CLOSED = {
    "a timer": lambda loop, place: pyuv.Timer(loop),
    "an async": lambda loop, place: pyuv.Async(loop),
    "a connection": lambda loop, place: place.pair(loop)[0],
    "a pipe": lambda loop, place: place.pipes(loop)[0],
    "a terminal": lambda loop, place: pyuv.TTY(loop, place.terminal()[1]),
    "a UDP handle": lambda loop, place: pyuv.UDP(loop, socket.AF_INET),
    "a process": lambda loop, place: pyuv.Process.spawn(loop, [sys.executable, "-c", ""]),
    "a file watcher": lambda loop, place: watch(fs.FSEvent(loop), place.folder, 0),
    "a file poller": lambda loop, place: watch(fs.FSPoll(loop), place.folder, 60),
}


def watch(handle, folder, how):
    handle.start(str(folder), how, print)
    return handle


for name, make in CLOSED.items():

    @kind(f"close of {name}", 1)
    def _(loop, callback, place, make=make):
        make(loop, place).close(callback)


@kind("close with a reset", 1)
def _(loop, callback, place):
    place.pair(loop)[0].close_reset(callback)


# Streams.


@kind("connection", 2)
def _(loop, callback, place):
    server = place.keep(listener(loop, print))
    client = pyuv.TCP(loop)
    client.connect(server.getsockname(), callback)
    return client


@kind("refused connection", 2)
def _(loop, callback, place):
    client = pyuv.TCP(loop)
    client.connect(unreachable(), callback)
    return client


@kind("cancelled connection", 2)
def _(loop, callback, place):
    server = place.keep(listener(loop, print))
    client = pyuv.TCP(loop)
    client.connect(server.getsockname(), callback)
    client.close()


@kind("listener", 2)
def _(loop, callback, place):
    server = listener(loop, callback)
    place.stack.enter_context(socket.create_connection(server.getsockname()))
    return server


@kind("read", 3)
def _(loop, callback, place):
    tcp, peer = place.pair(loop)
    tcp.start_read(callback)
    peer.write(b"x")
    return tcp


@kind("end of what is read", 3)
def _(loop, callback, place):
    tcp, peer = place.pair(loop)
    tcp.start_read(callback)
    peer.close()
    return tcp


@kind("reset of what is read", 3)
def _(loop, callback, place):
    tcp, peer = place.pair(loop)
    tcp.start_read(callback)
    peer.close_reset()
    return tcp


@kind("write", 2)
def _(loop, callback, place):
    tcp, _ = place.pair(loop)
    tcp.write(b"x", callback)
    return tcp


@kind("write that waits", 2)
def _(loop, callback, place):
    tcp, peer = place.pair(loop)
    fill(tcp)
    tcp.write(b"x", callback)
    peer.start_read(lambda peer, data, error: None)
    return tcp


@kind("failed write", 2)
def _(loop, callback, place):
    tcp, peer = place.pair(loop)
    fill(tcp)
    tcp.write(b"x", callback)
    peer.close_reset()
    return tcp


@kind("cancelled write", 2)
def _(loop, callback, place):
    tcp, _ = place.pair(loop)
    fill(tcp)
    tcp.write(b"x", callback)
    tcp.close()


@kind("shutdown", 2)
def _(loop, callback, place):
    tcp, _ = place.pair(loop)
    tcp.shutdown(callback)
    return tcp


@kind("cancelled shutdown", 2)
def _(loop, callback, place):
    tcp, _ = place.pair(loop)
    fill(tcp)
    tcp.shutdown(callback)
    tcp.close()


@kind("connection by a name", 2)
def _(loop, callback, place):
    server = place.keep(pyuv.Pipe(loop))
    server.bind(place.folder / "socket")
    server.listen(print)
    client = pyuv.Pipe(loop)
    client.connect(place.folder / "socket", callback)
    return client


@kind("connection by a name that is not there", 2)
def _(loop, callback, place):
    client = pyuv.Pipe(loop)
    client.connect(place.folder / "socket", callback)
    return client


@kind("listener of a name", 2)
def _(loop, callback, place):
    server = pyuv.Pipe(loop)
    server.bind(place.folder / "socket")
    server.listen(callback)
    client = place.stack.enter_context(socket.socket(socket.AF_UNIX))
    client.connect(str(place.folder / "socket"))
    return server


@kind("read from a pipe", 3)
def _(loop, callback, place):
    ours, theirs = place.pipes(loop)
    ours.start_read(callback)
    theirs.write(b"x")
    return ours


@kind("write with a handle", 2)
def _(loop, callback, place):
    ours, _ = place.pipes(loop, True)
    ours.write(b"x", callback, place.keep(listener(loop, print)))
    return ours


@kind("read with a handle", 3)
def _(loop, callback, place):
    ours, theirs = place.pipes(loop, True)
    theirs.start_read(callback)
    ours.write(b"x", None, place.keep(listener(loop, print)))
    return theirs


@kind("read from a terminal", 3)
def _(loop, callback, place):
    master, slave = place.terminal()
    tty = pyuv.TTY(loop, slave)
    tty.start_read(callback)
    os.write(master, b"x\n")
    return tty


@kind("write to a terminal", 2)
def _(loop, callback, place):
    tty = pyuv.TTY(loop, place.terminal()[1])
    tty.write(b"x", callback)
    return tty


# Datagrams.


def udp(loop):
    handle = pyuv.UDP(loop)
    handle.bind(LOCALHOST)
    return handle


@kind("datagram sent", 2)
def _(loop, callback, place):
    handle = udp(loop)
    handle.send(handle.getsockname(), b"x", callback)
    return handle


@kind("datagram not sent", 2)
def _(loop, callback, place):
    handle = udp(loop)
    handle.send(handle.getsockname(), bytes(70_000), callback)
    return handle


@kind("cancelled datagram", 2)
def _(loop, callback, place):
    ours, _ = place.sockets(socket.SOCK_DGRAM)
    handle = pyuv.UDP(loop)
    handle.open(ours.detach())
    with suppress(pyuv.error.UDPError):
        while True:
            handle.try_send(None, b"filler")
    handle.send(None, b"x", callback)
    handle.close()


@kind("datagram received", 5)
def _(loop, callback, place):
    handle = udp(loop)
    handle.start_recv(callback)
    handle.send(handle.getsockname(), b"x")
    return handle


@kind("error received", 5)
def _(loop, callback, place):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(LOCALHOST)
        address = gone.getsockname()
    handle = udp(loop)
    handle.connect(address)
    handle.start_recv(callback)
    handle.try_send(None, b"x")
    return handle


# Processes and files.


@kind("end of a process", 3)
def _(loop, callback, place):
    return pyuv.Process.spawn(loop, [sys.executable, "-c", ""], exit_callback=callback)


@kind("file event", 4)
def _(loop, callback, place):
    handle = fs.FSEvent(loop)
    handle.start(str(place.folder), 0, callback)
    (place.folder / "file").touch()
    return handle


@kind("file change", 4)
def _(loop, callback, place):
    def change(timer):
        path.write_bytes(path.read_bytes() + b"x")

    path = place.folder / "file"
    path.touch()
    handle = fs.FSPoll(loop)
    handle.start(str(path), 0.001, callback)
    place.keep(pyuv.Timer(loop)).start(change, 0.001, 0.001)
    return handle


@kind("file that is not there", 4)
def _(loop, callback, place):
    handle = fs.FSPoll(loop)
    handle.start(str(place.folder / "file"), 0.001, callback)
    return handle


@kind("file operation", 1)
def _(loop, callback, place):
    fs.stat(loop, place.folder, callback)


@kind("failed file operation", 1)
def _(loop, callback, place):
    fs.stat(loop, place.folder / "file", callback)


@kind("cancelled file operation", 1)
def _(loop, callback, place):
    fs.stat(loop, place.folder, callback).cancel()


@kind("folder opened", 1)
def _(loop, callback, place):
    fs.opendir(loop, place.folder, callback)


@kind("work", 0)
def _(loop, callback, place):
    loop.queue_work(callback)


@kind("end of work", 1)
def _(loop, callback, place):
    loop.queue_work(lambda: None, callback)


# Names.


@kind("getaddrinfo", 2)
def _(loop, callback, place):
    dns.getaddrinfo(loop, "127.0.0.1", callback=callback)


@kind("failed getaddrinfo", 2)
def _(loop, callback, place):
    dns.getaddrinfo(loop, "no address", flags=socket.AI_NUMERICHOST, callback=callback)


@kind("getnameinfo", 2)
def _(loop, callback, place):
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    dns.getnameinfo(loop, ("127.0.0.1", 80), numeric, callback)


NAME = "www.example.com"
ASKED = {
    "query": lambda channel, callback: channel.query(NAME, "A", callback),
    "failed query": lambda channel, callback: channel.query("servfail.example.com", "A", callback),
    "search": lambda channel, callback: channel.search(NAME, "A", callback),
    "message": lambda channel, callback: channel.send(
        dns.Message(question=[dns.Question(NAME, "A")], flags=dns.Flags.RD), callback
    ),
    "gethostbyname": lambda channel, callback: channel.gethostbyname(NAME, socket.AF_INET, callback),
    "gethostbyaddr": lambda channel, callback: channel.gethostbyaddr("127.0.0.1", callback),
    "getaddrinfo of a channel": lambda channel, callback: channel.getaddrinfo(NAME, None, callback),
    "getnameinfo of a channel": lambda channel, callback: channel.getnameinfo(("127.0.0.1", 80), 0, callback),
}

for name, ask in ASKED.items():

    @kind(name, 2)
    def _(loop, callback, place, ask=ask):
        ask(place.make_channel(lookups="b"), callback)


@kind("cancelled query", 2)
def _(loop, callback, place):
    channel = place.make_channel()
    channel.query("timeout.example.com", "A", callback)
    channel.cancel()


@kind("query of a closed channel", 2)
def _(loop, callback, place):
    channel = place.make_channel()
    channel.query("timeout.example.com", "A", callback)
    channel.close()


@kind("new configuration", 2)
def _(loop, callback, place):
    place.make_channel().reinit(callback)


@kind("state of a server", 3)
def _(loop, callback, place):
    channel = place.make_channel(lookups="b")
    channel.server_state_callback = callback
    channel.query(NAME, "A", lambda result, error: None)
