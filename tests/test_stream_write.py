"""Writing to a stream, whichever kind it is: a TCP connection stands for all."""

import array
import mmap
import socket
import sys
import weakref

import pytest
import pyuv
from pyuv import errno
from pyuv.error import HandleClosedError, TCPError
from streams import connected, fill, read_all

from util import Recorder, collect, time_limit

LARGE = bytes(range(256)) * (1 << 14)


@pytest.fixture
def pair(loop):
    return connected(loop)


def test_what_is_written_arrives_whole_and_in_order(loop, pair):
    tcp, peer = pair
    done = Recorder()
    for number in range(100):
        tcp.write(bytes([number]) * number, done)
    tcp.write(LARGE, done)
    tcp.shutdown(lambda tcp, error: tcp.close())
    received = read_all(loop, peer)
    assert received == b"".join(bytes([n]) * n for n in range(100)) + LARGE
    assert done.calls == [(tcp, None)] * 101


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        bytearray(b"hello"),
        memoryview(b"hello"),
        memoryview(b"xhellox")[1:-1],
        array.array("B", b"hello"),
        [b"hel", b"lo"],
        (bytearray(b"he"), b"", memoryview(b"llo")),
        [b"h", b"e", b"l", b"l", b"o"],
    ],
)
def test_any_buffer_and_sequence_of_buffers_can_be_written(loop, pair, data):
    tcp, peer = pair
    tcp.write(data)
    assert tcp.try_write(data) == 5
    tcp.close()
    assert read_all(loop, peer) == b"hellohello"


def test_more_pieces_than_one_system_call_takes(loop, pair):
    tcp, peer = pair
    done = Recorder(lambda tcp, error: tcp.close())
    tcp.write([b"%05d" % number for number in range(5000)], done)
    assert read_all(loop, peer) == b"".join(b"%05d" % number for number in range(5000))
    assert done.calls == [(tcp, None)]


@pytest.mark.parametrize("data", ["text", 1, None, object(), [1], [b"x", "y"], "", ["x"]])
def test_what_is_no_buffer_is_a_type_error(pair, data):
    with pytest.raises(TypeError):
        pair[0].write(data)
    with pytest.raises(TypeError):
        pair[0].try_write(data)


def test_no_buffer_at_all_is_a_value_error(pair):
    for data in ([], ()):
        with pytest.raises(ValueError, match="empty"):
            pair[0].write(data)


def test_memory_that_is_not_contiguous_is_refused(pair):
    with pytest.raises(BufferError):
        pair[0].write(memoryview(b"hello")[::2])


def test_a_callback_must_be_callable(pair):
    with pytest.raises(TypeError, match="'nothing'"):
        pair[0].write(b"x", "nothing")


@pytest.mark.parametrize("data", [b"x", LARGE, b""])
def test_the_callback_comes_later_and_never_inside_the_call(loop, pair, data):
    tcp, peer = pair
    inside = []

    def on_timer(timer):
        inside.append(True)
        tcp.write(data, lambda tcp, error: inside.append(error))
        assert inside == [True]
        inside.append(False)

    pyuv.Timer(loop).start(on_timer, 0)
    peer.start_read(lambda peer, data, error: None)
    with time_limit(loop):
        while len(inside) < 3:
            loop.run(pyuv.UV_RUN_ONCE)
    assert inside == [True, False, None]


def test_a_write_outside_run_ends_in_the_next_run(loop):
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with theirs:
        pipe = pyuv.Pipe(loop)
        pipe.open(ours.detach())
        done = Recorder()
        pipe.write(b"x", done)
        assert theirs.recv(10) == b"x"
        assert loop.alive
        assert len(done) == 0
        assert loop.run() is False
        assert done.calls == [(pipe, None)]


def test_callbacks_keep_the_order_of_the_writes(loop, pair):
    tcp, peer = pair
    order = []
    tcp.write(b"first", lambda *_: order.append("at once"))
    fill(tcp)
    tcp.write(b"second", lambda *_: order.append("queued"))
    tcp.write(b"third", lambda *_: order.append("queued too"))
    peer.start_read(lambda peer, data, error: None)
    tcp.shutdown(lambda tcp, error: order.append("shutdown"))
    with time_limit(loop):
        while len(order) < 4:
            loop.run(pyuv.UV_RUN_ONCE)
    assert order == ["at once", "queued", "queued too", "shutdown"]


