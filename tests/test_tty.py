"""TTY, on pseudo terminals."""

import fcntl
import os
import pty
import struct
import sys
import termios
import textwrap

import pytest
import pyuv
from pyuv import errno
from pyuv.error import HandleClosedError, TTYError

from util import Recorder, in_child, open_fds, settle


@pytest.fixture
def terminal():
    """The fds of a pseudo terminal: the master's, and the terminal's."""
    master, slave = os.openpty()
    yield master, slave
    for fd in master, slave:
        os.close(fd)


def local_flags(fd):
    return termios.tcgetattr(fd)[3]


def is_raw(fd):
    return not local_flags(fd) & (termios.ECHO | termios.ICANON | termios.ISIG)


def until_read(loop, stream, length):
    """Run the loop until so many bytes have been read from the stream, and return them."""
    got = bytearray()

    def read(stream, data, error):
        assert error is None, errno.errorcode[error]
        got.extend(data)
        if len(got) >= length:
            stream.stop_read()

    stream.start_read(read)
    loop.run()
    return bytes(got)


def test_the_size_of_a_terminal(loop, terminal):
    master, slave = terminal
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
    tty = pyuv.TTY(loop, slave, True)
    assert tty.get_winsize() == (80, 25)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    assert tty.get_winsize() == (132, 50)


def test_a_new_size_comes_with_a_signal():
    code = """
        import fcntl, os, pyuv, signal, struct, sys, termios
        loop = pyuv.Loop()
        tty = pyuv.TTY(loop, 0)
        def resized(handle, number):
            os.write(int(sys.argv[1]), repr(tty.get_winsize()).encode())
            handle.close()
        watcher = pyuv.Signal(loop)
        watcher.start(resized, signal.SIGWINCH)
        os.write(1, b"ready")
        loop.run()
    """
    read, write = os.pipe()
    os.set_inheritable(write, True)
    pid, master = pty.fork()
    if pid == 0:
        try:
            in_terminal(code, write)
        finally:
            os._exit(1)
    os.close(write)
    assert os.read(master, 5) == b"ready"
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
    with open(read, "rb") as file:
        assert file.read() == b"(22, 11)"
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def in_terminal(code, *arguments):
    """Become a Python that runs `code`."""
    program = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    os.execv(sys.executable, program)


def test_lines_are_read_and_echoed(loop, terminal):
    master, slave = terminal
    tty = pyuv.TTY(loop, slave, True)
    assert tty.readable
    assert tty.writable
    os.write(master, b"a line\n")
    assert until_read(loop, tty, 7) == b"a line\n"
    assert os.read(master, 100) == b"a line\r\n"


def test_what_is_written_appears(loop, terminal):
    master, slave = terminal
    tty = pyuv.TTY(loop, slave, False)
    written = Recorder()
    tty.write([b"two ", b"pieces"], written)
    loop.run()
    assert written.calls == [(tty, None)]
    assert os.read(master, 100) == b"two pieces"
    assert tty.try_write(b"more") == 4
    assert os.read(master, 100) == b"more"


def test_more_than_a_terminal_takes_at_once(loop, terminal):
    master, slave = terminal
    tty, reader = pyuv.TTY(loop, slave), pyuv.Poll(loop, master)
    got, data = bytearray(), b"x" * 100_000

    def read(poll, events, error):
        got.extend(os.read(master, 10_000))
        if len(got) == len(data):
            poll.close()

    reader.start(pyuv.UV_READABLE, read)
    written = Recorder()
    tty.write(data, written)
    assert tty.write_queue_size > 0
    loop.run()
    assert written.calls == [(tty, None)]
    assert got == data


@pytest.mark.parametrize("mode", [pyuv.UV_TTY_MODE_RAW, pyuv.UV_TTY_MODE_IO, pyuv.UV_TTY_MODE_RAW_VT])
def test_raw_modes_give_every_byte_and_echo_none(loop, terminal, mode):
    master, slave = terminal
    before = termios.tcgetattr(slave)
    tty = pyuv.TTY(loop, slave)
    tty.set_mode(mode)
    assert is_raw(slave)
    os.write(master, b"\x03\x04\rx")
    assert until_read(loop, tty, 4) == b"\x03\x04\rx"
    tty.write(b"a\nb")
    loop.run()
    assert os.read(master, 100) == (b"a\nb" if mode == pyuv.UV_TTY_MODE_IO else b"a\r\nb")
    tty.set_mode(pyuv.UV_TTY_MODE_NORMAL)
    assert termios.tcgetattr(slave) == before


def test_closing_brings_the_mode_back(loop, terminal):
    slave = terminal[1]
    before = termios.tcgetattr(slave)
    tty = pyuv.TTY(loop, slave)
    tty.set_mode(pyuv.UV_TTY_MODE_RAW)
    tty.close()
    assert termios.tcgetattr(slave) == before


def test_reset_mode_brings_the_mode_back(loop, terminal):
    slave = terminal[1]
    before = termios.tcgetattr(slave)
    tty = pyuv.TTY(loop, slave)
    pyuv.TTY.reset_mode()
    tty.set_mode(pyuv.UV_TTY_MODE_RAW)
    assert is_raw(slave)
    tty.reset_mode()
    assert termios.tcgetattr(slave) == before


@pytest.mark.parametrize("mode", [-1, 4, 2**40])
def test_other_modes_are_refused(loop, terminal, mode):
    with pytest.raises(ValueError, match=r"mode|range"):
        pyuv.TTY(loop, terminal[1]).set_mode(mode)


