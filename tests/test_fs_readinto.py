import array
import mmap
import os
import re
import threading

import pytest
from fsutil import FOREIGN_FD, code_of
from pyuv import errno, fs

from util import in_child


def test_what_arrives_is_in_the_buffer(do, fd):
    buffer = bytearray(b"........")
    assert do(fs.readinto, fd, buffer, 2) == 8
    assert buffer == b"23456789"
    assert do(fs.readinto, fd, buffer, 7) == 3
    assert buffer == b"78956789"
    assert do(fs.readinto, fd, buffer, 10) == 0
    assert do(fs.readinto, fd, buffer) == 8
    assert do(fs.readinto, fd, buffer, -1) == 2
    assert buffer == b"89234567"


def test_several_buffers_are_filled_in_order(do, fd):
    one, two, none, three = bytearray(3), array.array("B", [0] * 4), bytearray(), bytearray(b"......")
    assert do(fs.readinto, fd, [one, two, none, memoryview(three)[1:]], 0) == 10
    assert (one, two.tobytes(), three) == (b"012", b"3456", b".789..")


def test_memory_maps_and_views_are_buffers(do, fd):
    with mmap.mmap(-1, 4096) as memory:
        assert do(fs.readinto, fd, memory, 0) == 10
        assert memory[:11] == b"0123456789\0"
    buffer = bytearray(10)
    assert do(fs.readinto, fd, memoryview(buffer)[4:6], 0) == 2
    assert buffer == b"\0\0\0\0" + b"01" + b"\0\0\0\0"


def test_one_call_takes_so_many_buffers_and_the_next_goes_on(do, fd, file):
    file.write_bytes(bytes(range(256)) * 8)
    buffers = [bytearray(1) for _ in range(2000)]
    count = do(fs.readinto, fd, buffers, 0)
    assert count == min(len(buffers), os.sysconf("SC_IOV_MAX"))
    assert do(fs.readinto, fd, buffers[count:], count) == len(buffers) - count
    assert b"".join(buffers) == (bytes(range(256)) * 8)[:2000]


@pytest.mark.parametrize(
    ("buffers", "exception", "message"),
    [
        (b"bytes", TypeError, "writable"),
        (memoryview(b"bytes"), TypeError, "writable"),
        ([bytearray(1), b"bytes"], TypeError, "writable"),
        ("text", TypeError, "str"),
        (5, TypeError, "int"),
        (None, TypeError, "NoneType"),
        ([], ValueError, "empty"),
        ([bytearray(1), "text"], TypeError, "str"),
    ],
)
def test_what_is_no_buffer_is_refused_at_the_call(do, fd, buffers, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        do(fs.readinto, fd, buffers, 0)


def test_a_view_that_is_not_contiguous_is_refused(do, fd):
    with pytest.raises(BufferError):
        do(fs.readinto, fd, memoryview(bytearray(8))[::2], 0)


def test_errors_of_the_call(do, fd, tmp_path):
    assert code_of(do, fs.readinto, FOREIGN_FD, bytearray(1)) == errno.UV_EBADF
    assert code_of(do, fs.readinto, -1, bytearray(1)) == errno.UV_EBADF
    with pytest.raises(ValueError, match="-2"):
        do(fs.readinto, fd, bytearray(1), -2)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert code_of(do, fs.readinto, folder, bytearray(1), -1) == errno.UV_EISDIR
    finally:
        os.close(folder)


def test_more_than_one_call_moves_is_an_error_before_it_is_read(do, fd):
    with mmap.mmap(-1, 2**31, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        assert code_of(do, fs.readinto, fd, memory, 0) == errno.UV_EINVAL
        assert code_of(do, fs.readinto, fd, [memory, memory], 0) == errno.UV_EINVAL


def test_the_memory_is_locked_until_the_callback(loop):
    out, into = os.pipe()
    buffer = bytearray(4)
    request = fs.readinto(loop, out, buffer, callback=lambda request: None)
    with pytest.raises(BufferError):
        buffer.append(1)
    os.write(into, b"data")
    loop.run()
    assert (request.result, request.fd, buffer) == (4, out, b"data")
    buffer.append(1)
    os.close(out)
    os.close(into)


def test_other_threads_run_while_it_blocks(loop):
    out, into = os.pipe()
    buffer = bytearray(4)
    thread = threading.Thread(target=lambda: os.write(into, b"x"))
    thread.start()
    assert fs.readinto(loop, out, buffer) == 1
    thread.join()
    os.close(out)
    os.close(into)


def test_ctrl_c_ends_one_that_blocks():
    assert in_child(
        """
        import os, signal, threading, pyuv
        loop = pyuv.Loop()
        out, into = os.pipe()
        done = threading.Event()

        def interrupt():
            # Sent again until it meets the read.
            while not done.wait(0.01):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        try:
            threading.Thread(target=interrupt).start()
            pyuv.fs.readinto(loop, out, bytearray(1))
        except KeyboardInterrupt:
            done.set()
            print("KeyboardInterrupt")
        """
    ) == ["KeyboardInterrupt"]
