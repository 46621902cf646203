"""Handles that are sent over pipes."""

import array
import os
import socket

import pytest
import pyuv
from pyuv import errno
from pyuv.error import PipeError
from streams import LOCALHOST, connected, fill, listener, read_all, run_until

from util import Recorder, collect, finish, in_child, open_fds, start_child


@pytest.fixture
def channel(loop):
    """The two ends of a pipe for handles."""
    ends = [pyuv.Pipe(loop, True), pyuv.Pipe(loop, True)]
    for end, fd in zip(ends, pyuv.util.socketpair(), strict=True):
        end.open(fd)
    return ends


def receive(loop, pipe, count=1):
    """Read until `count` handles wait."""
    pipe.start_read(lambda pipe, data, error: None)
    run_until(loop, lambda: pipe.pending_count() >= count)
    pipe.stop_read()


def test_a_listener_is_sent_and_listens_there(loop, channel):
    ours, theirs = channel
    server = pyuv.TCP(loop)
    server.bind(LOCALHOST)
    ours.write(b"take it", done := Recorder(), server)
    receive(loop, theirs)
    run_until(loop, lambda: len(done))
    assert done.calls == [(ours, None)]
    assert theirs.pending_handle_type() == pyuv.UV_TCP
    address = server.getsockname()
    server.close()
    received = pyuv.TCP(loop)
    theirs.accept(received)
    assert theirs.pending_handle_type() == pyuv.UV_UNKNOWN_HANDLE
    assert received.getsockname() == address
    received.listen(announced := Recorder())
    with socket.create_connection(address):
        run_until(loop, lambda: len(announced))


def test_a_connection_and_a_pipe_are_sent_in_order(loop, channel):
    ours, theirs = channel
    tcp, peer = connected(loop)
    pipe = pyuv.Pipe(loop)
    fd, other = pyuv.util.socketpair()
    pipe.open(fd)
    ours.write(b"x", None, tcp)
    assert ours.try_write2([b"y", b"z"], pipe) == 2
    receive(loop, theirs, 2)
    tcp.close()
    pipe.close()
    types = []
    for kind in (pyuv.TCP, pyuv.Pipe):
        types.append(theirs.pending_handle_type())
        received = kind(loop)
        theirs.accept(received)
        received.write(b"hello")
        received.shutdown()
        if kind is pyuv.TCP:
            assert read_all(loop, peer) == b"hello"
    assert types == [pyuv.UV_TCP, pyuv.UV_NAMED_PIPE]
    with socket.socket(fileno=other) as sock:
        assert sock.recv(100) == b"hello"


def test_a_handle_is_kept_while_it_waits_to_be_sent(loop, channel):
    ours, theirs = channel
    fill(ours)
    server = listener(loop, print)
    address = server.getsockname()
    ours.write(b"x", None, server)
    server.stop_read()
    del server
    collect()
    receive(loop, theirs)
    received = pyuv.TCP(loop)
    theirs.accept(received)
    assert received.getsockname() == address


def test_a_handle_closed_while_it_waits_is_an_error(loop, channel):
    ours, theirs = channel
    fill(ours)
    server = pyuv.TCP(loop)
    server.bind(LOCALHOST)
    ours.write(b"x", done := Recorder(), server)
    server.close()
    del server
    theirs.start_read(lambda pipe, data, error: None)
    run_until(loop, lambda: len(done))
    assert done.calls == [(ours, errno.UV_EBADF)]


def test_what_cannot_be_sent(loop, channel):
    ours, _ = channel
    plain = pyuv.Pipe(loop)
    fd, other = pyuv.util.socketpair()
    plain.open(fd)
    os.close(other)
    server, fresh, closed = pyuv.TCP(loop, socket.AF_INET), pyuv.TCP(loop), pyuv.TCP(loop)
    closed.close()
    stranger = pyuv.TCP(pyuv.Loop(), socket.AF_INET)
    for pipe, data, handle, code in (
        (plain, b"x", server, errno.UV_EINVAL),
        (ours, b"", server, errno.UV_EINVAL),
        (ours, b"x", stranger, errno.UV_EINVAL),
        (ours, b"x", fresh, errno.UV_EBADF),
        (ours, b"x", closed, errno.UV_EBADF),
    ):
        with pytest.raises(PipeError) as caught:
            pipe.write(data, None, handle)
        assert caught.value.args[0] == code
        with pytest.raises(PipeError) as caught:
            pipe.try_write2(data, handle)
        assert caught.value.args[0] == code
    for handle in (pyuv.Timer(loop), 1, "x", server.fileno()):
        with pytest.raises(TypeError):
            ours.write(b"x", None, handle)


