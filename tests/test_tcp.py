import os
import resource
import socket

import pytest
import pyuv
from pyuv import errno
from pyuv.error import HandleClosedError, TCPError
from streams import LOCALHOST, connected, listener, read_all, run_until

from util import Recorder, in_child, open_fds


@pytest.fixture
def refused():
    """An address that nobody listens on."""
    with socket.create_server(LOCALHOST) as server:
        return server.getsockname()


def test_addresses_of_both_ends(loop):
    tcp, peer = connected(loop)
    assert tcp.getsockname() == peer.getpeername()
    assert tcp.getpeername() == peer.getsockname()
    assert tcp.family == socket.AF_INET


def test_ipv6_addresses_have_four_items(loop):
    server = pyuv.TCP(loop)
    server.bind(("::1", 0, 0, 0))
    host, port, flowinfo, scope = server.getsockname()
    assert (host, flowinfo, scope) == ("::1", 0, 0)
    assert port > 0
    assert server.family == socket.AF_INET6


@pytest.mark.parametrize("host", ["127.0.0.1", b"127.0.0.1", ""])
def test_hosts_of_ipv4(loop, host):
    server = pyuv.TCP(loop)
    server.bind((host, 0))
    assert server.getsockname()[0] == ("127.0.0.1" if host else "0.0.0.0")


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        ("127.0.0.1", TypeError, "tuple"),
        (["127.0.0.1", 1], TypeError, "tuple"),
        (("localhost", 1), ValueError, "localhost"),
        (("127.0.0.1",), ValueError, "2 to 4"),
        (("127.0.0.1", 65536), ValueError, "65536"),
        (("127.0.0.1", -1), ValueError, "-1"),
        (("127.0.0.1", None), TypeError, "port"),
        ((1, 1), TypeError, "host"),
        (("::1", 1, 1 << 20), ValueError, "flowinfo"),
        (("::1", 1, 0, 1 << 32), ValueError, "scope_id"),
        (("fe80::1%no-such-interface", 1), ValueError, "interface"),
    ],
)
def test_a_wrong_address_is_named(loop, address, error, text):
    with pytest.raises(error, match=text):
        pyuv.TCP(loop).bind(address)
    # A list of addresses, or a host, is for connect alone.
    if isinstance(address, tuple) and address[0] != "localhost":
        with pytest.raises(error, match=text):
            pyuv.TCP(loop).connect(address, print)


def test_connect_to_a_refused_port(loop, refused):
    client = pyuv.TCP(loop)
    done = Recorder()
    client.connect(refused, done)
    run_until(loop, lambda: len(done))
    assert done.calls == [(client, errno.UV_ECONNREFUSED)]
    assert not client.active


def test_a_second_connect_while_one_is_in_flight(loop, refused):
    client = pyuv.TCP(loop)
    client.connect(refused, first := Recorder())
    with pytest.raises(TCPError) as caught:
        client.connect(refused, print)
    assert caught.value.args[0] == errno.UV_EALREADY
    run_until(loop, lambda: len(first))


def test_connect_of_what_is_connected(loop):
    tcp, peer = connected(loop)
    with pytest.raises(TCPError) as caught:
        peer.connect(tcp.getsockname(), print)
    assert caught.value.args[0] == errno.UV_EISCONN
    assert "127.0.0.1" in caught.value.args[1]


def test_closing_while_connecting_cancels(loop):
    server = listener(loop, print)
    client = pyuv.TCP(loop)
    order = []
    client.connect(server.getsockname(), lambda client, error: order.append(error))
    client.write(b"x", lambda client, error: order.append(error))
    client.shutdown(lambda client, error: order.append(error))
    client.close(lambda client: order.append("closed"))
    run_until(loop, lambda: "closed" in order)
    assert order == [errno.UV_ECANCELED] * 3 + ["closed"] or order[-1] == "closed"
    assert order.count(errno.UV_ECANCELED) + order.count(errno.UV_ENOTCONN) == 3


