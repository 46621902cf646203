import re
from math import inf

import pytest
import pyuv
from fsutil import code_of
from pyuv import errno, fs

from util import in_child


def still_usable(loop):
    assert not loop.alive
    assert fs.stat(loop, "/").st_mode
    assert loop.run() in (False, None, True)


@pytest.mark.parametrize("with_callback", [False, True])
@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda *more: (fs.stat, "a\0b", *more), ValueError, "a\\x00b"),
        (lambda *more: (fs.stat, b"a\0b", *more), ValueError, "a\\x00b"),
        (lambda *more: (fs.rename, "a", "c\0d", *more), ValueError, "c\\x00d"),
        (lambda *more: (fs.stat, 5, *more), TypeError, "int"),
        (lambda *more: (fs.stat, None, *more), TypeError, "None"),
        (lambda *more: (fs.fstat, "5", *more), TypeError, "str"),
        (lambda *more: (fs.fstat, 2**40, *more), ValueError, "1099511627776"),
        (lambda *more: (fs.fstat, 2**100, *more), ValueError, str(2**100)),
        (lambda *more: (fs.read, 0, -1, -1, *more), ValueError, "-1"),
        (lambda *more: (fs.read, 0, 2**31, -1, *more), ValueError, "2147483648"),
        (lambda *more: (fs.read, 0, 2**100, -1, *more), ValueError, str(2**100)),
        (lambda *more: (fs.read, 0, 1, -2, *more), ValueError, "-2"),
        (lambda *more: (fs.read, 0, 1.5, -1, *more), TypeError, "float"),
        (lambda *more: (fs.write, 0, b"x", -2, *more), ValueError, "-2"),
        (lambda *more: (fs.write, 0, b"x", 2**63, *more), ValueError, str(2**63)),
        (lambda *more: (fs.write, 0, "text", -1, *more), TypeError, "str"),
        (lambda *more: (fs.write, 0, 5, -1, *more), TypeError, "int"),
        (lambda *more: (fs.write, 0, None, -1, *more), TypeError, "NoneType"),
        (lambda *more: (fs.write, 0, [], -1, *more), ValueError, "empty"),
        (lambda *more: (fs.write, 0, [b"x", "y"], -1, *more), TypeError, "str"),
        (lambda *more: (fs.chmod, "x", -1, *more), ValueError, "-1"),
        (lambda *more: (fs.chown, "x", -2, 0, *more), ValueError, "-2"),
        (lambda *more: (fs.ftruncate, 0, -1, *more), ValueError, "-1"),
        (lambda *more: (fs.sendfile, 1, 0, -1, 5, *more), ValueError, "-1"),
        (lambda *more: (fs.sendfile, 1, 0, 0, -5, *more), ValueError, "-5"),
        (lambda *more: (fs.utime, "x", 1e300, 0, *more), ValueError, "1"),
        (lambda *more: (fs.utime, "x", -inf, 0, *more), ValueError, "inf"),
    ],
)
def test_bad_input_is_an_exception_at_the_call(loop, call, exception, message, with_callback):
    function, *arguments = call(*([pytest.fail] if with_callback else []))
    with pytest.raises(exception, match=re.escape(message)):
        function(loop, *arguments)
    still_usable(loop)


@pytest.mark.parametrize("callback", [5, "callback", object()])
def test_a_callback_that_cannot_be_called_is_a_type_error(loop, callback):
    with pytest.raises(TypeError, match=re.escape(repr(callback))):
        fs.stat(loop, "/", callback)
    still_usable(loop)


def test_what_is_not_a_loop_is_a_type_error():
    for wrong in (None, 5, object(), pyuv.Loop):
        with pytest.raises(TypeError, match="loop"):
            fs.stat(wrong, "/")


def test_a_view_that_is_not_contiguous_is_refused(loop, fd):
    with pytest.raises(BufferError):
        fs.write(loop, fd, memoryview(b"0123")[::2])
    still_usable(loop)


def test_memory_that_is_not_there_is_an_error():
    assert in_child(
        """
        import os, resource, pyuv
        from pyuv import fs
        loop = pyuv.Loop()
        fd = fs.open(loop, "/dev/zero", os.O_RDONLY)
        fs.stat(loop, "/", callback=lambda request: None)
        loop.run()
        limit = 1 << 30
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            fs.read(loop, fd, 2147479552)
        except MemoryError:
            print("MemoryError")
        print(len(fs.read(loop, fd, 1000)))
        """
    ) == ["MemoryError", "1000"]


def test_the_loops_own_fd_is_not_closed(loop):
    assert code_of(fs.close, loop, loop.fileno()) == errno.UV_EBADF
    assert code_of(fs.close, loop, loop.fileno(), pytest.fail) == errno.UV_EBADF
    fs.stat(loop, "/", lambda request: None)
    loop.run()
