import os
import socket
import stat
import sys

import pytest
import pyuv
from pyuv import errno
from pyuv.error import PipeError
from streams import read_all, run_until

from util import Recorder

linux = pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A short name of a socket in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return "socket"


def talk(loop, name):
    """Connect to `name`, where a new server listens; returns server, connection and client."""
    accepted = []

    def on_connection(server, error):
        assert error is None
        accepted.append(pyuv.Pipe(loop))
        server.accept(accepted[0])

    server, client = pyuv.Pipe(loop), pyuv.Pipe(loop)
    server.bind(name)
    server.listen(on_connection)
    client.connect(server.getsockname(), done := Recorder())
    run_until(loop, lambda: accepted and len(done))
    assert done.calls == [(client, None)]
    return server, accepted[0], client


@pytest.mark.parametrize(
    "kind",
    ["path", "bytes", "pathlike", pytest.param("abstract", marks=linux), pytest.param("chosen", marks=linux)],
)
def test_names_of_every_kind(loop, path, tmp_path, kind):
    name = {
        "path": path,
        "bytes": path.encode(),
        "pathlike": tmp_path / path if len(str(tmp_path)) < 90 else path,
        "abstract": f"\0pyuv test {os.getpid()}\0x",
        "chosen": "",
    }[kind]
    server, connection, client = talk(loop, name)
    if kind == "chosen":
        assert server.getsockname().startswith("\0")
    else:
        assert server.getsockname() == os.fsdecode(name)
    assert client.getpeername() == server.getsockname()
    assert client.getsockname() == connection.getpeername() == ""
    client.write(b"hello")
    client.shutdown()
    assert read_all(loop, connection) == b"hello"


def test_the_file_goes_with_the_server(loop, path):
    server = pyuv.Pipe(loop)
    server.bind(path)
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    server.close()
    assert not os.path.exists(path)


def test_a_name_that_is_taken_is_named(loop, path):
    server, second = pyuv.Pipe(loop), pyuv.Pipe(loop)
    server.bind(path)
    with pytest.raises(PipeError, match=path) as caught:
        second.bind(path)
    assert caught.value.args[0] == errno.UV_EADDRINUSE


@pytest.mark.parametrize(
    ("name", "error"),
    [("missing/socket", PipeError), ("a\0b", PipeError), (1, TypeError), (None, TypeError)],
)
def test_a_wrong_name(loop, path, name, error):
    with pytest.raises(error):
        pyuv.Pipe(loop).bind(name)


def test_a_long_name_is_refused_or_cut_short(loop, path):
    name = "x" * 200
    pipe = pyuv.Pipe(loop)
    for call in (
        lambda: pipe.bind(name),
        lambda: pipe.bind2(name, pyuv.UV_PIPE_NO_TRUNCATE),
        lambda: pipe.connect(name, print),
        lambda: pipe.connect2(name, print, pyuv.UV_PIPE_NO_TRUNCATE),
    ):
        with pytest.raises(PipeError, match="xxx") as caught:
            call()
        assert caught.value.args[0] == errno.UV_EINVAL
    pipe.bind2(name)
    (created,) = os.listdir()
    assert name.startswith(created)
    pipe.listen(print)
    client = pyuv.Pipe(loop)
    client.connect2(name, done := Recorder())
    run_until(loop, lambda: len(done))
    assert done.calls == [(client, None)]
    for call in (lambda: pipe.bind2("y", 64), lambda: pyuv.Pipe(loop).connect2("y", print, 64)):
        with pytest.raises(ValueError, match="64"):
            call()


def test_connect_to_nobody(loop, path):
    client = pyuv.Pipe(loop)
    client.connect(path, done := Recorder())
    assert len(done) == 0
    run_until(loop, lambda: len(done))
    assert done.calls == [(client, errno.UV_ENOENT)]
    with pytest.raises(PipeError):
        pyuv.Pipe(loop).connect("", print)


def test_a_second_connect_while_one_is_in_flight(loop, path):
    client = pyuv.Pipe(loop)
    client.connect(path, done := Recorder())
    with pytest.raises(PipeError) as caught:
        client.connect(path, print)
    assert caught.value.args[0] == errno.UV_EALREADY
    run_until(loop, lambda: len(done))
    assert len(done) == 1


def test_a_bound_pipe_cannot_listen_while_it_connects(loop, path):
    pipe = pyuv.Pipe(loop)
    pipe.bind(path)
    pipe.connect("nobody", done := Recorder())
    with pytest.raises(PipeError):
        pipe.listen(print)
    run_until(loop, lambda: len(done))
    pipe.listen(print)
    with pytest.raises(PipeError):
        pipe.connect("nobody", print)


