"""The ways to call `write`: `bytes` that nobody waits for take a short one, all others the general one."""

import contextlib
import inspect
import socket

import pytest
import pyuv
from pyuv import TCP, TTY, Pipe, Stream, errno, util
from pyuv.error import HandleClosedError, PipeError, TCPError
from streams import connected, fill, read_all

CLASSES = [TCP, Pipe, TTY]


@pytest.fixture
def pair(loop):
    return connected(loop)


class Bytes(bytes):
    pass


class Loud(TCP):
    """A subclass with a `write` of its own."""

    def write(self, data, *rest, **named):
        super().write(data.upper(), *rest, **named)


@pytest.mark.parametrize(
    "write",
    [
        lambda tcp: tcp.write(b"hello"),
        lambda tcp: tcp.write(data=b"hello"),
        lambda tcp: tcp.write(b"hello", None),
        lambda tcp: tcp.write(b"hello", callback=None),
        lambda tcp: tcp.write(callback=None, data=b"hello"),
        lambda tcp: tcp.write(Bytes(b"hello")),
        lambda tcp: TCP.write(tcp, b"hello"),
        lambda tcp: Stream.write(tcp, b"hello"),
        lambda tcp: Stream.write(tcp, data=b"hello"),
    ],
)
def test_every_way_to_say_it(loop, pair, write):
    tcp, peer = pair
    assert write(tcp) is None
    tcp.close()
    assert read_all(loop, peer) == b"hello"


@pytest.mark.parametrize("arguments", [(), (b"1", None, None, None), ("text",), (7,), (b"1", 7)])
def test_wrong_arguments(pair, arguments):
    tcp, _ = pair
    with pytest.raises(TypeError):
        tcp.write(*arguments)
    with pytest.raises(TypeError):
        tcp.write(b"1", unknown=1)


def test_a_subclass_calls_it_by_super(loop):
    tcp, peer = connected(loop, Loud)
    tcp.write(b"ab")
    tcp.write(b"cd", lambda tcp, error: tcp.close())
    assert read_all(loop, peer) == b"ABCD"


def test_it_is_called_on_its_own_class_alone(loop, pair):
    tcp, _ = pair
    pipe = Pipe(loop)
    for method, handle in [(TCP.write, pipe), (Pipe.write, tcp), (TTY.write, tcp), (TCP.write, object())]:
        with pytest.raises(TypeError):
            method(handle, b"data")


def test_a_class_without_init(loop):
    with pytest.raises(RuntimeError, match="__init__ was not called"):
        TCP.__new__(TCP).write(b"data")


def test_bytes_that_go_out_in_part(loop, pair):
    tcp, peer = pair
    data = bytes(range(256)) * (1 << 15)
    tcp.write(data)
    assert 0 < tcp.write_queue_size < len(data)
    tcp.write(b"")
    tcp.write(b"the end")
    tcp.shutdown(lambda tcp, error: tcp.close())
    assert read_all(loop, peer) == data + b"the end"


def test_bytes_behind_a_full_buffer(loop, pair):
    tcp, peer = pair
    fill(tcp)
    queued = tcp.write_queue_size
    tcp.write(b"waits")
    assert tcp.write_queue_size == queued + 5
    tcp.shutdown(lambda tcp, error: tcp.close())
    assert read_all(loop, peer).strip(b"\0") == b"waits"


def test_what_is_wrong_is_said(loop, pair):
    tcp, _ = pair
    for stream, error in [(TCP(loop), TCPError), (Pipe(loop), PipeError)]:
        with pytest.raises(error) as raised:
            stream.write(b"data")
        assert raised.value.args[0] == errno.UV_EBADF
    tcp.shutdown()
    with pytest.raises(TCPError) as raised:
        tcp.write(b"data")
    assert raised.value.args[0] == errno.UV_EPIPE
    tcp.close()
    with pytest.raises(HandleClosedError):
        tcp.write(b"data")


def test_a_handle_goes_along(loop):
    near, far = (Pipe(loop, True) for _ in range(2))
    for pipe, fd in zip((near, far), util.socketpair(), strict=True):
        pipe.open(fd)
    sent = TCP(loop)
    sent.bind(("127.0.0.1", 0))
    arrived = []
    far.start_read(lambda pipe, data, error: arrived.append((data, pipe.pending_handle_type())))
    near.write(b"x", None, sent)
    near.write(b"y", handle=sent)
    while sum(len(data) for data, _ in arrived) < 2:
        loop.run(pyuv.UV_RUN_ONCE)
    assert arrived[0][1] == pyuv.UV_TCP


@pytest.mark.parametrize("kind", CLASSES)
def test_it_says_what_it_takes(kind):
    general = Pipe if kind is Pipe else Stream
    assert list(inspect.signature(kind.write).parameters)[:3] == ["self", "data", "callback"]
    assert kind.write.__doc__.splitlines()[0].startswith("Writes ")
    assert kind.write.__qualname__ == f"{kind.__name__}.write"
    assert (kind.write.__doc__ == Stream.write.__doc__) == (general is Stream)


class DoesAsItGoes(bytes):
    """Data that runs something when it is let go."""

    function = None

    def __del__(self):
        self.function()


class MadeNow:
    """A sequence whose items nobody else has."""

    def __init__(self, function, count=1):
        self.function, self.count = function, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index >= self.count:
            raise IndexError
        item = DoesAsItGoes(b"x")
        item.function = self.function
        return item


@pytest.mark.parametrize("outcome", ["refused", "at once", "queued", "failed"])
@pytest.mark.parametrize("count", [1, 3])
def test_data_that_runs_the_loop_as_it_goes_mixes_no_callbacks_up(loop, outcome, count):
    ours, theirs = socket.socketpair()
    pipe, told, written = pyuv.Pipe(loop, True), [], []
    pipe.open(ours.detach())

    def write(name, data=b"x", *arguments):
        pipe.write(data, lambda pipe, error: told.append(name), *arguments)
        written.append(name)

    def more():
        with contextlib.suppress(pyuv.error.PipeError):
            write(f"more {len(written)}")
        # Refused inside of a callback.
        with contextlib.suppress(RuntimeError):
            loop.run(pyuv.UV_RUN_NOWAIT)

    if outcome == "queued":
        fill(pipe)
    elif outcome == "failed":
        theirs.close()
    if outcome == "refused":
        with pytest.raises(pyuv.error.PipeError):
            write("refused", MadeNow(more, count), pyuv.TCP(loop))
    else:
        pipe.write(MadeNow(more, count), lambda pipe, error: told.append("data"))
        written.append("data")
    write("D")
    write("E")
    for _ in range(100):
        with contextlib.suppress(OSError):
            while theirs.recv(1 << 20, socket.MSG_DONTWAIT):
                pass
        loop.run(pyuv.UV_RUN_NOWAIT)
    assert sorted(told) == sorted(written)
    assert told.index("D") < told.index("E")
    pipe.close()
    theirs.close()
    loop.run()
