"""`TCP.connect` to the name of a host, and to several addresses."""

import contextlib
import gc
import socket
import time
import weakref

import pytest
import pyuv
from pyuv import dns, errno
from pyuv.error import TCPError
from streams import LOCALHOST, read_all, run_until

from util import Recorder, in_child, open_fds, settle, start_child, time_limit


@pytest.fixture
def refused():
    """An address that nobody listens on."""
    with socket.create_server(LOCALHOST) as server:
        return server.getsockname()


@pytest.fixture(params=["127.0.0.1", "::1"])
def answering(request):
    """A listening socket of either family."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as server:
        yield server


@pytest.fixture
def silent():
    """An address that does not answer: as many connections wait for a listener as may."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(LOCALHOST)
        server.listen(0)
        # CPython's listener has one wait, PyPy's two.
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.05)
            try:
                waiting.connect(server.getsockname())
            except TimeoutError:
                break
        else:
            pytest.fail("the listener takes all connections")
        yield server.getsockname()


def outcome(loop, handle, destination, **options):
    """What the callback of a connect is given."""
    done = Recorder()
    handle.connect(destination, done, **options)
    assert len(done) == 0
    with time_limit(loop):
        loop.run()
    [(called_with, error)] = done.calls
    assert called_with is handle
    return error


def test_the_name_of_a_host(loop):
    with socket.create_server(LOCALHOST) as server:
        client = pyuv.TCP(loop)
        assert outcome(loop, client, ("localhost", server.getsockname()[1])) is None
        assert client.getpeername() == server.getsockname()
        connection, peer = server.accept()
        assert peer == client.getsockname()
        client.write(b"a question")
        client.shutdown()
        with connection:
            assert connection.recv(20) == b"a question"
            connection.sendall(b"an answer")
        assert read_all(loop, client) == b"an answer"


@pytest.mark.parametrize("host", ["localhost", b"localhost", "LOCALHOST", "127.1"])
def test_hosts_are_what_the_system_takes_for_one(loop, host):
    with socket.create_server(LOCALHOST) as server:
        assert outcome(loop, pyuv.TCP(loop), (host, server.getsockname()[1])) is None


def test_a_host_that_is_not_there(loop):
    client = pyuv.TCP(loop)
    error = outcome(loop, client, ("no-such-host.invalid", 80))
    assert errno.errorcode[error] in {"UV_EAI_NONAME", "UV_EAI_AGAIN", "UV_EAI_NODATA", "UV_EAI_FAIL"}
    assert client.connect_failures == []
    assert not client.active


@pytest.mark.parametrize("host", ["a\0b", "x" * 300, "\ufffd.\U0010ffff", "fe80::1%no-such-interface", "1:2"])
def test_what_cannot_be_a_host(loop, host):
    client = pyuv.TCP(loop)
    with pytest.raises((ValueError, TCPError), match=r"host|name|interface|address|xxx"):
        client.connect((host, 80), print)
    with socket.create_server(LOCALHOST) as server:
        assert outcome(loop, client, server.getsockname()) is None


HOSTS = """
import ctypes, os, socket, sys, pyuv

libc = ctypes.CDLL(None)
if libc.unshare(0x00020000 | (0x10000000 if os.getuid() else 0)):
    raise SystemExit("refused")
if libc.mount(None, b"/", None, 0x44000, None):
    raise SystemExit("refused")
with open(sys.argv[1], "w") as hosts:
    hosts.write("::1 several.example\\n127.0.0.1 several.example\\n127.0.0.2 several.example\\n")
if libc.mount(sys.argv[1].encode(), b"/etc/hosts", None, 0x1000, None):
    raise SystemExit("refused")
loop = pyuv.Loop()
def connected(client, error):
    print(error, client.getpeername()[0] == server.getsockname()[0], sorted(
        (address[0], pyuv.errno.errorcode[code]) for address, code in client.connect_failures))
    client.close()
for host in "127.0.0.2", "127.0.0.1", "::1":
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        pyuv.TCP(loop).connect(("several.example", server.getsockname()[1]), connected, delay=60)
        loop.run()
"""


def test_all_addresses_of_a_host_are_tried(tmp_path):
    child = start_child(HOSTS, tmp_path / "hosts")
    out, err = child.communicate(timeout=40)
    if err == "refused\n":
        pytest.skip("the system refuses namespaces")
    assert err == ""
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines] == [["None", "True"]] * 3
    # The last of the three has been preceded by the two others, or by one where the system sorts them so.
    assert "ECONNREFUSED" in lines[0]


def test_the_first_address_that_answers_is_connected(loop, refused, answering):
    address = answering.getsockname()
    client = pyuv.TCP(loop)
    assert outcome(loop, client, [refused, address], delay=60) is None
    assert client.getpeername() == address
    assert client.connect_failures == [(refused, errno.UV_ECONNREFUSED)]


