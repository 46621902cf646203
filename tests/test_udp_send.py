"""UDP: sending."""

import array
import contextlib
import mmap
import os
import socket
import weakref

import pytest
import pyuv
from pyuv import errno
from pyuv.error import UDPError

from util import Recorder, collect, time_limit

LOCAL = ("127.0.0.1", 0)


@pytest.fixture
def udp(loop):
    return pyuv.UDP(loop)


@pytest.fixture
def peer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(LOCAL)
        sock.settimeout(20)
        yield sock


def fill(udp):
    """Sends until the socket has no room left."""
    with contextlib.suppress(UDPError):
        while True:
            udp.try_send(None, b"filler")


@pytest.fixture
def full(loop):
    """A handle whose socket has no room left, and the other end. (Of a local pair: UDP drops instead.)"""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.settimeout(20)
    udp = pyuv.UDP(loop)
    udp.open(ours.detach())
    with theirs:
        fill(udp)
        yield udp, theirs


def drain(sock):
    """What has arrived, without the filler."""
    sock.setblocking(False)
    arrived = []
    while True:
        try:
            arrived.append(sock.recv(70_000))
        except BlockingIOError:
            return [data for data in arrived if data != b"filler"]


def mapped(content):
    memory = mmap.mmap(-1, len(content))
    memory.write(content)
    return memory


@pytest.mark.parametrize(
    "data",
    [
        b"datagram",
        bytearray(b"datagram"),
        memoryview(b"-datagram-")[1:-1],
        array.array("B", b"datagram"),
        mapped(b"datagram"),
        [b"data", b"", bytearray(b"gram")],
        (b"data", memoryview(b"gram")),
        [bytes([byte]) for byte in b"datagram"],
    ],
    ids=["bytes", "bytearray", "memoryview", "array", "mmap", "list", "tuple", "pieces"],
)
def test_any_buffers_are_one_datagram(loop, udp, peer, data):
    sent = Recorder()
    udp.send(peer.getsockname(), data)
    udp.send(peer.getsockname(), data, sent)
    assert udp.send_queue_size == 8
    loop.run()
    assert sent.calls == [(udp, None)]
    assert udp.try_send(peer.getsockname(), data) == 8
    assert udp.try_send2([(peer.getsockname(), data)]) == 1
    assert [peer.recv(99) for _ in range(4)] == [b"datagram"] * 4


def test_thousands_of_pieces_are_one_datagram(loop, udp, peer):
    pieces = [bytes([number % 256]) for number in range(5000)]
    udp.send(peer.getsockname(), pieces)
    udp.send(peer.getsockname(), pieces, lambda udp, error: None)
    loop.run()
    assert [peer.recv(9999) for _ in range(2)] == [b"".join(pieces)] * 2


@pytest.mark.parametrize("data", ["text", 1, None, object(), [b"x", "y"], {1: 2}, memoryview(b"abcd")[::2]])
def test_what_is_no_buffer_is_refused(udp, peer, data):
    for call in (
        lambda: udp.send(peer.getsockname(), data),
        lambda: udp.send(peer.getsockname(), data, print),
        lambda: udp.try_send(peer.getsockname(), data),
        lambda: udp.try_send2([(peer.getsockname(), data)]),
    ):
        with pytest.raises((TypeError, BufferError)):
            call()
    assert udp.send_queue_count == 0


def test_no_buffers_are_a_value_error(udp, peer):
    for callback in (None, print):
        with pytest.raises(ValueError, match="empty"):
            udp.send(peer.getsockname(), [], callback)
    with pytest.raises(ValueError, match="empty"):
        udp.try_send2([(peer.getsockname(), [])])


def test_the_callback_comes_later_and_once(loop, udp, peer):
    sent = Recorder()
    udp.send(peer.getsockname(), b"abc", sent)
    assert sent.calls == []
    assert (udp.send_queue_count, udp.send_queue_size) == (1, 3)
    loop.run()
    assert sent.calls == [(udp, None)]
    assert (udp.send_queue_count, udp.send_queue_size) == (0, 0)
    loop.run()
    assert len(sent) == 1


def test_callbacks_keep_the_order_of_the_sends(loop, udp, peer):
    order = []
    for number in range(100):
        udp.send(
            peer.getsockname(), str(number).encode(), lambda udp, error, n=number: order.append((n, error))
        )
    loop.run()
    assert order == [(number, None) for number in range(100)]
    assert [peer.recv(9) for _ in range(100)] == [str(number).encode() for number in range(100)]


@pytest.mark.parametrize("callback", [1, "print", b""])
def test_what_cannot_be_called_is_a_type_error(udp, peer, callback):
    with pytest.raises(TypeError):
        udp.send(peer.getsockname(), b"", callback)


