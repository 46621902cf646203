import os
import pathlib
import socket

import pytest
import pyuv
from pyuv import errno
from streams import connected, fill, read_all, run_until

from util import Recorder, in_child, open_fds

LARGE = os.urandom(1 << 16) * 64  # 4 MiB: more than a connection holds


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


def pipes(loop):
    ends = pyuv.Pipe(loop), pyuv.Pipe(loop)
    for pipe, fd in zip(ends, pyuv.util.socketpair(), strict=True):
        pipe.open(fd)
    return ends


@pytest.fixture(params=[connected, pipes], ids=["tcp", "pipe"])
def ends(request, loop):
    return request.param(loop)


def test_all_of_a_file_arrives_in_its_turn(loop, ends, large):
    ours, theirs = ends
    told = Recorder()
    ours.write(b"before ", told)
    with large.open("rb") as file:
        ours.sendfile(file, callback=told)
    ours.write(b" between ", told)
    fd = os.open(large, os.O_RDONLY)
    ours.sendfile(fd, 10, 5, told)
    os.close(fd)
    ours.write([b" aft", b"er"], told)
    ours.shutdown(told)
    assert not ours.writable
    assert not told.calls
    expected = b"before " + LARGE + b" between " + LARGE[10:15] + b" after"
    assert read_all(loop, theirs) == expected
    run_until(loop, lambda: len(told) == 6)
    assert told.calls == [
        (ours, None),
        (ours, len(LARGE), None),
        (ours, None),
        (ours, 5, None),
        (ours, None),
        (ours, None),
    ]
    ours.close()
    loop.run()


def test_it_waits_for_writes_that_wait(loop, ends, large):
    ours, theirs = ends
    fill(ours)
    queued = ours.write_queue_size
    with large.open("rb") as file:
        ours.sendfile(file, 0, 3)
    ours.write(b"12345")
    assert ours.write_queue_size == queued + 5
    with pytest.raises(pyuv.error.StreamError) as caught:
        ours.try_write(b"x")
    assert caught.value.code == errno.UV_EAGAIN
    ours.shutdown()
    received = read_all(loop, theirs)
    assert received[-8:] == LARGE[:3] + b"12345"
    assert set(received[:-8]) == {0}
    ours.close()
    loop.run()


def test_it_waits_for_the_connect(loop, large):
    accepted = []

    def on_connection(server, error):
        accepted.append(pyuv.TCP(loop))
        server.accept(accepted[0])
        server.close()

    server, client = pyuv.TCP(loop), pyuv.TCP(loop)
    server.bind(("127.0.0.1", 0))
    server.listen(on_connection)
    client.connect(server.getsockname(), lambda client, error: None)
    told = Recorder()
    with large.open("rb") as file:
        client.sendfile(file, 1, 4, told)
    client.shutdown()
    run_until(loop, lambda: accepted)
    assert read_all(loop, accepted[0]) == LARGE[1:5]
    assert told.calls == [(client, 4, None)]
    client.close()
    loop.run()


def test_a_connect_that_fails_cancels_it(loop, large):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = closed.getsockname()
    client = pyuv.TCP(loop)
    connect, told = Recorder(), Recorder()
    client.connect(address, connect)
    with large.open("rb") as file:
        client.sendfile(file, callback=told)
    client.write(b"after", told)
    loop.run()
    assert connect.calls == [(client, errno.UV_ECONNREFUSED)]
    assert told.calls == [(client, 0, errno.UV_ECANCELED), (client, errno.UV_ECANCELED)]


def test_a_file_that_is_too_short_is_told(loop, ends, tmp_path):
    ours, theirs = ends
    path = tmp_path / "short"
    path.write_bytes(b"12345")
    told = Recorder()
    with path.open("rb") as file:
        ours.sendfile(file, 2, 10, told)
        ours.write(b"never", told)
        run_until(loop, lambda: len(told) == 2)
        ours.sendfile(file, 99, None, told)
        run_until(loop, lambda: len(told) == 3)
    assert told.calls == [
        (ours, 3, errno.UV_EOF),
        (ours, errno.UV_ECANCELED),
        (ours, 0, None),
    ]
    ours.shutdown()
    assert read_all(loop, theirs) == b"345"
    ours.close()
    loop.run()


def test_what_the_kernel_cannot_move_is_copied(loop, ends):
    ours, theirs = ends
    told = Recorder()
    path = pathlib.Path("/proc/self/environ")
    with path.open("rb") as file:
        ours.sendfile(file, callback=told)
    ours.shutdown()
    received = read_all(loop, theirs)
    assert received == path.read_bytes()
    assert told.calls == [(ours, len(received), None)]
    ours.close()
    loop.run()


def test_a_pipe_is_no_file(loop, ends):
    ours, theirs = ends
    read, write = os.pipe()
    told = Recorder()
    ours.sendfile(read, callback=told)
    run_until(loop, lambda: told.calls)
    assert told.calls == [(ours, 0, errno.UV_ESPIPE)]
    os.close(read)
    os.close(write)
    ours.close()
    theirs.close()
    loop.run()