@pytest.mark.parametrize("kind", [list, tuple])
def test_an_address_that_does_not_answer_holds_nobody_up(loop, silent, answering, kind):
    client = pyuv.TCP(loop)
    begun = time.monotonic()
    assert outcome(loop, client, kind([silent, answering.getsockname()]), delay=0.05) is None
    assert time.monotonic() - begun > 0.045
    assert client.getpeername() == answering.getsockname()
    assert client.connect_failures == []


def test_the_families_take_turns(loop, silent, refused):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        ipv6 = server.getsockname()
        client = pyuv.TCP(loop)
        # Behind one that is silent the other family comes, not the next one of the same.
        assert outcome(loop, client, [silent, refused, ipv6], delay=0.01) is None
        assert client.getpeername() == ipv6
        assert client.connect_failures == []


def test_every_failure_is_told(loop, refused):
    with socket.create_server(LOCALHOST) as server:
        second = server.getsockname()
    client = pyuv.TCP(loop)
    assert outcome(loop, client, [refused, second]) == errno.UV_ECONNREFUSED
    assert client.connect_failures == [(refused, errno.UV_ECONNREFUSED), (second, errno.UV_ECONNREFUSED)]
    assert outcome(loop, client, []) == errno.UV_EAI_NODATA
    assert client.connect_failures == []


def test_the_time_for_all_is_limited(loop, silent):
    client = pyuv.TCP(loop)
    begun = time.monotonic()
    assert outcome(loop, client, [silent, silent], timeout=0.1) == errno.UV_ETIMEDOUT
    assert 0.09 < time.monotonic() - begun < 20
    assert client.connect_failures == [(silent, errno.UV_ETIMEDOUT)]


def test_a_single_address_may_have_a_timeout(loop, silent):
    client = pyuv.TCP(loop)
    assert outcome(loop, client, silent, timeout=0.05) == errno.UV_ETIMEDOUT
    with socket.create_server(LOCALHOST) as server:
        assert outcome(loop, client, server.getsockname(), timeout=30) is None
        assert client.getpeername() == server.getsockname()


def test_no_descriptor_is_left_behind(loop, silent, refused, answering):
    settle(loop)
    address = answering.getsockname()
    cases = [[refused, address], [silent, address], [silent, refused], [silent, silent]]
    outcome(loop, client := pyuv.TCP(loop), ("localhost", address[1]), timeout=30)
    client.close()
    loop.run()
    before = open_fds()
    for destination in [*cases, ("localhost", refused[1]), ("localhost", address[1])]:
        client = pyuv.TCP(loop)
        error = outcome(loop, client, destination, delay=0.01, timeout=0.1)
        assert open_fds() == before + (error is None)
        client.close()
        loop.run()
        assert open_fds() == before
        assert loop.handles == []


@pytest.mark.parametrize("destination", ["addresses", "host"])
def test_closing_cancels(loop, silent, destination):
    settle(loop)
    before = open_fds()
    client = pyuv.TCP(loop)
    order = []
    where = [silent, silent] if destination == "addresses" else ("localhost", silent[1])
    client.connect(where, lambda client, error: order.append(error), delay=0)
    client.write(b"x", lambda client, error: order.append(error))
    client.shutdown(lambda client, error: order.append(error))
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert order == []
    client.close(lambda client: order.append("closed"))
    with time_limit(loop):
        loop.run()
    assert order == [errno.UV_ECANCELED] * 3 + ["closed"]
    assert open_fds() == before


def test_closing_in_the_callback(loop, refused, answering):
    client = pyuv.TCP(loop)
    client.connect([refused, answering.getsockname()], lambda client, error: client.close())
    with time_limit(loop):
        loop.run()
    assert client.closed


def test_what_is_written_meanwhile_goes_out_in_its_order(loop, refused):
    with socket.create_server(LOCALHOST) as server:
        client = pyuv.TCP(loop)
        order = []
        client.connect(
            [refused, server.getsockname()], lambda client, error: order.append(("connect", error))
        )
        client.write(b"one ", lambda client, error: order.append((1, error)))
        client.write([b"t", b"wo"], lambda client, error: order.append((2, error)))
        with pytest.raises(TCPError) as caught:
            client.try_write(b"x")
        assert caught.value.code == errno.UV_EAGAIN
        assert client.write_queue_size == 7
        assert client.writable
        client.shutdown(lambda client, error: order.append(("shutdown", error)))
        assert not client.writable
        with time_limit(loop):
            loop.run()
        assert order == [("connect", None), (1, None), (2, None), ("shutdown", None)]
        with server.accept()[0] as connection:
            assert connection.recv(100) == b"one two"


