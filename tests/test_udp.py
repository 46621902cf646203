"""UDP: the socket, its addresses and its life."""

import gc
import os
import socket
import weakref

import pytest
import pyuv
from pyuv import errno
from pyuv.error import HandleClosedError, UDPError

from util import Recorder, collect, in_child, open_fds

LOCAL = ("127.0.0.1", 0)


@pytest.fixture
def udp(loop):
    return pyuv.UDP(loop)


def code_of(call, *arguments):
    with pytest.raises(UDPError) as caught:
        call(*arguments)
    code, message = caught.value.args
    assert isinstance(message, str)
    return code


def test_the_first_address_makes_the_socket(udp):
    assert code_of(udp.fileno) == errno.UV_EBADF
    assert code_of(udp.getsockname) == errno.UV_EBADF
    udp.bind(LOCAL)
    assert udp.fileno() > 2
    ip, port = udp.getsockname()
    assert ip == "127.0.0.1"
    assert port > 0
    assert udp.family == socket.AF_INET


def test_ipv6_addresses_have_four_items(udp):
    udp.bind(("::1", 0))
    ip, port, flowinfo, scope_id = udp.getsockname()
    assert (ip, flowinfo, scope_id) == ("::1", 0, 0)
    assert port > 0
    assert udp.family == socket.AF_INET6


def test_an_empty_host_is_every_address(udp):
    udp.bind(("", 0))
    assert udp.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_family_makes_the_socket_at_once(loop, family):
    udp = pyuv.UDP(loop, family)
    assert udp.fileno() > 2
    assert udp.family == family


@pytest.mark.parametrize("family", [socket.AF_UNIX, -1, 77])
def test_other_families_are_refused(loop, family):
    with pytest.raises(ValueError, match=str(int(family))):
        pyuv.UDP(loop, family)
    assert loop.handles == []


def test_an_address_of_the_other_family_is_refused(loop):
    assert code_of(pyuv.UDP(loop, socket.AF_INET6).bind, LOCAL) == errno.UV_EINVAL
    with pytest.raises(UDPError):
        pyuv.UDP(loop, socket.AF_INET).bind(("::1", 0))


def test_recvmmsg_is_asked_for(loop):
    assert pyuv.UDP(loop, flags=pyuv.UV_UDP_RECVMMSG).using_recvmmsg is True
    assert pyuv.UDP(loop).using_recvmmsg is False
    with pytest.raises(ValueError, match="12"):
        pyuv.UDP(loop, flags=12)


def test_a_second_init_is_refused(loop, udp):
    with pytest.raises(RuntimeError):
        udp.__init__(loop)


def test_an_address_in_use_is_named(loop, udp):
    udp.bind(LOCAL)
    with pytest.raises(UDPError, match=f"127.0.0.1:{udp.getsockname()[1]}") as caught:
        pyuv.UDP(loop).bind(udp.getsockname())
    assert caught.value.args[0] == errno.UV_EADDRINUSE


@pytest.mark.parametrize("flags", [pyuv.UV_UDP_REUSEADDR, pyuv.UV_UDP_REUSEPORT])
def test_an_address_may_be_shared(loop, udp, flags):
    udp.bind(LOCAL, flags)
    other = pyuv.UDP(loop)
    other.bind(udp.getsockname(), flags)
    assert other.getsockname() == udp.getsockname()


def test_a_handle_for_ipv6_alone_leaves_ipv4_to_others(loop, udp):
    udp.bind(("::", 0), pyuv.UV_UDP_IPV6ONLY)
    port = udp.getsockname()[1]
    pyuv.UDP(loop).bind(("0.0.0.0", port))
    assert code_of(pyuv.UDP(loop).bind, LOCAL, pyuv.UV_UDP_IPV6ONLY) == errno.UV_EINVAL


def test_a_second_bind_is_refused(udp):
    udp.bind(LOCAL)
    assert code_of(udp.bind, LOCAL) == errno.UV_EINVAL


@pytest.mark.parametrize("flags", [2, 8, 16, 128, 256, 2**31])
def test_unknown_flags_are_value_errors(udp, flags):
    with pytest.raises(ValueError, match=str(flags)):
        udp.bind(LOCAL, flags)
    assert code_of(udp.fileno) == errno.UV_EBADF


@pytest.mark.parametrize("port", [-1, 65536, 2**70])
def test_ports_out_of_range(udp, port):
    for call in (udp.bind, udp.connect):
        with pytest.raises(ValueError, match=str(port)):
            call(("127.0.0.1", port))
    with pytest.raises(ValueError, match=str(port)):
        udp.send(("127.0.0.1", port), b"")


