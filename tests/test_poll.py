import os
import socket

import pytest
import pyuv
from pyuv import errno
from pyuv.error import PollError

from util import Recorder, in_child, time_limit


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def pipe():
    fds = os.pipe()
    yield fds
    for fd in fds:
        os.close(fd)


@pytest.fixture
def poll(loop, pair):
    """A Poll on one of the pair; closed before its fd is."""
    handle = pyuv.Poll(loop, pair[0].fileno())
    yield handle
    if not handle.closed:
        handle.close()
    loop.run(pyuv.UV_RUN_NOWAIT)


def test_a_socket_that_becomes_readable(loop, pair, poll):
    seen = Recorder(lambda poll, events, error: poll.stop())
    poll.start(pyuv.UV_READABLE, seen)
    pyuv.Timer(loop).start(lambda timer: pair[1].send(b"x"), 0)
    loop.run()
    assert seen.calls == [(poll, pyuv.UV_READABLE, None)]
    assert pair[0].recv(9) == b"x"


def test_nothing_readable_is_not_reported(loop, pair, poll):
    seen = Recorder()
    poll.start(pyuv.UV_READABLE, seen)
    for _ in range(3):
        loop.run(pyuv.UV_RUN_NOWAIT)
    assert seen.calls == []


def test_a_socket_that_is_writable(loop, poll):
    seen = Recorder(lambda poll, events, error: poll.stop())
    poll.start(pyuv.UV_WRITABLE, seen)
    loop.run()
    assert seen.calls == [(poll, pyuv.UV_WRITABLE, None)]


def test_both_at_once(loop, pair, poll):
    seen = Recorder(lambda poll, events, error: poll.stop())
    pair[1].send(b"x")
    poll.start(pyuv.UV_READABLE | pyuv.UV_WRITABLE, seen)
    loop.run()
    assert [events for _, events, _ in seen.calls] == [pyuv.UV_READABLE | pyuv.UV_WRITABLE]


def test_a_peer_that_hangs_up(loop, pair, poll):
    seen = Recorder(lambda poll, events, error: poll.stop())
    poll.start(pyuv.UV_DISCONNECT, seen)
    pair[1].close()
    loop.run()
    [(_, events, error)] = seen.calls
    assert error is None
    assert events & pyuv.UV_DISCONNECT


def test_it_goes_on_while_there_is_something_to_read(loop, pair, poll):
    def read(poll, events, error):
        got.append(pair[0].recv(1))
        if len(got) == 3:
            poll.stop()

    got = []
    pair[1].send(b"abc")
    poll.start(pyuv.UV_READABLE, read)
    loop.run()
    assert got == [b"a", b"b", b"c"]


def test_a_second_start_changes_the_events(loop, pair, poll):
    readable, writable = Recorder(), Recorder(lambda poll, events, error: poll.stop())
    poll.start(pyuv.UV_READABLE, readable)
    poll.start(pyuv.UV_WRITABLE, writable)
    loop.run()
    assert readable.calls == []
    assert len(writable) == 1


def test_pipes(loop, pipe):
    reader, writer = pipe
    seen = Recorder(lambda poll, events, error: poll.close())
    poll = pyuv.Poll(loop, reader)
    poll.start(pyuv.UV_READABLE, seen)
    os.write(writer, b"x")
    loop.run()
    assert seen.calls == [(poll, pyuv.UV_READABLE, None)]
    assert os.read(reader, 9) == b"x"


def test_fileno_and_objects_that_have_one(loop, pair):
    poll = pyuv.Poll(loop, pair[0])
    assert poll.fileno() == pair[0].fileno()
    poll.close()
    loop.run()


@pytest.mark.parametrize("fd", ["0", None, 1.5, object()])
def test_what_is_no_descriptor_is_a_type_error(loop, fd):
    with pytest.raises(TypeError):
        pyuv.Poll(loop, fd)
    assert loop.handles == []


class Says:
    """An object whose `fileno()` says that."""

    def __init__(self, fd):
        self.fileno = lambda: fd


@pytest.mark.parametrize("kind", [int, Says])
@pytest.mark.parametrize("fd", [-1, -(2**31), 2**31, 2**32, 2**64])
def test_numbers_that_no_descriptor_has(loop, kind, fd):
    with pytest.raises((ValueError, OverflowError, PollError)):
        pyuv.Poll(loop, kind(fd))
    assert loop.handles == []


@pytest.mark.parametrize("fd", [999_999, 2**31 - 1])
def test_a_descriptor_that_is_not_open_is_named(loop, fd):
    with pytest.raises(PollError) as caught:
        pyuv.Poll(loop, fd)
    code, message = caught.value.args
    assert code == errno.UV_EBADF
    assert str(fd) in message
    loop.run()
    assert loop.handles == []