def test_a_callback_that_writes_again_does_not_starve_others(loop, pair):
    tcp, peer = pair
    writes = Recorder(lambda tcp, error: tcp.write(b"x", writes))
    peer.start_read(lambda peer, data, error: None)
    tcp.write(b"x", writes)
    pyuv.Timer(loop).start(lambda timer: loop.stop(), 0.02)
    with time_limit(loop):
        loop.run()
    assert len(writes) > 2


def test_buffers_are_held_until_they_have_gone_out(loop, pair):
    tcp, peer = pair
    fill(tcp)
    memory = bytearray(b"held")
    tcp.write(memory)
    with pytest.raises(BufferError):
        memory.extend(b"x" * 100)
    tcp.shutdown(lambda tcp, error: tcp.close())
    assert read_all(loop, peer).endswith(b"held")
    memory.extend(b"x" * 100)


def test_a_buffer_that_went_out_at_once_is_free_at_once(pair):
    memory = bytearray(b"free")
    pair[0].write(memory)
    memory.extend(b"x" * 100)


def test_a_mapping_can_be_written_and_closed_afterwards(loop, pair):
    tcp, peer = pair
    fill(tcp)
    with mmap.mmap(-1, 4096) as mapping:
        mapping[:4] = b"page"
        tcp.write([memoryview(mapping)[:4]])
        tcp.shutdown(lambda tcp, error: tcp.close())
        assert read_all(loop, peer).endswith(b"page")
        collect()


def test_the_queue_size_counts_what_waits(loop, pair):
    tcp, peer = pair
    assert tcp.write_queue_size == 0
    fill(tcp)
    before = tcp.write_queue_size
    tcp.write([b"x" * 10, b"y" * 20])
    assert tcp.write_queue_size == before + 30
    tcp.shutdown(lambda tcp, error: tcp.close())
    read_all(loop, peer)


def test_what_waits_takes_the_memory_that_its_caller_has_given_and_no_more(loop, pair):
    tcp, _ = pair
    fill(tcp)
    before, resident = tcp.write_queue_size, pyuv.util.resident_set_memory()
    for _ in range(200):
        tcp.write(LARGE)
    assert tcp.write_queue_size == before + 200 * len(LARGE)
    # 800 MiB wait, all of them the same 4.
    assert pyuv.util.resident_set_memory() < resident + 4 * len(LARGE)
    references = sys.getrefcount(LARGE)
    tcp.close()
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert sys.getrefcount(LARGE) == references - 200


def test_try_write_says_again_while_others_wait(pair):
    tcp, _ = pair
    fill(tcp)
    with pytest.raises(TCPError) as caught:
        tcp.try_write(b"x")
    assert caught.value.args[0] == errno.UV_EAGAIN


def test_try_write_takes_what_the_system_takes(pair):
    tcp, _ = pair
    taken = tcp.try_write([LARGE, LARGE, LARGE])
    assert 0 < taken < 3 * len(LARGE)


def test_close_cancels_each_waiting_write_once_and_before_the_close_callback(loop, pair):
    tcp, _ = pair
    order = []
    tcp.write(b"out", lambda tcp, error: order.append(("out", error)))
    fill(tcp)
    for number in range(3):
        tcp.write(b"x", lambda tcp, error, number=number: order.append((number, error)))
    tcp.shutdown(lambda tcp, error: order.append(("shutdown", error)))
    tcp.close(lambda tcp: order.append("closed"))
    with time_limit(loop):
        while "closed" not in order:
            loop.run(pyuv.UV_RUN_ONCE)
    cancelled = errno.UV_ECANCELED
    assert order == [
        ("out", None),
        *[(number, cancelled) for number in range(3)],
        ("shutdown", cancelled),
        "closed",
    ]