def test_accept_of_the_wrong_type_leaves_the_handle_waiting(loop, channel):
    ours, theirs = channel
    ours.write(b"x", None, pyuv.TCP(loop, socket.AF_INET))
    receive(loop, theirs)
    with pytest.raises(PipeError, match="TCP") as caught:
        theirs.accept(pyuv.Pipe(loop))
    assert caught.value.args[0] == errno.UV_EINVAL
    assert theirs.pending_count() == 1
    theirs.accept(pyuv.TCP(loop))
    with pytest.raises(PipeError) as caught:
        theirs.accept(pyuv.TCP(loop))
    assert caught.value.args[0] == errno.UV_EAGAIN


def test_a_file_that_no_handle_can_take_is_closed(loop, tmp_path):
    ours, theirs = socket.socketpair()
    pipe = pyuv.Pipe(loop, True)
    pipe.open(theirs.detach())
    with ours, (tmp_path / "file").open("w") as file, socket.create_server(LOCALHOST) as server:
        fds = array.array("i", [file.fileno(), server.fileno()])
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        receive(loop, pipe, 2)
        before = open_fds()
        received = pyuv.TCP(loop)
        with pytest.raises(PipeError, match="file"):
            pipe.accept(received)
        assert open_fds() == before - 1
        pipe.accept(received)
        assert received.getsockname() == server.getsockname()


def test_handles_that_nobody_accepts_are_closed_with_the_pipe(loop):
    pyuv.Pipe(loop).close()  # the loop takes a descriptor in reserve with its first stream
    loop.run()
    before = open_fds()
    ends = [pyuv.Pipe(loop, True), pyuv.Pipe(loop, True)]
    for end, fd in zip(ends, pyuv.util.socketpair(), strict=True):
        end.open(fd)
    sent = pyuv.TCP(loop, socket.AF_INET)
    for _ in range(20):
        ends[0].write(b"x", None, sent)
    receive(loop, ends[1], 20)
    assert open_fds() >= before + 23
    for handle in (*ends, sent):
        handle.close()
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert open_fds() == before


UNREAD = """
import socket, pyuv
loop = pyuv.Loop()
ours, theirs = pyuv.Pipe(loop, True), pyuv.Pipe(loop, True)
for end, fd in zip((ours, theirs), pyuv.util.socketpair()):
    end.open(fd)
ours.write(b"x", None, pyuv.TCP(loop, socket.AF_INET))
theirs.start_read(lambda pipe, data, error: pipe.stop_read())
loop.run()
theirs.accept(pyuv.TCP(loop))
ours.write(b"unread")
before = loop.metrics().loop_count
pyuv.Timer(loop).start(lambda timer: timer.close(), 0.05)
loop.run()
print(loop.metrics().loop_count - before)
"""


def test_a_pipe_that_accepts_and_does_not_read_lets_the_loop_sleep():
    # In a process of its own: the kernel interrupts a sleep once for each io_uring of loops that are gone.
    (turns,) = in_child(UNREAD)
    assert int(turns) < 10


