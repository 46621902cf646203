"""StdIO with streams: pipes to a child, and streams that it inherits."""

import gc
import os
import signal
import socket

import pytest
import pyuv
from pyuv import errno
from pyuv.error import ProcessError

from util import Recorder, in_child, open_fds, settle

READABLE = pyuv.UV_CREATE_PIPE | pyuv.UV_READABLE_PIPE
WRITABLE = pyuv.UV_CREATE_PIPE | pyuv.UV_WRITABLE_PIPE


class Reader:
    """Reads a stream to its end, and closes it."""

    def __init__(self, stream):
        self.data, self.error = b"", None
        stream.start_read(self.read)

    def read(self, stream, data, error):
        self.data += data or b""
        if error is not None:
            self.error = error
            stream.close()


def close_all(loop):
    for handle in loop.handles:
        if not handle.closed:
            handle.close()
    loop.run()


def test_a_container_keeps_its_stream(loop):
    pipe = pyuv.Pipe(loop)
    container = pyuv.StdIO(pipe, flags=READABLE)
    assert container.stream is pipe
    assert (container.fd, container.flags) == (-1, READABLE)
    assert pyuv.StdIO(stream=pipe).flags == pyuv.UV_IGNORE
    assert pyuv.StdIO().stream is None


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("Pipe", {"fd": 1, "flags": pyuv.UV_INHERIT_STREAM}, ValueError),
        ("Pipe", {"fd": 1}, ValueError),
        ("Pipe", {"flags": pyuv.UV_INHERIT_FD}, ValueError),
        ("Pipe", {"flags": pyuv.UV_READABLE_PIPE}, ValueError),
        ("Pipe", {"flags": pyuv.UV_INHERIT_STREAM | pyuv.UV_READABLE_PIPE}, ValueError),
        ("Pipe", {"flags": pyuv.UV_CREATE_PIPE | pyuv.UV_INHERIT_STREAM}, ValueError),
        ("Pipe", {"flags": pyuv.UV_CREATE_PIPE | pyuv.UV_INHERIT_FD}, ValueError),
        ("Pipe", {"flags": WRITABLE | 1 << 20}, ValueError),
        ("TCP", {"flags": WRITABLE}, TypeError),
        ("Timer", {"flags": pyuv.UV_INHERIT_STREAM}, TypeError),
    ],
    ids=repr,
)
def test_what_makes_no_sense_with_a_stream_is_refused(loop, kind, options, error):
    with pytest.raises(error):
        pyuv.StdIO(getattr(pyuv, kind)(loop), **options)


def test_a_child_reads_and_writes_pipes(loop):
    to_child, from_child, ended = pyuv.Pipe(loop), pyuv.Pipe(loop), Recorder()
    stdio = [pyuv.StdIO(to_child, flags=READABLE), pyuv.StdIO(from_child, flags=WRITABLE)]
    process = pyuv.Process.spawn(loop, "cat", stdio=stdio, exit_callback=ended)
    assert (to_child.readable, to_child.writable) == (False, True)
    assert (from_child.readable, from_child.writable) == (True, False)
    data = bytes(range(256)) * 4096
    reader = Reader(from_child)
    to_child.write(data)
    to_child.shutdown(lambda pipe, error: pipe.close())
    loop.run()
    assert ended.calls == [(process, 0, 0)]
    assert reader.data == data
    assert reader.error == errno.UV_EOF


def test_one_pipe_in_both_directions(loop):
    pipe = pyuv.Pipe(loop)
    stdio = [
        pyuv.StdIO(),
        pyuv.StdIO(),
        pyuv.StdIO(),
        pyuv.StdIO(pipe, flags=READABLE | pyuv.UV_WRITABLE_PIPE | pyuv.UV_NONBLOCK_PIPE),
    ]
    pyuv.Process.spawn(loop, ["sh", "-c", "read line <&3; echo got $line >&3"], stdio=stdio)
    reader = Reader(pipe)
    pipe.write(b"a line\n")
    loop.run()
    assert reader.data == b"got a line\n"


def test_a_childs_end_is_blocking(loop):
    pipe = pyuv.Pipe(loop)
    code = "import os; print(os.get_blocking(1))"
    pyuv.Process.spawn(loop, ["python3", "-c", code], stdio=[pyuv.StdIO(), pyuv.StdIO(pipe, flags=WRITABLE)])
    reader = Reader(pipe)
    loop.run()
    assert reader.data == b"True\n"


def test_more_pipes_than_libuv_has_room_for_at_hand(loop):
    pipes = [pyuv.Pipe(loop) for _ in range(20)]
    stdio = [pyuv.StdIO() for _ in range(3)] + [pyuv.StdIO(pipe, flags=WRITABLE) for pipe in pipes]
    script = "; ".join(f"echo {n} >&{n + 3}" for n in range(20))
    pyuv.Process.spawn(loop, ["bash", "-c", script], stdio=stdio)
    readers = [Reader(pipe) for pipe in pipes]
    loop.run()
    assert [reader.data for reader in readers] == [b"%d\n" % n for n in range(20)]


@pytest.mark.parametrize("kind", ["Pipe", "TCP"])
def test_a_stream_is_inherited(loop, kind):
    if kind == "Pipe":
        mine, childs = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            childs = socket.create_connection(server.getsockname())
            mine = server.accept()[0]
    with mine:
        stream = getattr(pyuv, kind)(loop)
        stream.open(childs.detach())
        container = pyuv.StdIO(stream, flags=pyuv.UV_INHERIT_STREAM)
        ended = Recorder()
        pyuv.Process.spawn(loop, ["echo", "hi"], stdio=[pyuv.StdIO(), container], exit_callback=ended)
        stream.close()
        loop.run()
        assert len(ended) == 1
        with mine.makefile("rb") as file:
            assert file.read() == b"hi\n"


