"""Reading from a stream, and how it lives and ends."""

import socket
import weakref

import pytest
import pyuv
from pyuv import errno
from pyuv.error import HandleClosedError, TCPError
from streams import connected, listener, read_all, run_until

from util import Recorder, collect

SLAB = 256 * 1024


@pytest.fixture
def pair(loop):
    return connected(loop)


@pytest.mark.parametrize("size", [1, 64, 65536, SLAB, SLAB + 1, 3 * SLAB])
def test_reads_are_bytes_of_what_arrived(loop, pair, size):
    tcp, peer = pair
    data = bytes(index % 251 for index in range(size))
    tcp.write(data)
    tcp.shutdown()
    chunks = Recorder()
    peer.start_read(chunks)
    run_until(loop, lambda: not peer.active)
    *reads, last = chunks.calls
    assert last == (peer, None, errno.UV_EOF)
    assert all(type(chunk) is bytes and error is None for _, chunk, error in reads)
    assert b"".join(chunk for _, chunk, _ in reads) == data


def test_what_was_read_stays_what_it_was(loop, pair):
    tcp, peer = pair
    chunks = Recorder()
    peer.start_read(chunks)
    for text in (b"first", b"other"):
        tcp.write(text)
        before = len(chunks)
        run_until(loop, lambda before=before: len(chunks) > before)
    assert [chunk for _, chunk, _ in chunks.calls] == [b"first", b"other"]


def test_a_reset_is_an_error_and_ends_reading(loop, pair):
    tcp, peer = pair
    seen = Recorder()
    tcp.start_read(seen)
    assert tcp.active
    peer.close_reset()
    run_until(loop, lambda: len(seen))
    assert seen.calls == [(tcp, None, errno.UV_ECONNRESET)]
    assert not tcp.active
    assert not tcp.readable


def test_nothing_is_read_after_stop(loop, pair):
    tcp, peer = pair
    seen = Recorder(lambda peer, data, error: peer.stop_read())
    peer.start_read(seen)
    tcp.write(b"x")
    run_until(loop, lambda: len(seen))
    tcp.write(b"y")
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert len(seen) == 1
    assert not peer.active
    peer.stop_read()
    tcp.shutdown()
    assert read_all(loop, peer) == b"y"


def test_a_second_start_read_replaces_the_callback(loop, pair):
    tcp, peer = pair
    peer.start_read(first := Recorder())
    peer.start_read(second := Recorder())
    tcp.write(b"x")
    run_until(loop, lambda: len(second))
    assert len(first) == 0


def test_a_callback_may_replace_itself(loop, pair):
    tcp, peer = pair
    second = Recorder()
    peer.start_read(first := Recorder(lambda peer, data, error: peer.start_read(second)))
    tcp.write(b"x")
    run_until(loop, lambda: len(first))
    tcp.write(b"y")
    run_until(loop, lambda: len(second))
    assert [call[1] for call in first.calls + second.calls] == [b"x", b"y"]


def test_reading_needs_a_connection(loop):
    for handle in (pyuv.TCP(loop), listener(loop, print)):
        with pytest.raises(TCPError) as caught:
            handle.start_read(print)
        assert caught.value.args[0] == errno.UV_ENOTCONN


@pytest.mark.parametrize("callback", [None, 1, "text"])
def test_a_read_callback_must_be_callable(pair, callback):
    with pytest.raises(TypeError):
        pair[0].start_read(callback)


def test_everything_raises_after_close(loop, pair):
    tcp, _ = pair
    tcp.close()
    calls = [
        lambda: tcp.start_read(print),
        tcp.stop_read,
        tcp.shutdown,
        tcp.fileno,
        lambda: tcp.readable,
        lambda: tcp.writable,
        lambda: tcp.write_queue_size,
        lambda: tcp.set_blocking(True),
        lambda: tcp.send_buffer_size,
        tcp.getsockname,
        lambda: tcp.listen(print),
        lambda: tcp.connect(("127.0.0.1", 1), print),
        lambda: tcp.open(0),
        lambda: tcp.accept(pyuv.TCP(loop)),
        tcp.close_reset,
    ]
    for call in calls:
        with pytest.raises(HandleClosedError):
            call()


@pytest.mark.parametrize("which", ["own", "sibling", "both"])
def test_a_callback_may_close_its_own_handle_and_a_siblings(loop, pair, which):
    tcp, peer = pair

    def on_read(peer, data, error):
        if which != "sibling":
            peer.close()
        if which != "own":
            tcp.close()

    peer.start_read(on_read)
    tcp.start_read(print)
    tcp.write(b"x")
    run_until(loop, lambda: peer.closed or tcp.closed)
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert (peer in loop.handles, tcp in loop.handles) == (which == "sibling", which == "own")


def test_a_stream_that_dies_while_its_callback_runs(loop):
    tcp, peer = connected(loop)
    seen = []

    def on_read(peer, data, error):
        seen.append(data)
        peer.stop_read()

    peer.start_read(on_read)
    gone = weakref.ref(peer)
    del peer
    collect()
    tcp.write(b"x")
    run_until(loop, lambda: seen)
    collect()
    assert gone() is None
    assert read_all(loop, tcp) == b""


def test_an_inactive_stream_is_closed_with_its_last_reference(loop):
    tcp, peer = connected(loop)
    del peer
    collect()
    assert read_all(loop, tcp) == b""


def test_a_reading_stream_in_a_cycle_is_collected_with_its_loop():
    event_loop = pyuv.Loop()
    tcp, peer = connected(event_loop)
    reader = Recorder()
    reader.cycle = (event_loop, tcp, peer)
    tcp.start_read(reader)
    tcp.attribute = reader
    gone = [weakref.ref(thing) for thing in (reader, tcp, peer, event_loop)]
    del tcp, peer, reader, event_loop
    collect()
    assert [reference() for reference in gone] == [None] * 4


def test_shutdown_ends_one_direction_only(loop, pair):
    tcp, peer = pair
    done = Recorder()
    tcp.shutdown(done)
    assert read_all(loop, peer) == b""
    assert done.calls == [(tcp, None)]
    peer.write(b"back")
    peer.shutdown()
    assert read_all(loop, tcp) == b"back"


def test_shutdown_while_connecting_waits_for_the_connection(loop):
    accepted = []

    def on_connection(server, error):
        accepted.append(pyuv.TCP(loop))
        server.accept(accepted[0])

    server = listener(loop, on_connection)
    client = pyuv.TCP(loop)
    order = []
    client.connect(server.getsockname(), lambda *arguments: order.append("connected"))
    client.shutdown(lambda client, error: order.append(error))
    with pytest.raises(TCPError):
        client.shutdown()
    run_until(loop, lambda: accepted and len(order) == 2)
    assert order == ["connected", None]
    assert read_all(loop, accepted[0]) == b""


def test_shutdown_of_a_connection_that_fails(loop):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = unused.getsockname()
    client = pyuv.TCP(loop)
    order = []
    client.connect(address, lambda client, error: order.append(error))
    client.shutdown(lambda client, error: order.append(error))
    run_until(loop, lambda: len(order) == 2)
    assert order == [errno.UV_ECONNREFUSED, errno.UV_ENOTCONN]


def test_an_exception_in_a_read_callback_goes_to_excepthook(loop, pair):
    tcp, peer = pair
    loop.excepthook = hook = Recorder()
    peer.start_read(seen := Recorder(lambda *_: 1 / 0))
    for count in (1, 2):
        tcp.write(b"x")
        run_until(loop, lambda count=count: len(seen) == count)
    assert [call[0] for call in hook.calls] == [ZeroDivisionError] * 2