def test_an_address_in_use_is_reported_by_listen(loop):
    server = listener(loop, print)
    second = pyuv.TCP(loop)
    second.bind(server.getsockname())
    with pytest.raises(TCPError) as caught:
        second.listen(print)
    assert caught.value.args[0] == errno.UV_EADDRINUSE
    with pytest.raises(TCPError):
        second.getsockname()
    with pytest.raises(TCPError) as caught:
        second.accept(pyuv.TCP(loop))
    assert caught.value.args[0] == errno.UV_EAGAIN


def test_bind_to_an_address_of_somebody_else(loop):
    with pytest.raises(TCPError) as caught:
        pyuv.TCP(loop).bind(("192.0.2.1", 0))
    assert caught.value.args[0] == errno.UV_EADDRNOTAVAIL
    assert "192.0.2.1" in caught.value.args[1]


def test_bind_twice(loop):
    tcp = pyuv.TCP(loop)
    tcp.bind(LOCALHOST)
    with pytest.raises(TCPError) as caught:
        tcp.bind(LOCALHOST)
    assert caught.value.args[0] == errno.UV_EINVAL


def test_listeners_share_a_port_with_reuseport(loop):
    first, second = pyuv.TCP(loop), pyuv.TCP(loop)
    first.bind(LOCALHOST, pyuv.UV_TCP_REUSEPORT)
    second.bind(first.getsockname(), pyuv.UV_TCP_REUSEPORT)
    first.listen(print)
    second.listen(print)
    assert first.getsockname() == second.getsockname()


def test_flags_of_bind(loop):
    tcp = pyuv.TCP(loop)
    with pytest.raises(TCPError):
        tcp.bind(LOCALHOST, pyuv.UV_TCP_IPV6ONLY)
    with pytest.raises(ValueError, match="64"):
        tcp.bind(LOCALHOST, 64)
    tcp.bind(("::1", 0), pyuv.UV_TCP_IPV6ONLY)


def test_a_listener_is_no_connection(loop):
    server = listener(loop, print)
    assert (server.readable, server.writable) == (False, False)
    server.listen(print)
    for call in (
        lambda: server.write(b"x", print),
        lambda: server.try_write(b"x"),
        server.shutdown,
        lambda: server.start_read(print),
        lambda: server.connect(server.getsockname(), print),
    ):
        with pytest.raises(TCPError):
            call()
    server.stop_read()
    assert server.active


def test_a_connection_cannot_listen(loop, refused):
    tcp, _ = connected(loop)
    connecting = pyuv.TCP(loop)
    connecting.connect(refused, done := Recorder())
    for handle in (tcp, connecting):
        with pytest.raises(TCPError) as caught:
            handle.listen(print)
        assert caught.value.args[0] == errno.UV_EINVAL
    run_until(loop, lambda: len(done))


def test_a_negative_backlog_is_a_value_error(loop):
    with pytest.raises(ValueError, match="-1"):
        pyuv.TCP(loop).listen(print, -1)


def test_an_opened_socket_that_listens_stays_a_listener(loop):
    sock = socket.socket()
    server = pyuv.TCP(loop)
    server.open(sock.detach())
    server.listen(print)
    for call in (lambda: server.write(b"x"), server.shutdown):
        with pytest.raises(TCPError) as caught:
            call()
        assert caught.value.args[0] in (errno.UV_EPIPE, errno.UV_ENOTCONN)
    loop.run(pyuv.UV_RUN_NOWAIT)


def test_a_connection_that_is_not_accepted_waits(loop):
    announced = Recorder()
    server = listener(loop, announced)
    clients = [socket.create_connection(server.getsockname()) for _ in range(2)]
    run_until(loop, lambda: len(announced))
    server.listen(announced)
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert len(announced) == 1
    first = pyuv.TCP(loop)
    server.accept(first)
    run_until(loop, lambda: len(announced) == 2)
    for client in clients:
        client.close()


