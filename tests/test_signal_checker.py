import os
import signal
import socket

import pytest
import pyuv
from pyuv import errno
from pyuv.error import SignalError

from util import in_child

PRELUDE = """
import os, signal, socket, pyuv
reader, writer = socket.socketpair()
reader.setblocking(False)
writer.setblocking(False)
loop = pyuv.Loop()
checker = pyuv.util.SignalChecker(loop, reader.fileno())
checker.start()
signal.set_wakeup_fd(writer.fileno())
"""


def test_pythons_handlers_run_when_the_wakeup_fd_says_so():
    code = """
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: (seen.append(number), checker.close()))
prepare = pyuv.Prepare(loop)
prepare.start(lambda prepare: (prepare.close(), os.kill(os.getpid(), signal.SIGUSR1)))
loop.run()
print(seen == [signal.SIGUSR1])
"""
    assert in_child(PRELUDE + code) == ["True"]


def test_ctrl_c_leaves_run():
    code = """
signal.signal(signal.SIGINT, signal.default_int_handler)
prepare = pyuv.Prepare(loop)
prepare.start(lambda prepare: (prepare.close(), os.kill(os.getpid(), signal.SIGINT)))
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted")
"""
    assert in_child(PRELUDE + code) == ["interrupted"]


def test_a_socket_that_somebody_has_wait_again_does_not_hold_the_loop_up(loop):
    reader, writer = socket.socketpair()
    with reader, writer:
        checker = pyuv.util.SignalChecker(loop, reader)
        checker.start()
        reader.setblocking(True)
        writer.send(b"x" * 256)
        loop.run(pyuv.UV_RUN_ONCE)
        reader.setblocking(False)
        with pytest.raises(BlockingIOError):
            reader.recv(1)
        checker.close()
        loop.run()


def test_the_bytes_are_read_and_dropped(loop):
    reader, writer = socket.socketpair()
    with reader, writer:
        checker = pyuv.util.SignalChecker(loop, reader)
        checker.start()
        writer.send(b"x" * 1000)
        loop.run(pyuv.UV_RUN_ONCE)
        with pytest.raises(BlockingIOError):
            reader.recv(1)
        checker.close()
        loop.run()


def test_descriptors_that_will_not_do(loop, tmp_path):
    with pytest.raises(SignalError) as caught:
        pyuv.util.SignalChecker(loop, 999_999)
    assert caught.value.args[0] == errno.UV_EBADF
    fd = os.open(tmp_path / "file", os.O_CREAT)
    with pytest.raises(SignalError) as caught:
        pyuv.util.SignalChecker(loop, fd)
    os.close(fd)
    assert caught.value.args[0] == errno.UV_EPERM
    with pytest.raises(TypeError):
        pyuv.util.SignalChecker(loop, "fd")
    assert loop.handles == []


def test_a_descriptor_closed_too_early_does_not_end_in_a_busy_loop(loop):
    reader, writer = socket.socketpair()
    with writer:
        checker = pyuv.util.SignalChecker(loop, reader)
        checker.start()
        reader.close()
        assert loop.run() is False
        assert not checker.active
        checker.close()
        loop.run()


def test_a_peer_that_hangs_up_leaves_the_loop_usable(loop):
    reader, writer = socket.socketpair()
    with reader:
        checker = pyuv.util.SignalChecker(loop, reader)
        checker.start()
        writer.close()
        seen = []
        pyuv.Timer(loop).start(lambda timer: (seen.append(1), checker.close()), 0.005)
        loop.run()
        assert seen == [1]
    assert signal.getsignal(signal.SIGINT) is not None
