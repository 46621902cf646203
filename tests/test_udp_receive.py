"""UDP: receiving."""

import socket

import pytest
import pyuv
from pyuv import errno
from pyuv.error import UDPError

from util import Recorder, time_limit

LOCAL = ("127.0.0.1", 0)


@pytest.fixture(params=[0, pyuv.UV_UDP_RECVMMSG], ids=["recvmsg", "recvmmsg"])
def udp(request, loop):
    """A bound handle, in both ways of receiving."""
    handle = pyuv.UDP(loop, flags=request.param)
    handle.bind(LOCAL)
    return handle


@pytest.fixture
def peer(udp):
    """A socket connected to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(LOCAL)
        sock.connect(udp.getsockname())
        yield sock


def until(count):
    """A recorder that closes its handle at the call with this number."""

    def then(udp, *_):
        if len(recorder) == count:
            udp.close()

    recorder = Recorder(then)
    return recorder


def test_datagrams_keep_their_bounds(loop, udp, peer):
    seen = until(50)
    udp.start_recv(seen)
    assert udp.active
    sent = [bytes([number]) * number * 20 for number in range(50)]
    for datagram in sent:
        peer.send(datagram)
    with time_limit(loop):
        loop.run()
    assert seen.calls == [(udp, peer.getsockname(), 0, datagram, None) for datagram in sent]


def test_what_is_kept_stays_and_what_is_not_is_used_again(loop, udp, peer):
    kept, ids = [], []

    def on_datagram(udp, address, flags, data, error):
        ids.append(id(data))
        if data[0] % 10 == 0:
            kept.append(data)
        if data[0] == 49:
            udp.close()

    udp.start_recv(on_datagram)
    for number in range(50):
        peer.send(bytes([number]) * 1200)
    with time_limit(loop):
        loop.run()
    assert kept == [bytes([number]) * 1200 for number in range(0, 50, 10)]
    assert len(set(ids)) == 6


def test_the_largest_datagram_and_the_empty_one(loop, udp, peer):
    seen = until(2)
    udp.start_recv(seen)
    peer.send(b"x" * 65507)
    peer.send(b"")
    loop.run()
    assert [(flags, data, error) for _, _, flags, data, error in seen.calls] == [
        (0, b"x" * 65507, None),
        (0, b"", None),
    ]


def test_ipv6(loop):
    udp = pyuv.UDP(loop)
    udp.bind(("::1", 0))
    seen = until(1)
    udp.start_recv(seen)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"x", udp.getsockname())
        name = peer.getsockname()
    loop.run()
    [(_, address, _, data, _)] = seen.calls
    assert data == b"x"
    assert address == ("::1", name[1], 0, 0)


def test_a_datagram_longer_than_the_buffer_is_partial(loop):
    # Datagrams of UDP never are; those of a local socket can be.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    udp = pyuv.UDP(loop, flags=pyuv.UV_UDP_RECVMMSG)
    udp.open(ours.detach())
    seen = until(2)
    udp.start_recv(seen)
    with theirs:
        theirs.send(b"x" * 100_000)
        theirs.send(b"y")
    loop.run()
    assert seen.calls == [
        (udp, None, pyuv.UV_UDP_PARTIAL, b"x" * 65536, None),
        (udp, None, 0, b"y", None),
    ]


def test_a_handle_without_an_address_gets_one(loop):
    udp = pyuv.UDP(loop)
    udp.start_recv(print)
    ip, port = udp.getsockname()
    assert ip == "0.0.0.0"
    assert port > 0


def test_a_second_start_is_refused(udp):
    udp.start_recv(print)
    with pytest.raises(UDPError) as caught:
        udp.start_recv(print)
    assert caught.value.args[0] == errno.UV_EALREADY


@pytest.mark.parametrize("callback", [None, 1, "print"])
def test_what_cannot_be_called_is_a_type_error(udp, callback):
    with pytest.raises(TypeError):
        udp.start_recv(callback)
    assert not udp.active


def test_stopping_leaves_what_arrives_in_the_socket(loop, udp, peer):
    udp.stop_recv()
    first, second = Recorder(lambda udp, *_: udp.stop_recv()), until(1)
    udp.start_recv(first)
    peer.send(b"a")
    loop.run()
    assert not udp.active
    peer.send(b"b")
    loop.run()
    udp.start_recv(second)
    loop.run()
    assert [call[3] for call in first.calls + second.calls] == [b"a", b"b"]


def test_the_callback_may_start_another(loop, udp, peer):
    def restart(udp, *_):
        udp.stop_recv()
        udp.start_recv(second)
        peer.send(b"b")

    first, second = Recorder(restart), until(1)
    udp.start_recv(first)
    peer.send(b"a")
    loop.run()
    assert [call[3] for call in first.calls] == [b"a"]
    assert [call[3] for call in second.calls] == [b"b"]


def test_the_callback_may_close_its_handle_and_others(loop, udp, peer):
    other = pyuv.UDP(loop)
    other.bind(LOCAL)
    other.start_recv(print)
    seen = Recorder(lambda udp, *_: (udp.close(), other.close()))
    udp.start_recv(seen)
    for _ in range(5):
        peer.send(b"x")
    peer.sendto(b"y", other.getsockname())
    loop.run()
    assert len(seen) == 1
    assert loop.handles == []


def test_the_callback_may_drop_its_handle(loop):
    def receive(handle, *_):
        seen.append(handle.getsockname())
        handles.clear()
        handle.stop_recv()

    seen = []
    handles = [pyuv.UDP(loop)]
    handles[0].start_recv(receive)
    port = handles[0].getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"x", ("127.0.0.1", port))
    loop.run()
    assert [name[1] for name in seen] == [port]
    loop.run()
    assert loop.handles == []


def test_an_exception_goes_to_the_hook_and_receiving_goes_on(loop, udp, peer):
    def receive(udp, address, flags, data, error):
        if data == b"b":
            udp.close()
        raise ZeroDivisionError(data)

    raised = Recorder()
    loop.excepthook = raised
    udp.start_recv(receive)
    peer.send(b"a")
    peer.send(b"b")
    loop.run()
    assert [str(value) for _, value, _ in raised.calls] == ["b'a'", "b'b'"]


def test_a_peer_that_is_not_there_is_reported_to_a_connected_handle(loop, udp):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(LOCAL)
        address = gone.getsockname()
    seen = until(1)
    udp.connect(address)
    udp.start_recv(seen)
    udp.send(None, b"x")
    with time_limit(loop):
        loop.run()
    assert seen.calls == [(udp, None, 0, None, errno.UV_ECONNREFUSED)]


def test_a_handle_goes_on_after_an_error(loop, udp, peer):
    seen = until(2)
    udp.connect(peer.getsockname())
    udp.start_recv(seen)
    address = peer.getsockname()
    peer.close()
    udp.send(None, b"x")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(address)
        again.sendto(b"here", udp.getsockname())
        with time_limit(loop):
            loop.run()
    assert {(data, error) for *_, data, error in seen.calls} == {
        (None, errno.UV_ECONNREFUSED),
        (b"here", None),
    }


def test_the_error_queue_names_who_complained(loop):
    udp = pyuv.UDP(loop)
    udp.bind(LOCAL, pyuv.UV_UDP_LINUX_RECVERR)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(LOCAL)
        address = gone.getsockname()
    seen = Recorder(lambda udp, address, flags, *_: udp.close() if flags else None)
    udp.start_recv(seen)
    udp.send(address, b"x")
    with time_limit(loop):
        loop.run()
    _, offender, flags, data, error = seen.calls[-1]
    assert flags == pyuv.UV_UDP_LINUX_RECVERR
    assert offender[0] == "127.0.0.1"
    assert (data, error) == (None, errno.UV_ECONNREFUSED)


def test_only_the_peer_is_heard_on_a_connected_handle(loop, udp, peer):
    udp.connect(peer.getsockname())
    seen = until(1)
    udp.start_recv(seen)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"stranger", udp.getsockname())
    peer.send(b"peer")
    loop.run()
    assert [call[3] for call in seen.calls] == [b"peer"]


def test_many_senders_are_told_apart(loop, udp):
    peers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    seen = until(20)
    udp.start_recv(seen)
    for number, peer in enumerate(peers):
        peer.sendto(str(number).encode(), udp.getsockname())
    ports = [peer.getsockname()[1] for peer in peers]
    loop.run()
    for peer in peers:
        peer.close()
    assert [(call[1][1], call[3]) for call in seen.calls] == [
        (port, str(number).encode()) for number, port in enumerate(ports)
    ]


def test_other_handles_read_between_batches(loop):
    def receive(udp, address, flags, data, error):
        seen.append((udp, data))
        if len(seen) == 80:
            for handle in handles:
                handle.close()

    seen = []
    handles = [pyuv.UDP(loop, flags=pyuv.UV_UDP_RECVMMSG) for _ in range(2)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for handle in handles:
            handle.bind(LOCAL)
            handle.start_recv(receive)
        for number in range(40):
            for handle in handles:
                peer.sendto(bytes([number]) * 2000, handle.getsockname())
        with time_limit(loop):
            loop.run()
    for handle in handles:
        assert [data for udp, data in seen if udp is handle] == [bytes([n]) * 2000 for n in range(40)]


def test_an_unreferenced_handle_does_not_keep_the_loop(loop, udp):
    udp.start_recv(print)
    udp.ref = False
    assert loop.run() is False