def test_write_after_close_raises(loop, pair):
    tcp, _ = pair
    tcp.close()
    for call in (tcp.write, tcp.try_write):
        with pytest.raises(HandleClosedError):
            call(b"x")


def test_write_after_shutdown_raises(loop, pair):
    tcp, _ = pair
    tcp.shutdown()
    with pytest.raises(TCPError) as caught:
        tcp.write(b"x", print)
    assert caught.value.args[0] == errno.UV_EPIPE
    with pytest.raises(TCPError) as caught:
        tcp.shutdown()
    assert caught.value.args[0] == errno.UV_ENOTCONN
    assert tcp.writable is False


def test_write_before_connect_raises(loop):
    for call in (pyuv.TCP(loop).write, pyuv.TCP(loop, socket.AF_INET).write):
        with pytest.raises(TCPError) as caught:
            call(b"x")
        assert caught.value.args[0] in (errno.UV_EBADF, errno.UV_EPIPE)


def test_a_peer_that_resets_fails_the_waiting_writes(loop, pair):
    tcp, peer = pair
    outcomes = []
    fill(tcp)
    for _ in range(3):
        tcp.write(b"x", lambda tcp, error: outcomes.append(error))
    peer.close_reset()
    with time_limit(loop):
        while len(outcomes) < 1:
            loop.run(pyuv.UV_RUN_ONCE)
    assert outcomes[0] in (errno.UV_ECONNRESET, errno.UV_EPIPE)
    tcp.close()
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert len(outcomes) == 3


def test_an_error_found_at_once_reaches_the_callback(loop, pair):
    tcp, peer = pair
    peer.close_reset()
    tcp.start_read(lambda tcp, data, error: None)
    outcomes = []
    with time_limit(loop):
        while peer in loop.handles:
            loop.run(pyuv.UV_RUN_ONCE)
        loop.run(pyuv.UV_RUN_NOWAIT)
    tcp.close()
    ours, theirs = socket.socketpair()
    pipe = pyuv.Pipe(loop)
    pipe.open(ours.detach())
    theirs.close()
    pipe.write(b"x", lambda pipe, error: outcomes.append(error))
    assert outcomes == []
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert outcomes == [errno.UV_EPIPE]


def test_a_writing_stream_is_alive_without_references(loop):
    ours, theirs = socket.socketpair()
    with theirs:
        pipe = pyuv.Pipe(loop)
        pipe.open(ours.detach())
        fill(pipe)
        pipe.write(b"the end")
        gone = weakref.ref(pipe)
        del pipe
        collect()
        assert gone() is not None
        theirs.setblocking(False)
        received = bytearray()
        reader = pyuv.Poll(loop, theirs.fileno())

        def on_readable(poll, events, error):
            chunk = theirs.recv(1 << 20)
            received.extend(chunk)
            if not chunk:
                poll.close()

        reader.start(pyuv.UV_READABLE, on_readable)
        with time_limit(loop):
            loop.run()
        assert received.endswith(b"the end")
        collect()
        assert gone() is None


def test_a_loop_abandoned_with_writes_in_flight_is_collected():
    event_loop = pyuv.Loop()
    ours, theirs = socket.socketpair()
    with theirs:
        pipe = pyuv.Pipe(event_loop)
        pipe.open(ours.detach())
        fill(pipe)
        memory = bytearray(b"x")
        callback = Recorder()
        callback.cycle = (event_loop, pipe, callback)
        pipe.write(memory, callback)
        pipe.write(memory, callback)
        pipe.write(b"y", callback)
        gone = weakref.ref(callback)
        del callback, pipe, event_loop
        collect()
        assert gone() is None
        memory.extend(b"free again")


def test_an_exception_in_a_write_callback_goes_to_excepthook(loop, pair):
    tcp, _ = pair
    loop.excepthook = hook = Recorder()
    tcp.write(b"x", lambda tcp, error: 1 / 0)
    tcp.write(b"y", done := Recorder())
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert [call[0] for call in hook.calls] == [ZeroDivisionError]
    assert done.calls == [(tcp, None)]
