"""StdIO: what a child gets as its descriptors."""

import fcntl
import os
import socket
import sys

import pytest
import pyuv
from pyuv import errno
from pyuv.error import ProcessError

from util import Recorder, in_child, open_fds

IGNORE = pyuv.StdIO()


def inherit(fd):
    return pyuv.StdIO(fd=fd, flags=pyuv.UV_INHERIT_FD)


def spawn_to_end(loop, args, stdio):
    ended = Recorder()
    pyuv.Process.spawn(loop, args, stdio=stdio, exit_callback=ended)
    loop.run()
    assert [call[1:] for call in ended.calls] == [(0, 0)]


@pytest.fixture
def pipe():
    """The ends of a pipe; what a test has not closed itself is closed after it."""
    read, write = os.pipe()
    with open(read, "rb", 0) as reading, open(write, "wb", 0) as writing:
        yield reading, writing


def test_a_container_says_what_is_in_it(pipe):
    container = pyuv.StdIO()
    assert (container.fd, container.flags) == (-1, pyuv.UV_IGNORE)
    container = pyuv.StdIO(fd=pipe[0], flags=pyuv.UV_INHERIT_FD)
    assert (container.fd, container.flags) == (pipe[0].fileno(), pyuv.UV_INHERIT_FD)
    assert (pyuv.StdIO(fd=7).fd, pyuv.StdIO(fd=7).flags) == (7, pyuv.UV_IGNORE)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"flags": pyuv.UV_INHERIT_FD}, ValueError),
        ({"flags": pyuv.UV_CREATE_PIPE}, ValueError),
        ({"flags": pyuv.UV_INHERIT_STREAM}, ValueError),
        ({"fd": 1, "flags": pyuv.UV_CREATE_PIPE}, ValueError),
        ({"fd": 1, "flags": pyuv.UV_INHERIT_FD | pyuv.UV_READABLE_PIPE}, ValueError),
        ({"fd": 1, "flags": 1 << 20}, ValueError),
        ({"fd": -2, "flags": pyuv.UV_INHERIT_FD}, ValueError),
        ({"fd": 2**40, "flags": pyuv.UV_INHERIT_FD}, OverflowError),
        ({"fd": "1", "flags": pyuv.UV_INHERIT_FD}, TypeError),
        ({"flags": "1"}, TypeError),
        ({"flags": -1}, ValueError),
    ],
    ids=repr,
)
def test_what_makes_no_sense_is_refused(options, kind):
    with pytest.raises(kind):
        pyuv.StdIO(**options)


def test_a_descriptor_is_inherited(loop, pipe):
    reading, writing = pipe
    spawn_to_end(loop, ["echo", "hello"], [IGNORE, inherit(writing)])
    assert reading.read(100) == b"hello\n"


def test_what_is_not_given_is_the_null_device(loop, pipe):
    reading, writing = pipe
    code = "import os; [os.write(3, os.readlink(f'/proc/self/fd/{n}').encode() + b' ') for n in range(3)]"
    program = [sys.executable, "-S", "-c", code]
    for standard in [[], [IGNORE] * 3]:
        stdio = [*standard, *[IGNORE] * (3 - len(standard)), inherit(writing)]
        spawn_to_end(loop, program, stdio)
        assert reading.read(100).split() == [b"/dev/null"] * 3
    spawn_to_end(loop, ["sh", "-c", "echo; test ! -e /proc/self/fd/3"], None)


def test_more_than_the_three_standard_descriptors(loop, pipe):
    reading, writing = pipe
    for place in [3, 7, 8, 40]:
        stdio = [*[IGNORE] * place, inherit(writing)]
        spawn_to_end(loop, ["bash", "-c", f"echo {place} >&{place}"], stdio)
        assert reading.read(100) == f"{place}\n".encode()


def test_one_descriptor_in_several_places(loop, pipe):
    reading, writing = pipe
    program = ["sh", "-c", "echo one; echo two >&2; echo five >&5"]
    spawn_to_end(
        loop, program, [IGNORE, inherit(writing), inherit(writing), IGNORE, IGNORE, inherit(writing)]
    )
    assert reading.read(100) == b"one\ntwo\nfive\n"


@pytest.mark.parametrize(
    "order", [(1, 2, 0), (2, 0, 1), (0, 1, 2), (1, 1, 0), (4, 3, 0), (5, 4, 0), (3, 0, 0)]
)
def test_descriptors_may_come_in_any_order(order):
    """A place may have been overwritten by the time its old content is wanted elsewhere."""
    code = """
        import fcntl, os, pyuv, sys
        def high(fd):
            return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)
        order = [int(number) for number in sys.argv[1:]]
        report = high(1)
        ends = [[high(end) for end in os.pipe()] for _ in range(6)]
        loop = pyuv.Loop()
        for place, (_, write) in enumerate(ends):
            os.dup2(write, place if place < 3 else place + 50)
        stdio = [pyuv.StdIO(fd=fd if fd < 3 else fd + 50, flags=pyuv.UV_INHERIT_FD) for fd in order]
        program = ["sh", "-c", "echo 0 >&0; echo 1 >&1; echo 2 >&2"]
        pyuv.Process.spawn(loop, program, stdio=stdio)
        loop.run()
        for place, fd in enumerate(order):
            os.set_blocking(ends[fd][0], False)
            assert os.read(ends[fd][0], 2) == b"%d\\n" % place
        os.write(report, b"as ordered")
    """
    assert in_child(code, *order) == ["as ordered"]