@pytest.mark.parametrize("address", [None, "127.0.0.1", 1, ["127.0.0.1", 1], (1, 1), ("127.0.0.1", "1")])
def test_what_is_no_address_is_a_type_error(udp, address):
    with pytest.raises(TypeError):
        udp.bind(address)


@pytest.mark.parametrize("address", [(), ("127.0.0.1",), ("localhost", 1), ("::g", 1), ("1.2.3.4\0", 1)])
def test_addresses_that_do_not_exist_are_value_errors(udp, address):
    with pytest.raises(ValueError, match="address"):
        udp.connect(address)


def test_connecting_and_disconnecting(loop, udp):
    peer, other = pyuv.UDP(loop), pyuv.UDP(loop)
    peer.bind(LOCAL)
    other.bind(LOCAL)
    assert code_of(udp.disconnect) == errno.UV_ENOTCONN
    udp.connect(peer.getsockname())
    assert udp.getpeername() == peer.getsockname()
    assert code_of(udp.connect, other.getsockname()) == errno.UV_EISCONN
    udp.disconnect()
    assert code_of(udp.getpeername) == errno.UV_ENOTCONN
    udp.connect(other.getsockname())
    assert udp.getpeername() == other.getsockname()


def test_buffer_sizes(udp):
    udp.bind(LOCAL)
    udp.receive_buffer_size = 8192
    udp.send_buffer_size = 16384
    assert udp.receive_buffer_size >= 8192
    assert udp.send_buffer_size >= 16384
    with pytest.raises(TypeError):
        udp.send_buffer_size = "1"


def test_an_open_socket_is_taken_over(loop, udp):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(LOCAL)
    name = sock.getsockname()
    udp.open(sock.detach())
    assert udp.getsockname() == name
    assert not os.get_blocking(udp.fileno())
    fd = udp.fileno()
    udp.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_connected_socket_stays_connected(udp):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(LOCAL)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(peer.getsockname())
        udp.open(sock.detach())
        assert udp.try_send(None, b"x") == 1
        assert peer.recv(9) == b"x"


def test_what_is_no_socket_of_datagrams_is_refused(loop, udp, tmp_path):
    with socket.socket() as stream, open(tmp_path / "file", "w") as file:
        assert code_of(udp.open, stream) == errno.UV_EINVAL
        assert code_of(udp.open, file) == errno.UV_ENOTSOCK
        assert code_of(udp.open, loop.fileno()) == errno.UV_ENOTSOCK
        assert code_of(udp.open, 2**31 - 1) == errno.UV_EBADF
        assert stream.fileno() >= 0
    with pytest.raises(TypeError):
        udp.open("3")
    with pytest.raises(ValueError, match="32"):
        udp.open(3, pyuv.UV_UDP_LINUX_RECVERR)


def test_a_handle_has_one_socket_and_a_socket_one_handle(loop, udp):
    first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with second:
        udp.open(first)
        assert code_of(udp.open, second) == errno.UV_EBUSY
        assert code_of(pyuv.UDP(loop).open, first) == errno.UV_EEXIST
    first.detach()


def test_after_close_every_call_raises(loop, udp):
    udp.bind(LOCAL)
    udp.close()
    address = ("127.0.0.1", 9)
    calls = [
        lambda: udp.bind(address),
        lambda: udp.open(0),
        lambda: udp.connect(address),
        udp.disconnect,
        udp.getsockname,
        udp.getpeername,
        udp.fileno,
        lambda: udp.family,
        lambda: udp.using_recvmmsg,
        lambda: udp.send(address, b""),
        lambda: udp.send(address, b"", print),
        lambda: udp.try_send(address, b""),
        lambda: udp.try_send2([(address, b"")]),
        lambda: udp.send_queue_count,
        lambda: udp.send_queue_size,
        lambda: udp.send_buffer_size,
        lambda: udp.start_recv(print),
        udp.stop_recv,
        lambda: udp.set_membership("239.0.0.1", pyuv.UV_JOIN_GROUP),
        lambda: udp.set_source_membership("232.0.0.1", "127.0.0.1", pyuv.UV_JOIN_GROUP),
        udp.set_multicast_interface,
        lambda: udp.set_multicast_loop(True),
        lambda: udp.set_multicast_ttl(1),
        lambda: udp.set_ttl(1),
        lambda: udp.set_broadcast(True),
        lambda: udp.close(print),
    ]
    for call in calls:
        with pytest.raises(HandleClosedError):
            call()
    loop.run()
    for call in calls:
        with pytest.raises(HandleClosedError):
            call()