def test_the_descriptor_stays_its_owners(loop, terminal):
    slave = terminal[1]
    settle(loop)
    before = open_fds()
    tty = pyuv.TTY(loop, slave)
    assert tty.fileno() not in (slave, 0, 1, 2)
    assert os.get_blocking(slave)
    assert not os.get_blocking(tty.fileno())
    tty.close()
    loop.run()
    assert os.isatty(slave)
    assert open_fds() == before


def test_the_master_side_is_a_terminal_too(loop, terminal):
    master, slave = terminal
    settle(loop)
    before = open_fds()
    tty = pyuv.TTY(loop, master)
    os.write(slave, b"from the terminal")
    assert until_read(loop, tty, 17) == b"from the terminal"
    tty.write(b"to it\n")
    assert os.read(slave, 100) == b"to it\n"
    tty.close()
    loop.run()
    assert os.isatty(master)
    assert open_fds() == before


def test_the_end_of_the_other_side_is_an_error_or_the_end(loop):
    master, slave = os.openpty()
    tty, ended = pyuv.TTY(loop, slave), Recorder(lambda tty, data, error: tty.close())
    os.close(slave)
    tty.start_read(ended)
    os.close(master)
    loop.run()
    assert len(ended) == 1
    assert ended.calls[0][2] in (errno.UV_EOF, errno.UV_EIO)


def test_what_is_no_terminal(loop, tmp_path):
    with open(tmp_path / "file", "wb") as file, open("/dev/null", "wb") as null:
        for other in file, null, file.fileno():
            with pytest.raises(TTYError) as error:
                pyuv.TTY(loop, other)
            assert error.value.args[0] == errno.UV_EINVAL
            assert f"fd {other if isinstance(other, int) else other.fileno()}" in error.value.args[1]
        closed = file.fileno()
    for fd in closed, 2**30:
        with pytest.raises(TTYError) as error:
            pyuv.TTY(loop, fd)
        assert error.value.args == (errno.UV_EBADF, f"bad file descriptor: fd {fd} (TTY)")
    for wrong, kind in [("0", TypeError), (None, TypeError), (-1, ValueError), (2**40, OverflowError)]:
        with pytest.raises(kind):
            pyuv.TTY(loop, wrong)
    assert loop.handles == []


def test_a_pipe_has_neither_size_nor_mode(loop):
    read, write = os.pipe()
    tty = pyuv.TTY(loop, read)
    for call in tty.get_winsize, lambda: tty.set_mode(pyuv.UV_TTY_MODE_RAW):
        with pytest.raises(TTYError) as error:
            call()
        assert error.value.args[0] == errno.UV_ENOTTY
    os.write(write, b"x")
    assert until_read(loop, tty, 1) == b"x"
    for fd in read, write:
        os.close(fd)


def test_without_standard_descriptors_a_terminal_gets_none_of_their_numbers():
    """libuv does not close what has one of them."""
    code = """
        import os, pyuv
        report = os.dup(1)
        master, slave = os.openpty()
        loop = pyuv.Loop()
        pyuv.Pipe(loop)
        loop.run()
        for fd in range(3):
            os.close(fd)
        before = os.listdir("/proc/self/fd")
        tty = pyuv.TTY(loop, slave)
        assert tty.fileno() > 2
        tty.close()
        loop.run()
        assert os.listdir("/proc/self/fd") == before
        os.write(report, b"as before")
    """
    assert in_child(code) == ["as before"]


def test_a_closed_terminal_says_so(loop, terminal):
    tty = pyuv.TTY(loop, terminal[1])
    tty.close()
    for call in tty.get_winsize, tty.fileno, lambda: tty.set_mode(0), lambda: tty.write(b""):
        with pytest.raises(HandleClosedError):
            call()


def test_escape_sequences_are_a_matter_of_windows(loop):
    pyuv.TTY.set_vterm_state(pyuv.UV_TTY_SUPPORTED)
    with pytest.raises(ValueError, match="no such state"):
        pyuv.TTY.set_vterm_state(7)
    with pytest.raises(TTYError) as error:
        pyuv.TTY.get_vterm_state()
    assert error.value.args[0] == errno.UV_ENOTSUP


def test_a_child_on_a_terminal_of_this_process(loop, terminal):
    master, slave = terminal
    container = pyuv.StdIO(fd=slave, flags=pyuv.UV_INHERIT_FD)
    ended = Recorder()
    pyuv.Process.spawn(loop, "tty", stdio=[container] * 3, exit_callback=ended)
    loop.run()
    assert ended.calls[0][1:] == (0, 0)
    assert os.read(master, 100).decode().strip() == os.ttyname(slave)


def test_an_interrupt_key_is_a_signal_only_in_normal_mode():
    code = """
        import os, pyuv, signal
        loop = pyuv.Loop()
        tty = pyuv.TTY(loop, 0)
        watcher = pyuv.Signal(loop)
        def interrupted(handle, number):
            tty.set_mode(pyuv.UV_TTY_MODE_RAW)
            os.write(1, b"signal")
            tty.start_read(read)
            handle.close()
        def read(tty, data, error):
            os.write(1, data.hex().encode())
            tty.close()
        watcher.start(interrupted, signal.SIGINT)
        os.write(1, b"ready")
        loop.run()
    """
    pid, master = pty.fork()
    if pid == 0:
        try:
            in_terminal(code)
        finally:
            os._exit(1)
    seen = b""
    for key, answer in [(b"", b"ready"), (b"\x03", b"signal"), (b"\x03", b"03")]:
        os.write(master, key)
        while not seen.endswith(answer):
            seen += os.read(master, 100)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(master)