def test_what_was_written_is_cancelled_where_nobody_answers(loop, refused):
    client = pyuv.TCP(loop)
    order = []
    client.connect([refused, refused], lambda client, error: order.append(error))
    client.write(b"x", lambda client, error: order.append(error))
    with time_limit(loop):
        loop.run()
    assert order == [errno.UV_ECONNREFUSED, errno.UV_ECANCELED]
    assert client.write_queue_size == 0


def test_a_stream_that_is_connecting_does_nothing_else(loop, silent):
    client = pyuv.TCP(loop)
    client.connect([silent], done := Recorder())
    for call, code in [
        (lambda: client.connect(silent, print), errno.UV_EALREADY),
        (lambda: client.connect(("localhost", 1), print), errno.UV_EALREADY),
        (lambda: client.bind(LOCALHOST), errno.UV_EINVAL),
        (lambda: client.listen(print), errno.UV_EINVAL),
        (lambda: client.start_read(print), errno.UV_ENOTCONN),
    ]:
        with pytest.raises(TCPError) as caught:
            call()
        assert caught.value.code == code
    client.close()
    run_until(loop, lambda: len(done))


def test_a_bound_handle_keeps_its_address(loop, answering):
    address = answering.getsockname()
    client = pyuv.TCP(loop)
    client.bind((address[0], 0))
    mine, fd = client.getsockname(), client.fileno()
    assert outcome(loop, client, [address], timeout=30) is None
    assert (client.getsockname(), client.getpeername(), client.fileno()) == (mine, address, fd)
    with pytest.raises(TCPError) as caught:
        client.connect([address], print)
    assert caught.value.code == errno.UV_EISCONN


def test_options_set_before_are_those_of_the_connection(loop, refused, answering):
    client = pyuv.TCP(loop)
    client.nodelay(True)
    client.keepalive(True)
    assert outcome(loop, client, [refused, answering.getsockname()]) is None
    with socket.socket(fileno=socket.dup(client.fileno())) as ours:
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": -1}, ValueError),
        ({"timeout": float("nan")}, ValueError),
        ({"delay": -0.1}, ValueError),
        ({"timeout": "1"}, TypeError),
    ],
)
def test_times_are_seconds(loop, refused, options, error):
    with pytest.raises(error, match=next(iter(options))):
        pyuv.TCP(loop).connect(refused, print, **options)


def test_lists_hold_addresses_in_numbers(loop, refused):
    with pytest.raises(ValueError, match="localhost"):
        pyuv.TCP(loop).connect([refused, ("localhost", 1)], print)
    with pytest.raises(TypeError, match="tuple"):
        pyuv.TCP(loop).connect([refused, "127.0.0.1"], print)
    with pytest.raises(ValueError, match="numbers"):
        pyuv.TCP(loop).bind(("localhost", 1))


def test_a_handle_that_nobody_holds_connects_all_the_same(loop, refused, answering):
    done = Recorder()
    pyuv.TCP(loop).connect([refused, answering.getsockname()], done)
    gc.collect()
    run_until(loop, lambda: len(done))
    assert done.calls[0][1] is None


def test_an_abandoned_loop_is_collected(silent):
    loop = pyuv.Loop()
    client = pyuv.TCP(loop)
    client.connect([silent, silent], lambda client, error: client, delay=0)
    loop.run(pyuv.UV_RUN_NOWAIT)
    reference = weakref.ref(client)
    del loop, client
    gc.collect()
    assert reference() is None


def test_loop_close_ends_it(silent):
    loop = pyuv.Loop()
    done = Recorder()
    pyuv.TCP(loop).connect([silent, silent], done)
    loop.run(pyuv.UV_RUN_NOWAIT)
    loop.close(handles=True)
    assert [error for _, error in done.calls] in ([errno.UV_ECANCELED], [])


def test_without_descriptors_the_connect_fails():
    code = """
    import os, resource, socket, pyuv

    loop = pyuv.Loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = pyuv.TCP(loop)
        client.connect([server.getsockname()], lambda client, error: print(pyuv.errno.errorcode[error]))
        client.close()
        loop.run()
        taken = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        again = pyuv.TCP(loop)
        again.connect([server.getsockname()], lambda client, error: print(pyuv.errno.errorcode[error]))
        del again
        loop.run()
        print(loop.handles)
    """
    assert in_child(code) == ["UV_ECANCELED", "UV_EMFILE", "[]"]


def test_addresses_of_a_channel(loop):
    with socket.create_server(LOCALHOST) as server:
        channel = dns.Channel(loop, lookups="f")
        done = Recorder()

        def resolved(found, error):
            assert error is None
            addresses = [node.addr for node in found.nodes]
            pyuv.TCP(loop).connect(addresses, done)

        channel.getaddrinfo("localhost", server.getsockname()[1], resolved, socktype=socket.SOCK_STREAM)
        run_until(loop, lambda: len(done))
        assert done.calls[0][1] is None
        channel.close()
