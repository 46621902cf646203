"""Descriptors that others opened are given back as they were."""

import fcntl
import os
import pty
import socket

import pytest
import pyuv

from util import in_child


def blocks(fd):
    return not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK


def pipe_end(loop, fd):
    handle = pyuv.Pipe(loop)
    handle.open(os.dup(fd))
    return handle


def tcp_end(loop, fd):
    handle = pyuv.TCP(loop)
    handle.open(os.dup(fd))
    return handle


def udp_end(loop, fd):
    handle = pyuv.UDP(loop)
    handle.open(os.dup(fd))
    return handle


@pytest.fixture(params=["unix", "tcp", "udp", "poll", "pipe"])
def lent(request, loop):
    """A descriptor that blocks, and what makes a handle of its open file."""
    kind = request.param
    if kind == "pipe":
        read, write = os.pipe()
        yield write, lambda: pipe_end(loop, write)
        os.close(read)
        os.close(write)
    elif kind == "tcp":
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        yield client.fileno(), lambda: tcp_end(loop, client.fileno())
        client.close()
        server.close()
    elif kind == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            yield sock.fileno(), lambda: udp_end(loop, sock.fileno())
    else:
        ours, theirs = socket.socketpair()
        make = pyuv.Poll if kind == "poll" else pipe_end
        yield ours.fileno(), lambda: make(loop, ours.fileno())
        ours.close()
        theirs.close()


def test_it_blocks_again_when_the_handle_is_closed(loop, lent):
    fd, make = lent
    assert blocks(fd)
    handle = make()
    assert not blocks(fd)
    handle.close()
    loop.run()
    assert blocks(fd)


def test_what_did_not_block_does_not_afterwards(loop, lent):
    fd, make = lent
    os.set_blocking(fd, False)
    make().close()
    loop.run()
    assert not blocks(fd)


def test_a_handle_that_is_collected_gives_it_back(loop, lent):
    fd, make = lent
    handle = make()
    assert not blocks(fd)
    del handle
    loop.run()
    assert blocks(fd)


def test_the_last_handle_of_an_open_file_gives_it_back(loop):
    ours, theirs = socket.socketpair()
    handles = [pipe_end(loop, ours.fileno()), pyuv.Poll(loop, ours.fileno()), pipe_end(loop, ours.fileno())]
    for handle in handles:
        assert not blocks(ours.fileno())
        handle.close()
        loop.run()
    assert blocks(ours.fileno())
    ours.close()
    assert theirs.recv(1) == b""
    theirs.close()


@pytest.mark.parametrize("side", [0, 1])
def test_a_terminal_blocks_all_the_time(loop, side):
    # It is opened anew, or written to by waiting where it cannot be.
    ends = pty.openpty()
    handle = pyuv.TTY(loop, ends[side], False)
    assert blocks(ends[side])
    handle.close()
    loop.run()
    assert blocks(ends[side])
    for fd in ends:
        os.close(fd)


def test_what_is_refused_stays_as_it_was(loop, tmp_path):
    with open(tmp_path / "file", "wb") as file:
        with pytest.raises(pyuv.error.PollError):
            pyuv.Poll(loop, file.fileno())
        assert blocks(file.fileno())


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(loop):
    ours, theirs = socket.socketpair()
    poll = pyuv.Poll(loop, ours.fileno())
    other = socket.socket()
    other.setblocking(False)
    number = ours.detach()
    os.dup2(other.fileno(), number)
    poll.close()
    loop.run()
    assert not blocks(number)
    os.close(number)
    other.close()
    theirs.close()


def test_a_handle_that_is_not_closed_after_all_does_not_block(loop):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        handle = tcp_end(loop, client.fileno())
        handle.shutdown()
        with pytest.raises(pyuv.error.TCPError):
            handle.close_reset()
        assert not blocks(client.fileno())
        handle.close()
        loop.run()
        assert blocks(client.fileno())


def test_standard_output_after_a_handle_that_was_never_closed():
    assert in_child(
        """
        import os, subprocess, sys
        program = "import pyuv; pipe = pyuv.Pipe(pyuv.Loop()); pipe.open(1); pipe.write(b'x')"
        read, write = os.pipe()
        subprocess.run([sys.executable, "-c", program], stdout=write, check=True)
        print(os.get_blocking(write), os.read(read, 9))
        """
    ) == ["True b'x'"]


def test_a_forked_child_leaves_it_to_its_parent():
    assert in_child(
        """
        import os, socket, warnings, pyuv
        warnings.simplefilter("ignore", DeprecationWarning)
        loop = pyuv.Loop()
        ours, theirs = socket.socketpair()
        poll = pyuv.Poll(loop, ours.fileno())
        child = os.fork()
        if child == 0:
            loop.fork()
            poll.close()
            loop.run()
            os._exit(0)
        os.waitpid(child, 0)
        print(os.get_blocking(ours.fileno()))
        poll.close()
        print(os.get_blocking(ours.fileno()))
        """
    ) == ["False", "True"]