def test_listen_needs_a_name(loop):
    with pytest.raises(PipeError) as caught:
        pyuv.Pipe(loop).listen(print)
    assert caught.value.args[0] == errno.UV_EINVAL


def test_open_takes_both_ends_of_a_pipe(loop):
    reader, writer = pyuv.Pipe(loop), pyuv.Pipe(loop)
    read_end, write_end = pyuv.util.pipe()
    reader.open(read_end)
    writer.open(write_end)
    assert (reader.readable, reader.writable) == (True, False)
    assert (writer.readable, writer.writable) == (False, True)
    with pytest.raises(PipeError):
        reader.write(b"x")
    with pytest.raises(PipeError):
        writer.start_read(print)
    writer.write(b"hello")
    writer.close()
    assert read_all(loop, reader) == b"hello"


def test_open_refuses_other_files(loop, tmp_path):
    path = tmp_path / "file"
    path.touch()
    with path.open() as file, open(os.devnull) as null, socket.socket() as tcp:
        for wrong in (file, null, tcp):
            with pytest.raises(PipeError) as caught:
                pyuv.Pipe(loop).open(wrong)
            assert caught.value.args[0] == errno.UV_EINVAL
    with pytest.raises(PipeError) as caught:
        pyuv.Pipe(loop).open(999999)
    assert caught.value.args[0] == errno.UV_EBADF


def test_socketpair_flags():
    for flags in ((0, 0), (pyuv.UV_NONBLOCK_PIPE, 0), (0, pyuv.UV_NONBLOCK_PIPE)):
        for fds in (pyuv.util.pipe(*flags), pyuv.util.socketpair(flags0=flags[0], flags1=flags[1])):
            assert [os.get_blocking(fd) for fd in fds] == [flag == 0 for flag in flags]
            assert not any(os.get_inheritable(fd) for fd in fds)
            for fd in fds:
                os.close(fd)


def test_a_socketpair_of_datagrams():
    fds = pyuv.util.socketpair(socket.SOCK_DGRAM)
    first, second = (socket.socket(fileno=fd) for fd in fds)
    with first, second:
        assert first.type == socket.SOCK_DGRAM
        first.send(b"x")
        assert second.recv(10) == b"x"


def test_wrong_arguments_of_pipe_and_socketpair():
    for call in (
        lambda: pyuv.util.pipe(1),
        lambda: pyuv.util.pipe(0, -1),
        lambda: pyuv.util.socketpair(flags0=1),
        lambda: pyuv.util.socketpair(1 << 40),
    ):
        with pytest.raises(ValueError, match=r"flags|range|large"):
            call()
    with pytest.raises(pyuv.error.UVError, match="12345"):
        pyuv.util.socketpair(12345)
    with pytest.raises(TypeError):
        pyuv.util.pipe("x")


def test_chmod_opens_the_socket_to_others(loop, path):
    pipe = pyuv.Pipe(loop)
    with pytest.raises(PipeError):
        pipe.chmod(pyuv.UV_READABLE)
    pipe.bind(path)
    for mode, bits in ((pyuv.UV_READABLE, 0o444), (pyuv.UV_WRITABLE, 0o222)):
        os.chmod(path, 0)
        pipe.chmod(mode)
        assert os.stat(path).st_mode & bits == bits
    for wrong in (0, -1, 4, 8):
        with pytest.raises(ValueError, match="mode"):
            pipe.chmod(wrong)


def test_chmod_leaves_alone_what_is_no_socket(loop, tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    pipe = pyuv.Pipe(loop)
    pipe.open(os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK))
    with pytest.raises(PipeError) as caught:
        pipe.chmod(pyuv.UV_WRITABLE)
    assert caught.value.args[0] == pyuv.errno.UV_ENOTSOCK
    assert stat.S_IMODE(os.stat(tmp_path / "fifo").st_mode) == 0o600


def test_pending_instances_is_for_windows(loop):
    pyuv.Pipe(loop).pending_instances(10)


def test_accept_wants_a_pipe(loop, path):
    server = pyuv.Pipe(loop)
    server.bind(path)
    server.listen(announced := Recorder())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        run_until(loop, lambda: len(announced))
        with pytest.raises(PipeError, match="TCP") as caught:
            server.accept(pyuv.TCP(loop))
        assert caught.value.args[0] == errno.UV_EINVAL
        for wrong in (pyuv.Timer(loop), None, 1):
            with pytest.raises(TypeError):
                server.accept(wrong)
        server.accept(pyuv.Pipe(loop))