def test_a_stream_of_another_loop(loop):
    other = pyuv.Loop()
    pipe = pyuv.Pipe(other)
    pyuv.Process.spawn(loop, ["echo", "hi"], stdio=[pyuv.StdIO(), pyuv.StdIO(pipe, flags=WRITABLE)])
    loop.run()
    reader = Reader(pipe)
    other.run()
    assert reader.data == b"hi\n"
    other.close()


def test_a_pipe_that_is_in_use_is_refused(loop, tmp_path):
    settle(loop)
    before, spawned = open_fds(), []

    def refused(*pipes):
        stdio = [pyuv.StdIO(pipe, flags=WRITABLE) for pipe in pipes]
        with pytest.raises(ProcessError) as error:
            spawned.append(pyuv.Process.spawn(loop, "true", stdio=stdio))
        assert error.value.args[0] == errno.UV_EBUSY
        assert f"for fd {len(pipes) - 1} of the child" in error.value.args[1]

    used = pyuv.Pipe(loop)
    pyuv.Process.spawn(loop, "true", stdio=[pyuv.StdIO(used, flags=WRITABLE)])
    bound, connecting, fresh = pyuv.Pipe(loop), pyuv.Pipe(loop), pyuv.Pipe(loop)
    bound.bind(str(tmp_path / "socket"))
    connecting.connect(str(tmp_path / "missing"), lambda *arguments: None)
    for pipe in used, bound, connecting:
        refused(pipe)
        refused(fresh, pipe)
    refused(fresh, fresh)
    assert spawned == []
    assert not fresh.writable
    with pytest.raises(pyuv.error.PipeError):
        fresh.fileno()
    close_all(loop)
    assert open_fds() == before


def test_a_stream_that_is_closed_or_was_never_open(loop):
    unopened, closed = pyuv.Pipe(loop), pyuv.Pipe(loop)
    closed.close()
    stdio = [pyuv.StdIO(unopened, flags=pyuv.UV_INHERIT_STREAM)]
    with pytest.raises(ProcessError) as error:
        pyuv.Process.spawn(loop, "true", stdio=stdio)
    assert error.value.args[0] == errno.UV_EBADF
    for flags in pyuv.UV_INHERIT_STREAM, WRITABLE:
        with pytest.raises(pyuv.error.HandleClosedError):
            pyuv.Process.spawn(loop, "true", stdio=[pyuv.StdIO(closed, flags=flags)])
    assert pyuv.StdIO(closed).flags == pyuv.UV_IGNORE


def test_a_missing_executable_leaves_pipes_that_are_at_their_end(loop):
    to_child, from_child = pyuv.Pipe(loop), pyuv.Pipe(loop)
    stdio = [pyuv.StdIO(to_child, flags=READABLE), pyuv.StdIO(from_child, flags=WRITABLE)]
    with pytest.raises(ProcessError):
        pyuv.Process.spawn(loop, "/no/such/program", stdio=stdio)
    reader = Reader(from_child)
    written = Recorder(lambda pipe, error: pipe.close())
    to_child.write(b"x" * 1_000_000, written)
    loop.run()
    assert reader.error == errno.UV_EOF
    assert written.calls == [(to_child, errno.UV_EPIPE)]
    with pytest.raises(pyuv.error.HandleClosedError):
        pyuv.Process.spawn(loop, "true", stdio=stdio)


def test_want_of_descriptors_leaves_the_pipes_unused():
    code = """
        import os, pyuv, resource
        loop = pyuv.Loop()
        pyuv.Pipe(loop)
        loop.run()
        before = os.listdir("/proc/self/fd")
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(before) + 10, 1000))
        flags = pyuv.UV_CREATE_PIPE | pyuv.UV_WRITABLE_PIPE
        stdio = [pyuv.StdIO(pyuv.Pipe(loop), flags=flags) for _ in range(10)]
        try:
            pyuv.Process.spawn(loop, "true", stdio=stdio)
        except pyuv.error.ProcessError as error:
            assert error.args[0] == pyuv.errno.UV_EMFILE
        assert os.listdir("/proc/self/fd") == before
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
        pyuv.Process.spawn(loop, "true", stdio=stdio, exit_callback=lambda *end: print(end[1:]))
        for container in stdio:
            container.stream.close()
        loop.run()
        assert os.listdir("/proc/self/fd") == before
    """
    assert in_child(code) == ["(0, 0)"]


def test_the_streams_live_as_long_as_the_process_object(loop):
    def spawn():
        stdio = [pyuv.StdIO(pyuv.Pipe(loop), flags=READABLE)]
        return pyuv.Process.spawn(loop, "cat", stdio=stdio, exit_callback=ended)

    ended = Recorder()
    process = spawn()
    gc.collect()
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert process.active
    assert [type(handle).__name__ for handle in loop.handles if handle is not process] == ["Pipe"]
    process.kill(signal.SIGTERM)
    loop.run()
    assert ended.calls == [(process, 0, signal.SIGTERM)]
    del process
    ended.calls.clear()
    gc.collect()
    loop.run()
    assert loop.handles == []


def test_a_process_and_its_streams_in_a_cycle_are_collected():
    loop = pyuv.Loop()
    pipe = pyuv.Pipe(loop)
    stdio = [pyuv.StdIO(pipe, flags=READABLE)]
    process = pyuv.Process.spawn(loop, "cat", stdio=stdio, exit_callback=Recorder())
    pipe.process, process.pipe, pid = process, pipe, process.pid
    del loop, pipe, stdio, process
    for _ in range(3):
        gc.collect()
    # cat reads the end of its input, now that nobody holds the pipe.
    assert os.waitpid(pid, 0) == (pid, 0)