def test_accept_checks_its_client(loop):
    announced = Recorder()
    server = listener(loop, announced)
    client = pyuv.TCP(loop)
    with pytest.raises(TCPError) as caught:
        server.accept(client)
    assert caught.value.args[0] == errno.UV_EAGAIN
    with socket.create_connection(server.getsockname()):
        run_until(loop, lambda: len(announced))
        for wrong in (None, 1, pyuv.Pipe(loop), pyuv.Timer(loop), pyuv.TCP):
            with pytest.raises(TypeError):
                server.accept(wrong)
        other_loop = pyuv.Loop()
        stranger, closed, used = pyuv.TCP(other_loop), pyuv.TCP(loop), pyuv.TCP(loop, socket.AF_INET)
        closed.close()
        for wrong, error in ((stranger, TCPError), (closed, HandleClosedError), (used, TCPError)):
            with pytest.raises(error):
                server.accept(wrong)
        server.accept(client)
        assert client.getsockname() == server.getsockname()


def test_open_takes_a_socket(loop):
    with socket.create_server(LOCALHOST) as server, socket.create_connection(server.getsockname()) as sock:
        peer, _ = server.accept()
        tcp = pyuv.TCP(loop)
        tcp.open(sock.detach())
        tcp.write(b"hello")
        tcp.shutdown(lambda tcp, error: tcp.close())
        loop.run()
        with peer:
            assert peer.recv(100) == b"hello"
            assert peer.recv(100) == b""