def test_sending_binds_to_any_port(loop, udp, peer):
    udp.send(peer.getsockname(), b"x")
    assert peer.recvfrom(9) == (b"x", ("127.0.0.1", udp.getsockname()[1]))


def test_a_family_that_does_not_fit_is_an_error(loop, peer):
    udp = pyuv.UDP(loop, socket.AF_INET)
    for call in (udp.send, udp.try_send):
        with pytest.raises(UDPError, match="::1") as caught:
            call(("::1", 9), b"x")
        assert caught.value.args[0] == errno.UV_EAFNOSUPPORT
    failed = Recorder()
    udp.send(("::1", 9), b"x", failed)
    loop.run()
    assert failed.calls == [(udp, errno.UV_EAFNOSUPPORT)]


def test_too_long_a_datagram(loop, udp, peer):
    address = peer.getsockname()
    for call in (udp.send, udp.try_send):
        with pytest.raises(UDPError, match=f"127.0.0.1:{address[1]}") as caught:
            call(address, b"x" * 70_000)
        assert caught.value.args[0] == errno.UV_EMSGSIZE
    failed = Recorder()
    udp.send(address, b"x" * 70_000, failed)
    udp.send(address, b"fits", failed)
    loop.run()
    assert failed.calls == [(udp, errno.UV_EMSGSIZE), (udp, None)]
    assert peer.recv(9) == b"fits"


def test_an_address_is_needed_unless_connected(loop, udp, peer):
    def code(call, *arguments):
        with pytest.raises(UDPError) as caught:
            call(*arguments)
        return caught.value.args[0]

    address = peer.getsockname()
    calls = [udp.send, udp.try_send, lambda *a: udp.send(*a, print), lambda *a: udp.try_send2([a])]
    for call in calls:
        assert code(call, None, b"x") == errno.UV_EDESTADDRREQ
    udp.connect(address)
    for call in calls:
        assert code(call, address, b"x") == errno.UV_EISCONN
    udp.send(None, b"a")
    udp.send(None, b"b", lambda udp, error: None)
    loop.run()
    assert udp.try_send(None, b"c") == 1
    assert udp.try_send2([(None, b"d"), (None, b"e")]) == 2
    assert [peer.recv(9) for _ in range(5)] == [b"a", b"b", b"c", b"d", b"e"]
    udp.disconnect()
    assert code(udp.send, None, b"x") == errno.UV_EDESTADDRREQ
    udp.send(address, b"f")
    assert peer.recv(9) == b"f"


def test_waiting_sends_are_cancelled_at_close(loop, udp, peer):
    sent, closed = Recorder(), Recorder()
    for _ in range(3):
        udp.send(peer.getsockname(), b"x", sent)
    udp.close(closed)
    assert sent.calls == []
    loop.run()
    # The first had gone out.
    assert sent.calls == [(udp, None), (udp, errno.UV_ECANCELED), (udp, errno.UV_ECANCELED)]
    assert closed.calls == [(udp,)]


def test_a_full_socket_takes_what_it_can_and_the_rest_later(loop, full):
    udp, theirs = full
    sent = Recorder()
    udp.send(None, b"without a callback")
    udp.send(None, [b"with ", bytearray(b"one")], sent)
    assert (udp.send_queue_count, udp.send_queue_size) == (2, 26)
    with pytest.raises(UDPError) as caught:
        udp.try_send(None, b"too early")
    assert caught.value.args[0] == errno.UV_EAGAIN
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert sent.calls == []
    arrived = drain(theirs)
    with time_limit(loop):
        loop.run()
    assert arrived + drain(theirs) == [b"without a callback", b"with one"]
    assert sent.calls == [(udp, None)]


def test_memory_is_held_while_a_send_waits_and_not_copied(loop, full):
    udp, theirs = full
    memory = bytearray(b"before")
    udp.send(None, memory)
    udp.send(None, memory, lambda udp, error: None)
    with pytest.raises(BufferError):
        memory.append(0)
    memory[:] = b"after-"
    drain(theirs)
    with time_limit(loop):
        loop.run()
    assert drain(theirs) == [b"after-"] * 2
    memory.append(0)


def test_memory_is_released_at_close_and_with_an_abandoned_loop():
    def make():
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        udp = pyuv.UDP(event_loop := pyuv.Loop())
        udp.open(ours.detach())
        fill(udp)
        udp.send(None, memory)
        udp.send(None, memory, print)
        return event_loop, udp, theirs

    memory = bytearray(9)
    event_loop, udp, theirs = make()
    udp.close()
    event_loop.run()
    event_loop.close()
    memory.append(0)
    theirs.close()
    event_loop, udp, theirs = make()
    with pytest.raises(BufferError):
        memory.append(0)
    del event_loop, udp
    collect()
    memory.append(0)
    theirs.close()