def test_a_pipe_for_handles_cannot_listen(loop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pipe = pyuv.Pipe(loop, True)
    pipe.bind("socket")
    with pytest.raises(PipeError) as caught:
        pipe.listen(print)
    assert caught.value.args[0] == errno.UV_EINVAL


RECEIVER = """
import sys, pyuv
loop = pyuv.Loop()
channel = pyuv.Pipe(loop, True)
channel.open(int(sys.argv[1]))
kinds = {pyuv.UV_TCP: pyuv.TCP, pyuv.UV_NAMED_PIPE: pyuv.Pipe, pyuv.UV_UDP: pyuv.UDP}
def on_data(handle, data, error):
    handle.write(b"the child heard " + data, lambda handle, error: handle.close())
def on_datagram(handle, address, flags, data, error):
    handle.send(address, b"the child heard " + data, lambda handle, error: handle.close())
def on_read(channel, data, error):
    handle = kinds[channel.pending_handle_type()](loop)
    channel.accept(handle)
    if isinstance(handle, pyuv.UDP):
        handle.start_recv(on_datagram)
    else:
        handle.start_read(on_data)
    channel.close()
channel.start_read(on_read)
loop.run()
"""


def connection(loop):
    tcp, peer = connected(loop)
    return peer, socket.socket(fileno=os.dup(tcp.fileno()))


def pipe(loop):
    ours, theirs = socket.socketpair()
    handle = pyuv.Pipe(loop)
    handle.open(theirs.detach())
    return handle, ours


def datagrams(loop):
    handle = pyuv.UDP(loop)
    handle.bind(LOCALHOST)
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.connect(handle.getsockname())
    return handle, peer


@pytest.mark.parametrize("make", [connection, pipe, datagrams])
def test_a_handle_goes_to_another_process(loop, make):
    ours, theirs = socket.socketpair()
    child = start_child(RECEIVER, theirs.fileno(), pass_fds=[theirs.fileno()])
    theirs.close()
    channel = pyuv.Pipe(loop, True)
    channel.open(ours.detach())
    handle, peer = make(loop)
    channel.write(b"x", done := Recorder(lambda *_: handle.close()), handle)
    run_until(loop, lambda: len(done))
    assert done.calls == [(channel, None)]
    with peer:
        peer.setblocking(True)
        peer.settimeout(20)
        peer.send(b"this")
        assert peer.recv(100) == b"the child heard this"
    assert finish(child) == []


def test_a_listener_goes_to_another_process(loop):
    ours, theirs = socket.socketpair()
    server = listener(loop, print)
    program = """
    import sys, pyuv
    loop = pyuv.Loop()
    channel = pyuv.Pipe(loop, True)
    channel.open(int(sys.argv[1]))
    def on_connection(server, error):
        client = pyuv.TCP(loop)
        server.accept(client)
        client.write(b"from the child", lambda client, error: client.close())
        server.close()
        channel.close()
    def on_read(channel, data, error):
        server = pyuv.TCP(loop)
        channel.accept(server)
        server.listen(on_connection)
        channel.write(b"ready")
    channel.start_read(on_read)
    loop.run()
    """
    child = start_child(program, theirs.fileno(), pass_fds=[theirs.fileno()])
    theirs.close()
    channel = pyuv.Pipe(loop, True)
    channel.open(ours.detach())
    address = server.getsockname()
    channel.write(b"x", lambda channel, error: server.close(), server)
    channel.start_read(ready := Recorder())
    run_until(loop, lambda: len(ready))
    with socket.create_connection(address) as client:
        assert client.recv(100) == b"from the child"
    assert finish(child) == []


def test_no_order_of_messages_on_the_channel_ends_the_process():
    program = """
    import array, os, random, socket, pyuv
    dice = random.Random(7)
    for round in range(50):
        loop = pyuv.Loop()
        pipe = pyuv.Pipe(loop, True)
        ours, theirs = socket.socketpair()
        pipe.open(theirs.detach())
        read, write = os.pipe()
        def on_read(pipe, data, error):
            if dice.random() < 0.7:
                try:
                    pipe.accept(dice.choice([pyuv.TCP, pyuv.Pipe])(loop))
                except pyuv.error.PipeError:
                    pass
            dice.choice([lambda: None, pipe.stop_read, pipe.close])()
        pipe.start_read(on_read)
        for _ in range(5):
            fds = array.array("i", dice.choices([read, write, ours.fileno(), 0, 1], k=dice.randrange(4)))
            try:
                ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else [])
            except BrokenPipeError:
                break
            loop.run(pyuv.UV_RUN_NOWAIT)
        for fd in (read, write):
            os.close(fd)
        ours.close()
        loop.run(pyuv.UV_RUN_NOWAIT)
    print("alive")
    """
    assert in_child(program) == ["alive"]