def test_open_refuses_what_is_no_tcp_socket(loop, tmp_path):
    path = tmp_path / "file"
    path.touch()
    pipe = os.pipe()
    with (
        path.open() as file,
        socket.socket(type=socket.SOCK_DGRAM) as datagram,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        for wrong in (file, datagram, unix, *pipe):
            with pytest.raises(TCPError) as caught:
                pyuv.TCP(loop).open(wrong)
            assert caught.value.args[0] == errno.UV_EINVAL
    for fd in pipe:
        os.close(fd)
    with pytest.raises(TCPError) as caught:
        pyuv.TCP(loop).open(pipe[0])
    assert caught.value.args[0] == errno.UV_EBADF
    for wrong in ("0", None, 1.0):
        with pytest.raises(TypeError):
            pyuv.TCP(loop).open(wrong)
    with pytest.raises(ValueError, match=r"-1|negative"):
        pyuv.TCP(loop).open(-1)


def test_open_refuses_what_another_handle_has(loop):
    tcp, peer = connected(loop)
    peer.start_read(print)
    for handle in (tcp, peer):
        with pytest.raises(TCPError) as caught:
            pyuv.TCP(loop).open(handle.fileno())
        assert caught.value.args[0] == errno.UV_EEXIST
    with socket.socket() as sock, pytest.raises(TCPError) as caught:
        tcp.open(sock)
    assert caught.value.args[0] == errno.UV_EBUSY


def test_a_descriptor_closed_by_somebody_else_does_not_end_the_process():
    program = """
    import os, socket, pyuv
    loop = pyuv.Loop()
    seen = []
    for when in ("before", "after", "writing"):
        ours, theirs = socket.socketpair()
        fd = ours.detach()
        pipe = pyuv.Pipe(loop)
        pipe.open(fd)
        if when == "before":
            os.close(fd)
            try:
                pipe.start_read(print)
            except pyuv.error.PipeError as error:
                seen.append(error.args[0])
            pipe.close()
            continue
        if when == "writing":
            while pipe.write_queue_size == 0:
                pipe.write(bytes(1 << 16), lambda pipe, error: seen.append(error))
        else:
            pipe.start_read(lambda pipe, data, error: seen.append(error))
        os.close(fd)
        loop.run(pyuv.UV_RUN_NOWAIT)
        loop.run(pyuv.UV_RUN_NOWAIT)
        assert pipe.closed, when
    tcp = pyuv.TCP(loop)
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(lambda tcp, error: seen.append(error))
    os.close(tcp.fileno())
    loop.run(pyuv.UV_RUN_NOWAIT)
    print([pyuv.errno.errorcode[error] for error in seen if error is not None])
    """
    (line,) = in_child(program)
    assert line.startswith("['UV_EBADF', 'UV_EBADF'")
    assert "UV_ECANCELED" in line


def test_close_reset_resets_the_peer(loop):
    tcp, peer = connected(loop)
    peer.start_read(seen := Recorder())
    tcp.close_reset(closed := Recorder())
    assert tcp.closed
    run_until(loop, lambda: len(seen) and len(closed))
    assert seen.calls == [(peer, None, errno.UV_ECONNRESET)]
    assert closed.calls == [(tcp,)]


def test_close_reset_that_is_refused_leaves_the_handle_open(loop):
    tcp, peer = connected(loop)
    tcp.shutdown()
    for handle, code in ((tcp, errno.UV_EINVAL), (pyuv.TCP(loop), errno.UV_EBADF)):
        with pytest.raises(TCPError) as caught:
            handle.close_reset(print)
        assert caught.value.args[0] == code
        assert not handle.closed
    assert read_all(loop, peer) == b""


def test_socket_options(loop):
    tcp, _ = connected(loop)
    sock = socket.socket(fileno=os.dup(tcp.fileno()))
    with sock:
        tcp.nodelay(True)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        tcp.nodelay(False)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        tcp.keepalive(True, 77)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
        tcp.keepalive_ex(True, 50, 7, 3)
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [50, 7, 3]
        tcp.keepalive(False, 0)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
        tcp.simultaneous_accepts(True)
        tcp.send_buffer_size = 20000
        assert tcp.send_buffer_size == sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= 20000
        tcp.receive_buffer_size = 20000
        assert tcp.receive_buffer_size == sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 20000
        tcp.set_blocking(True)
        assert os.get_blocking(sock.fileno())
        tcp.set_blocking(False)
        assert not os.get_blocking(sock.fileno())


def test_options_that_are_wrong(loop):
    tcp = pyuv.TCP(loop)
    for call in (
        lambda: tcp.keepalive(True, 0),
        lambda: tcp.keepalive_ex(True, 1, 0, 1),
        lambda: tcp.send_buffer_size,
        lambda: tcp.set_blocking(True),
        lambda: tcp.fileno(),
        lambda: tcp.family,
    ):
        with pytest.raises(TCPError):
            call()
    for family in (socket.AF_UNIX, -1, 12345):
        with pytest.raises(TCPError) as caught:
            pyuv.TCP(loop, family)
        assert caught.value.args[0] == errno.UV_EINVAL


@pytest.mark.parametrize("kind", ["TCP", "Pipe"])
def test_a_shortage_of_descriptors_is_reported_once_and_passes(kind, tmp_path):
    program = """
    import os, resource, socket, sys, pyuv
    kind, path = getattr(pyuv, sys.argv[1]), sys.argv[2]
    family = socket.AF_INET if kind is pyuv.TCP else socket.AF_UNIX
    loop = pyuv.Loop()
    seen, accepted = [], []
    def on_connection(server, error):
        seen.append(error)
        if error is None:
            accepted.append(kind(loop))
            server.accept(accepted[-1])
    server = kind(loop)
    server.bind(("127.0.0.1", 0) if kind is pyuv.TCP else path)
    server.listen(on_connection)
    loop.run(pyuv.UV_RUN_NOWAIT)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    for round in range(2):
        clients = [socket.socket(family) for _ in range(3)]
        hoard = []
        while True:
            try:
                hoard.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        for client in clients:
            client.connect(server.getsockname())
        while not seen:
            loop.run(pyuv.UV_RUN_ONCE)
        loop.run(pyuv.UV_RUN_NOWAIT)
        loop.run(pyuv.UV_RUN_NOWAIT)
        assert seen == [pyuv.errno.UV_EMFILE], seen
        assert [client.recv(1) for client in clients] == [b""] * 3
        for fd in hoard:
            os.close(fd)
        for client in clients:
            client.close()
        seen.clear()
        with socket.socket(family) as client:
            client.connect(server.getsockname())
            while not seen:
                loop.run(pyuv.UV_RUN_ONCE)
            assert seen == [None], seen
        seen.clear()
    print("again and again")
    """
    assert in_child(program, kind, tmp_path / "socket") == ["again and again"]


def test_descriptors_are_as_before(loop):
    loop.run(pyuv.UV_RUN_NOWAIT)
    before = open_fds()
    event_loop = pyuv.Loop()
    for _ in range(20):
        tcp, peer = connected(event_loop)
        tcp.write(b"x")
        tcp.close()
        peer.close()
    event_loop.run()
    event_loop.close()
    assert open_fds() == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > before