def test_a_receiving_handle_is_kept_and_an_idle_one_closed(loop):
    loop.run()
    fds = open_fds()
    udp = pyuv.UDP(loop)
    seen = Recorder(lambda udp, *_: udp.stop_recv())
    udp.bind(LOCAL)
    udp.start_recv(seen)
    address, reference = udp.getsockname(), weakref.ref(udp)
    del udp
    collect()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"x", address)
    loop.run()
    assert [call[3] for call in seen.calls] == [b"x"]
    seen.calls.clear()
    collect()
    assert reference() is None
    loop.run()
    assert loop.handles == []
    assert open_fds() == fds


def test_a_handle_in_a_cycle_with_its_callbacks_is_collected():
    def abandon():
        event_loop = pyuv.Loop()
        udp = pyuv.UDP(event_loop)
        udp.bind(LOCAL)
        udp.start_recv(lambda *arguments: udp)
        for _ in range(2):
            udp.send(udp.getsockname(), b"x", lambda handle, error: (udp, event_loop))
        return udp.fileno(), weakref.ref(udp), weakref.ref(event_loop)

    fd, udp, event_loop = abandon()
    gc.collect()
    assert (udp(), event_loop()) == (None, None)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_subclasses_and_attributes(loop):
    class Named(pyuv.UDP):
        def __init__(self, event_loop, name):
            super().__init__(event_loop)
            self.name = name

    named = Named(loop, "a")
    assert named.name == "a"
    assert loop.handles == [named]
    with pytest.raises(RuntimeError):
        pyuv.UDP.__new__(pyuv.UDP).bind(LOCAL)


def test_standard_descriptors_are_left_alone():
    # libuv asserts that it never closes one of them.
    lines = in_child("""
        import os, socket, pyuv
        loop = pyuv.Loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            os.dup2(sock.fileno(), 0)
        opened = pyuv.UDP(loop)
        opened.open(0)
        assert opened.fileno() > 2
        opened.close()
        loop.run()
        os.fstat(0)
        for make in (
            lambda udp: udp.bind(("127.0.0.1", 0)),
            lambda udp: udp.start_recv(print),
            lambda udp: udp.try_send(("127.0.0.1", 9), b"x"),
            lambda udp: udp.send(("127.0.0.1", 9), b"x", lambda udp, error: None),
            lambda udp: udp.connect(("127.0.0.1", 9)),
            lambda udp: udp.set_membership("239.0.0.1", pyuv.UV_JOIN_GROUP, "127.0.0.1"),
            lambda udp: None,
        ):
            os.close(0)
            udp = pyuv.UDP(loop) if make.__code__.co_names else pyuv.UDP(loop, socket.AF_INET)
            make(udp)
            assert udp.fileno() > 2
            os.open("/dev/null", os.O_RDONLY)
            loop.run(pyuv.UV_RUN_NOWAIT)
            udp.close()
            loop.run()
        loop.close()
        print("alive")
    """)
    assert lines == ["alive"]


def test_a_socket_closed_behind_its_back_is_an_error_not_an_abort():
    lines = in_child("""
        import os, sys, pyuv
        from pyuv import errno

        def note(udp, *arguments):
            seen.append(arguments)

        def bound(loop):
            udp = pyuv.UDP(loop)
            udp.bind(("127.0.0.1", 0))
            return udp

        loop = pyuv.Loop()
        # Before the loop has met it, also if a file has the number by then.
        for by_a_file in (False, True):
            seen = []
            udp = bound(loop)
            udp.start_recv(note)
            os.close(udp.fileno())
            if by_a_file:
                file = os.open(sys.executable, os.O_RDONLY)
                assert file == udp.fileno()
            loop.run()
            assert seen == [(None, 0, None, errno.UV_EPERM if by_a_file else errno.UV_EBADF)], seen
            assert not udp.active
            # The number is not the handle's any more, who leaves it alone.
            udp.close()
            if by_a_file:
                os.fstat(file)
        # After; and with sends waiting.
        seen = []
        udp = bound(loop)
        udp.start_recv(note)
        loop.run(pyuv.UV_RUN_NOWAIT)
        udp.send(("127.0.0.1", 9), b"x", note)
        os.close(udp.fileno())
        udp.send(("127.0.0.1", 9), b"x", note)
        udp.send(("127.0.0.1", 9), b"x", note)
        loop.run()
        assert sorted(map(len, seen)) == [1, 1, 1, 4], seen
        assert [call for call in seen if len(call) == 1] == [(None,), (errno.UV_EBADF,), (errno.UV_EBADF,)]
        udp.close()
        # And before it is started.
        udp = bound(loop)
        os.close(udp.fileno())
        for call in (lambda: udp.start_recv(note), lambda: udp.try_send(("127.0.0.1", 9), b"x")):
            try:
                call()
            except pyuv.error.UDPError as error:
                assert error.args[0] == errno.UV_EBADF
            else:
                raise AssertionError
        udp.close()
        loop.run()
        print("alive")
    """)
    assert lines == ["alive"]