def test_a_closed_socket_is_refused(loop, pair):
    fd = pair[0].fileno()
    pair[0].close()
    with pytest.raises(PollError) as caught:
        pyuv.Poll(loop, fd)
    assert caught.value.args[0] == errno.UV_EBADF


def test_a_regular_file_is_refused_and_the_loop_stays_usable(loop, tmp_path, pair):
    with open(tmp_path / "file", "w") as file:
        with pytest.raises(PollError) as caught:
            pyuv.Poll(loop, file.fileno())
        assert caught.value.args[0] == errno.UV_EPERM
        assert str(file.fileno()) in caught.value.args[1]
    poll = pyuv.Poll(loop, pair[0])
    seen = Recorder(lambda poll, events, error: poll.close())
    poll.start(pyuv.UV_WRITABLE, seen)
    loop.run()
    assert len(seen) == 1


def test_a_directory_is_refused(loop, tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(PollError) as caught:
            pyuv.Poll(loop, fd)
        assert caught.value.args[0] == errno.UV_EPERM
    finally:
        os.close(fd)


def test_a_second_poll_for_an_active_descriptor_is_refused(loop, pair, poll):
    poll.start(pyuv.UV_READABLE, lambda *arguments: None)
    with pytest.raises(PollError) as caught:
        pyuv.Poll(loop, pair[0])
    assert caught.value.args[0] == errno.UV_EEXIST


def test_two_inactive_polls_for_one_descriptor_cannot_both_start(loop, pair, poll):
    second = pyuv.Poll(loop, pair[0])
    poll.start(pyuv.UV_READABLE, lambda *arguments: None)
    with pytest.raises(PollError) as caught:
        second.start(pyuv.UV_READABLE, lambda *arguments: None)
    assert caught.value.args[0] == errno.UV_EEXIST
    assert not second.active
    second.close()


def test_one_descriptor_on_two_loops(loop, pair, poll):
    other_loop = pyuv.Loop()
    other = pyuv.Poll(other_loop, pair[0])
    seen = Recorder(lambda poll, events, error: poll.close())
    pair[1].send(b"x")
    poll.start(pyuv.UV_READABLE, seen)
    other.start(pyuv.UV_READABLE, seen)
    loop.run()
    other_loop.run()
    assert [handle for handle, *_ in seen.calls] == [poll, other]
    other_loop.close()


def test_the_descriptor_can_be_polled_anew_once_the_first_poll_is_closed(loop, pair):
    for _ in range(3):
        poll = pyuv.Poll(loop, pair[0])
        seen = Recorder(lambda poll, events, error: poll.close())
        poll.start(pyuv.UV_WRITABLE, seen)
        loop.run()
        assert len(seen) == 1


@pytest.mark.parametrize("events", [0, -1, 16, 1 | 1 << 20, 255])
def test_events_that_are_none_are_named(loop, poll, events):
    with pytest.raises(ValueError, match=str(events)):
        poll.start(events, lambda *arguments: None)
    assert not poll.active


@pytest.mark.parametrize("events", ["read", None, 1.0])
def test_events_of_another_type(loop, poll, events):
    with pytest.raises(TypeError):
        poll.start(events, lambda *arguments: None)
    assert not poll.active


def test_start_after_the_descriptor_was_closed_raises(loop, pair):
    poll = pyuv.Poll(loop, pair[0])
    fd = pair[0].fileno()
    pair[0].close()
    with pytest.raises(PollError, match=str(fd)) as caught:
        poll.start(pyuv.UV_READABLE, lambda *arguments: None)
    assert caught.value.args[0] == errno.UV_EBADF
    assert not poll.active
    poll.close()
    loop.run()


def test_a_descriptor_closed_between_start_and_run_is_an_error_not_an_abort(loop, pair):
    poll, seen = pyuv.Poll(loop, pair[0]), Recorder()
    poll.start(pyuv.UV_READABLE, seen)
    pair[0].close()
    with time_limit(loop):
        loop.run()
    assert seen.calls == [(poll, 0, errno.UV_EBADF)]
    assert not poll.active
    poll.close()
    loop.run()


# These number games need a process where no other thread opens descriptors.

PRELUDE = """
    import os, socket, sys, pyuv
    loop = pyuv.Loop()
    ours, theirs = socket.socketpair()
    fd = ours.fileno()
    poll = pyuv.Poll(loop, fd)
    seen = []
    def callback(poll, events, error):
        seen.append((events, error))
        poll.close()
    guard = pyuv.Timer(loop)
    guard.start(lambda timer: os._exit(9), 20)
    guard.ref = False
    def close_all():
        for handle in loop.handles:
            if not handle.closed:
                handle.close()
        loop.run()
        loop.close()
"""


def test_a_descriptor_closed_while_it_is_polled_does_no_harm():
    code = (
        PRELUDE
        + """
    poll.start(pyuv.UV_READABLE, callback)
    loop.run(pyuv.UV_RUN_NOWAIT)
    os.close(ours.detach())
    for _ in range(3):
        loop.run(pyuv.UV_RUN_NOWAIT)
    close_all()
    print("done")
    """
    )
    assert in_child(code)[-1] == "done"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("events", ["UV_READABLE", "UV_WRITABLE"])
def test_a_number_reused_by_a_regular_file_does_not_abort(tmp_path, when, events):
    """`before` the loop first polled the socket, or `after`; then events change as well."""
    code = (
        PRELUDE
        + """
    path, when, events = sys.argv[1], sys.argv[2], getattr(pyuv, sys.argv[3])
    poll.start(pyuv.UV_READABLE, callback)
    if when == "after":
        loop.run(pyuv.UV_RUN_NOWAIT)
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.dup2(file, ours.detach())
    try:
        poll.start(events, callback)
    except pyuv.error.PollError as error:
        seen.append(error.args[0])
    for _ in range(3):
        loop.run(pyuv.UV_RUN_NOWAIT)
    close_all()
    os.lseek(fd, 0, 0)
    os.close(fd)
    print("done")
    """
    )
    assert in_child(code, tmp_path / "file", when, events)[-1] == "done"


@pytest.mark.parametrize("start_new", [True, False])
def test_a_number_reused_by_another_socket_belongs_to_the_new_poll(start_new):
    """The first socket is closed under its Poll, and a new one gets its number."""
    code = (
        PRELUDE
        + """
    poll.start(pyuv.UV_READABLE, callback)
    loop.run(pyuv.UV_RUN_NOWAIT)
    ours.close()
    new, peer = socket.socketpair()
    assert new.fileno() == fd
    if sys.argv[1] == "True":
        poll.close()
        loop.run(pyuv.UV_RUN_NOWAIT)
        second = pyuv.Poll(loop, fd)
    else:
        second = poll
    second.start(pyuv.UV_READABLE, callback)
    peer.send(b"x")
    loop.run()
    print(seen)
    close_all()
    """
    )
    lines = in_child(code, start_new)
    if start_new:
        assert lines == ["[(1, None)]"]
    else:
        assert len(lines) == 1


def test_closing_a_poll_after_its_descriptor_leaves_the_new_owner_of_the_number_alone():
    code = (
        PRELUDE
        + """
    poll.start(pyuv.UV_READABLE, callback)
    loop.run(pyuv.UV_RUN_NOWAIT)
    ours.close()
    reader, writer = os.pipe()
    assert fd in (reader, writer)
    poll.close()
    loop.run(pyuv.UV_RUN_NOWAIT)
    os.write(writer, b"x")
    print(os.read(reader, 1))
    close_all()
    """
    )
    assert in_child(code) == ["b'x'"]


@pytest.mark.parametrize("foreign", ["epoll", "counted", "eventfd", "backend", "null", "proc", "memfd"])
def test_a_foreign_descriptor_is_served_or_refused(foreign, tmp_path):
    code = (
        PRELUDE
        + """
    import select
    kind = sys.argv[1]
    made = {
        "epoll": lambda: select.epoll().fileno(),
        "counted": lambda: os.eventfd(1),
        "eventfd": lambda: os.eventfd(0),
        "backend": loop.fileno,
        "null": lambda: os.open("/dev/null", os.O_RDWR),
        "proc": lambda: os.open("/proc/self/stat", os.O_RDONLY),
        "memfd": lambda: os.memfd_create("x"),
    }[kind]()
    poll.close()
    try:
        foreign = pyuv.Poll(loop, made)
        foreign.start(pyuv.UV_READABLE, callback)
    except (pyuv.error.PollError, OSError) as error:
        pass
    for _ in range(3):
        loop.run(pyuv.UV_RUN_NOWAIT)
    close_all()
    print("done")
    """
    )
    assert in_child(code, foreign)[-1] == "done"


def test_a_descriptor_closed_while_it_is_asked_about():
    # libuv adds it to its epoll and takes it out again, and aborts where the second fails.
    code = """
import contextlib, os, pyuv, socket, threading, time
loop = pyuv.Loop()
ours, theirs = socket.socketpair()
number, over = ours.fileno(), False
def close_and_open():
    while not over:
        with contextlib.suppress(OSError):
            os.close(number)
        os.dup2(theirs.fileno(), number)
threads = [threading.Thread(target=close_and_open) for _ in range(2)]
for thread in threads: thread.start()
refused = 0
for _ in range(3000):
    try:
        pyuv.Poll(loop, number).close()
    except pyuv.error.UVError:
        refused += 1
    loop.run(pyuv.UV_RUN_NOWAIT)
over = True
for thread in threads: thread.join()
ours.detach()
print("survived")
"""
    assert in_child(code) == ["survived"]