def test_nothing_goes_to_whoever_gets_the_number_next(loop, ends, large):
    ours, theirs = ends
    before = open_fds()
    told = Recorder()
    with large.open("rb") as file:
        ours.sendfile(file, callback=told)
    ours.write(b"after", told)
    number = ours.fileno()
    # Until the connection is full.
    loop.run(pyuv.UV_RUN_NOWAIT)
    ours.close(told)
    mine, other = socket.socketpair()
    others = [os.dup(mine.fileno()) for _ in range(8)]
    assert number in {mine.fileno(), other.fileno(), *others}
    run_until(loop, lambda: len(told) == 3)
    (_, sent, error), *rest = told.calls
    assert error == errno.UV_ECANCELED
    assert rest == [(ours, errno.UV_ECANCELED), (ours,)]
    received = read_all(loop, theirs)
    assert LARGE.startswith(received)
    assert sent <= len(received) < len(LARGE)
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(1)
    for fd in others:
        os.close(fd)
    mine.close()
    other.close()
    theirs.close()
    loop.run()
    # A loop that has waited has two for its wakeup.
    assert open_fds() <= before


def test_closing_while_other_writes_wait_keeps_the_order(loop, ends, large):
    ours, theirs = ends
    told = Recorder()
    fill(ours)
    ours.write(b"first", lambda *rest: told("first", *rest[1:]))
    with large.open("rb") as file:
        ours.sendfile(file, callback=lambda *rest: told("file", *rest[1:]))
        ours.sendfile(file, callback=lambda *rest: told("second file", *rest[1:]))
    ours.write(b"last", lambda *rest: told("last", *rest[1:]))
    ours.close(lambda handle: told("closed"))
    theirs.close()
    loop.run()
    cancelled = errno.UV_ECANCELED
    assert told.calls == [
        ("first", cancelled),
        ("file", 0, cancelled),
        ("second file", 0, cancelled),
        ("last", cancelled),
        ("closed",),
    ]


def test_a_peer_that_goes_away_ends_it(loop, large):
    ours, theirs = connected(loop)
    told = Recorder()
    with large.open("rb") as file:
        ours.sendfile(file, callback=told)
    run_until(loop, lambda: True)
    theirs.close_reset()
    run_until(loop, lambda: told.calls)
    [(_, sent, error)] = told.calls
    assert sent < len(LARGE)
    assert error in {errno.UV_EPIPE, errno.UV_ECONNRESET}
    ours.close()
    loop.run()


def test_a_slow_peer_holds_no_thread(loop, large):
    connections = [connected(loop) for _ in range(8)]  # the pool has four threads
    with large.open("rb") as file:
        for ours, _ in connections:
            ours.sendfile(file)
    stats = Recorder()
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: pyuv.fs.stat(loop, large, stats), 0.02)
    run_until(loop, lambda: stats.calls)
    for ours, theirs in connections:
        ours.close()
        theirs.close()
    timer.close()
    loop.run()


def test_a_stream_nobody_holds_sends_to_the_end(loop, ends, large):
    ours, theirs = ends
    with large.open("rb") as file:
        ours.sendfile(file)
    ours.shutdown()
    del ours, ends
    assert read_all(loop, theirs) == LARGE
    loop.run()


def test_arguments(loop, ends, large):
    ours, theirs = ends
    with large.open("rb") as file:
        for wrong in [(-1,), (0, -1)]:
            with pytest.raises(ValueError, match="-1"):
                ours.sendfile(file, *wrong)
        with pytest.raises(pyuv.error.StreamError) as caught:
            ours.sendfile(file, 2**63 - 1, 1)
        assert caught.value.code == errno.UV_EINVAL
        with pytest.raises(TypeError):
            ours.sendfile(file, callback=3)
        with pytest.raises(TypeError):
            ours.sendfile("file")
        number = os.dup(file.fileno())
        os.close(number)
        with pytest.raises(pyuv.error.StreamError) as caught:
            ours.sendfile(number)
        assert caught.value.code == errno.UV_EBADF
        with pytest.raises(pyuv.error.StreamError) as caught:
            pyuv.TCP(loop).sendfile(file)
        assert caught.value.code == errno.UV_EBADF
        ours.sendfile(file)
        ours.shutdown()
        for call in (lambda: ours.sendfile(file), lambda: ours.write(b"x")):
            with pytest.raises(pyuv.error.StreamError) as caught:
                call()
            assert caught.value.code == errno.UV_EPIPE
        with pytest.raises(pyuv.error.StreamError) as caught:
            ours.shutdown()
        assert caught.value.code == errno.UV_ENOTCONN
    ours.close()
    theirs.close()
    with pytest.raises(pyuv.error.HandleClosedError):
        ours.sendfile(0)
    loop.run()


def test_a_loop_that_is_collected_or_closed_meanwhile():
    assert in_child(
        """
        import gc, os, pyuv, tempfile, time
        def begin():
            loop = pyuv.Loop()
            ours, theirs = pyuv.Pipe(loop), pyuv.Pipe(loop)
            for pipe, fd in zip((ours, theirs), pyuv.util.socketpair()):
                pipe.open(fd)
            with tempfile.TemporaryFile() as file:
                file.truncate(1 << 24)
                ours.sendfile(file, callback=lambda *_: print(loop, "told"))
                ours.write(b"after", lambda *_: print(loop, "told"))
            return loop
        before = len(os.listdir("/proc/self/fd"))
        for turns in (0, 1, 5):
            loop = begin()
            for _ in range(turns):
                loop.run(pyuv.UV_RUN_NOWAIT)
            del loop
            gc.collect()
        loop = begin()
        loop.run(pyuv.UV_RUN_NOWAIT)
        loop.close(handles=True)
        # What a thread of the pool had begun ends in its own time; with the next loop that goes.
        end = time.monotonic() + 20
        while len(os.listdir("/proc/self/fd")) - before >= 8 and time.monotonic() < end:
            pyuv.Loop().close()
        print(len(os.listdir("/proc/self/fd")) - before < 8)
        """
    )[-1:] == ["True"]