def test_another_descriptor_of_the_parent_stays_non_blocking():
    """libuv copies a low number to another one, and takes that for one of the parent's."""
    code = """
        import os, pyuv, socket
        loop = pyuv.Loop()
        ends = [socket.socketpair() for _ in range(20)]
        for pair in ends:
            for end in pair:
                end.setblocking(False)
        stdio = [pyuv.StdIO(fd=fd, flags=pyuv.UV_INHERIT_FD) for fd in (0, 0, 1, 1, 2, 2)]
        for count in range(1, 7):
            pyuv.Process.spawn(loop, "true", stdio=stdio[:count])
        loop.run()
        print([os.get_blocking(fd) for fd in range(3, max(end.fileno() for end in sum(ends, ())))
               if fd not in {loop.fileno()} and os.readlink(f"/proc/self/fd/{fd}").startswith("socket")]
              .count(True))
    """
    assert in_child(code) == ["0"]


def test_an_inherited_descriptor_becomes_blocking(loop):
    mine, childs = socket.socketpair()
    with mine, childs:
        childs.setblocking(False)
        spawn_to_end(loop, "true", [inherit(childs)])
        assert os.get_blocking(childs.fileno())


def test_a_descriptor_that_is_closed(loop, pipe):
    before = open_fds()
    number = os.dup(pipe[0].fileno())
    os.close(number)
    for place in range(5):
        stdio = [*[inherit(pipe[1])] * place, inherit(number)]
        with pytest.raises(ProcessError) as error:
            pyuv.Process.spawn(loop, "true", stdio=stdio)
        message = f"bad file descriptor: fd {number} for fd {place} of the child (spawn)"
        assert error.value.args == (errno.UV_EBADF, message)
    assert open_fds() == before
    assert loop.handles == []


def test_more_places_than_there_can_be_descriptors(loop):
    limit = 1_000_000
    with pytest.raises(ProcessError) as error:
        pyuv.Process.spawn(loop, "true", stdio=[*[IGNORE] * (limit * 2), inherit(1)])
    assert error.value.args[0] in (errno.UV_EINVAL, errno.UV_EMFILE, errno.UV_EBADF)
    assert loop.run() is False


def test_without_standard_descriptors_of_its_own():
    """libuv asserts that it closes none of the numbers 0 to 2, which a pipe might have got."""
    code = """
        import os, pyuv
        kept = os.dup(1)
        loop = pyuv.Loop()
        loop.run()
        for closed in (0,), (1,), (2,), (0, 1), (0, 1, 2):
            for fd in closed:
                os.close(fd)
            ended = []
            stdio = [pyuv.StdIO(), pyuv.StdIO(fd=kept, flags=pyuv.UV_INHERIT_FD)]
            pyuv.Process.spawn(
                loop, ["sh", "-c", "echo hello"], stdio=stdio, exit_callback=lambda *end: ended.append(end)
            )
            try:
                pyuv.Process.spawn(loop, "true", stdio=[pyuv.StdIO(fd=closed[-1], flags=pyuv.UV_INHERIT_FD)])
            except pyuv.error.ProcessError as error:
                ended.append(error)
            loop.run()
            assert len(ended) == 2, ended
            for fd in closed:
                try:
                    os.fstat(fd)
                except OSError:
                    pass
                else:
                    raise AssertionError(f"{fd} is open again")
                os.dup2(kept, fd)
    """
    assert in_child(code) == ["hello"] * 5


def test_stdio_inheritance_can_be_disabled():
    code = """
        import os, pyuv
        read, write = os.pipe()
        os.set_inheritable(write, True)
        program = ["sh", "-c", f"test -e /proc/self/fd/{write}"]
        loop = pyuv.Loop()
        def spawn():
            pyuv.Process.spawn(loop, program, exit_callback=lambda *end: print(end[1:]))
            loop.run()
        spawn()
        pyuv.Process.disable_stdio_inheritance()
        spawn()
        assert not os.get_inheritable(write)
    """
    assert in_child(code) == ["(0, 0)", "(1, 0)"]


def test_descriptors_are_not_inherited_by_themselves(loop, pipe):
    number = pipe[1].fileno()
    assert fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    ended = Recorder()
    pyuv.Process.spawn(loop, ["test", "-e", f"/proc/self/fd/{number}"], exit_callback=ended)
    loop.run()
    assert ended.calls[0][1:] == (1, 0)