def test_a_handle_nobody_holds_sends_what_waits(loop, full):
    udp, theirs = full
    reference = weakref.ref(udp)
    sent = Recorder(lambda udp, error: sent.calls.append(udp.send_queue_count))
    udp.send(None, b"a")
    udp.send(None, b"b", sent)
    loop_handles = loop.handles
    assert loop_handles == [udp]
    del udp, full, loop_handles
    # The fixture's frame has one more reference, to let go of which its tuple is gone.
    drain(theirs)
    with time_limit(loop):
        loop.run()
    assert drain(theirs) == [b"a", b"b"]
    assert sent.calls[0][1] is None
    assert sent.calls[1] == 0
    assert reference() is not None


def test_the_callback_may_send_and_close(loop, udp, peer):
    def first(udp, error):
        assert udp.try_send(peer.getsockname(), b"b") == 1
        udp.send(peer.getsockname(), b"c")
        udp.send(peer.getsockname(), b"d", lambda udp, error: udp.close())
        udp.send(peer.getsockname(), b"e", sent)

    sent = Recorder()
    udp.send(peer.getsockname(), b"a", first)
    loop.run()
    assert sent.calls == [(udp, None)]
    assert [peer.recv(9) for _ in range(5)] == [b"a", b"b", b"c", b"d", b"e"]


def test_an_exception_in_the_callback_goes_to_the_hook(loop, udp, peer):
    def fail(udp, error):
        raise ZeroDivisionError

    raised, sent = Recorder(), Recorder()
    loop.excepthook = raised
    udp.send(peer.getsockname(), b"a", fail)
    udp.send(peer.getsockname(), b"b", sent)
    loop.run()
    assert [kind for kind, _, _ in raised.calls] == [ZeroDivisionError]
    assert sent.calls == [(udp, None)]


def test_an_icmp_error_while_nothing_is_received(loop, udp, peer):
    # libuv asserts that somebody is receiving when a socket that waits to send has an error.
    def first(udp, error):
        with pytest.raises(UDPError) as caught:
            udp.try_send(None, b"takes the error of the first")
        assert caught.value.args[0] == errno.UV_ECONNREFUSED
        udp.try_send(None, b"brings another")
        udp.send(None, b"waits", sent)

    sent = Recorder()
    udp.connect(peer.getsockname())
    peer.close()
    udp.send(None, b"first", first)
    with time_limit(loop):
        loop.run()
    assert sent.calls == [(udp, errno.UV_ECONNREFUSED)]


def test_a_batch_larger_than_libuv_takes(udp, peer):
    texts = [str(number).encode() for number in range(70)]
    assert udp.try_send2((peer.getsockname(), text) for text in texts) == 70
    assert [peer.recv(9) for _ in texts] == texts
    assert udp.try_send2([]) == 0


def test_a_batch_goes_to_many_peers(udp):
    peers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
    for peer in peers:
        peer.bind(LOCAL)
        peer.settimeout(20)
    assert udp.try_send2([(peer.getsockname(), b"x") for peer in peers]) == 30
    for peer in peers:
        assert peer.recv(9) == b"x"
        peer.close()


def test_a_batch_ends_where_one_cannot_be_sent(udp, peer):
    address = peer.getsockname()
    long = (address, b"x" * 70_000)
    for good in (1, 19, 20, 21, 45):
        assert udp.try_send2([(address, b"ok")] * good + [long, (address, b"never")]) == good
        assert [peer.recv(9) for _ in range(good)] == [b"ok"] * good
    with pytest.raises(UDPError) as caught:
        udp.try_send2([long, (address, b"never")])
    assert caught.value.args[0] == errno.UV_EMSGSIZE
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(9)


def test_a_batch_on_a_full_socket(loop, full):
    udp, theirs = full
    with pytest.raises(UDPError) as caught:
        udp.try_send2([(None, b"a"), (None, b"b")])
    assert caught.value.args[0] == errno.UV_EAGAIN
    theirs.recv(99)
    assert udp.try_send2([(None, b"a"), (None, b"b")]) == 1


@pytest.mark.parametrize("datagrams", [1, None, [b"x"], [(LOCAL,)], [(LOCAL, b"x", 1)], [("a", b"x")]])
def test_what_is_no_batch_is_a_type_error(udp, datagrams):
    with pytest.raises(TypeError):
        udp.try_send2(datagrams)


def test_a_broadcast_needs_leave(udp):
    udp.bind(("0.0.0.0", 0))
    with pytest.raises(UDPError) as caught:
        udp.try_send(("<broadcast>", udp.getsockname()[1]), b"x")
    assert caught.value.args[0] == errno.UV_EACCES
    udp.set_broadcast(True)
    with socket.socket(fileno=os.dup(udp.fileno())) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST) == 1
