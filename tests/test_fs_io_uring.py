"""Loop.configure(io_uring=True): the same results, whether the kernel has it, is told not to, or refuses."""

import ctypes
import os
import re

import pytest

from util import in_child

OPERATIONS = """
import errno as os_errno, os, sys, pyuv
from pyuv import errno, fs

if sys.argv[2] == "refused":
    # A filter of system calls: 425, io_uring_setup, fails with EPERM.
    import ctypes, struct
    rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rules), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, filter, 0, 0) == 0, os.strerror(ctypes.get_errno())

os.chdir(sys.argv[1])
loop = pyuv.Loop()
loop.configure(io_uring=True)

def ask(function, *arguments):
    seen = []
    request = function(loop, *arguments, callback=seen.append)
    loop.run()
    assert seen == [request]
    return request.result if request.error is None else errno.errorcode[request.error]

fd = ask(fs.open, "file", os.O_RDWR | os.O_CREAT, 0o600)
print(ask(fs.write, fd, [b"0123", b"", b"456789"], 0))
print(ask(fs.fsync, fd), ask(fs.fdatasync, fd))
print(ask(fs.read, fd, 4, 2), ask(fs.read, fd, 4, 10))
buffers = [bytearray(3), bytearray(4)]
print(ask(fs.readinto, fd, buffers, 1), buffers)
print(ask(fs.ftruncate, fd, 5), ask(fs.fstat, fd).st_size)
print(ask(fs.stat, "file") == fs.stat(loop, "file"), ask(fs.lstat, "file") == fs.lstat(loop, "file"))
print(ask(fs.link, "file", "second"), ask(fs.symlink, "file", "third"), ask(fs.mkdir, "folder"))
print(ask(fs.rename, "second", "other"), ask(fs.unlink, "other"), ask(fs.close, fd))
print(ask(fs.stat, "missing"), ask(fs.open, "missing", 0), ask(fs.unlink, "folder"))
print(ask(fs.mkdir, "folder"), ask(fs.symlink, "x", "third"), ask(fs.link, "missing", "x"))
print(ask(fs.read, fd, 1), ask(fs.write, -1 % 2**31, b"x"), ask(fs.fsync, 2**31 - 9))
# What io_uring has no part in.
print(ask(fs.write_file, "whole", b"text"), ask(fs.read_file, "whole"), ask(fs.copyfile, "whole", "copy"))
print(sorted(entry.name for entry in ask(fs.scandir, ".")))

many = [fs.stat(loop, "file", lambda request: None) for _ in range(500)]
loop.run()
print({request.result.st_size for request in many})
waiting = fs.stat(loop, "file", lambda request: None)
cancelled = waiting.cancel()
loop.run()
print(waiting.error == errno.UV_ECANCELED if cancelled else waiting.result.st_size == 5)
"""

RESULTS = [
    "10",
    "None None",
    "b'2345' b''",
    "7 [bytearray(b'123'), bytearray(b'4567')]",
    "None 5",
    "True True",
    "None None None",
    "None None None",
    "UV_ENOENT UV_ENOENT UV_EISDIR",
    "UV_EEXIST UV_EEXIST UV_ENOENT",
    "UV_EBADF UV_EBADF UV_EBADF",
    "4 b'text' None",
    "['copy', 'file', 'folder', 'third', 'whole']",
    "{5}",
    "True",
]


@pytest.mark.parametrize("how", ["off", "on", "refused"])
def test_every_operation_gives_the_same(tmp_path, how):
    environment = os.environ | {"UV_USE_IO_URING": "0" if how == "off" else "1"}
    assert in_child(OPERATIONS, tmp_path, how, env=environment) == RESULTS


def test_a_ring_is_there_where_the_kernel_gives_one_and_the_environment_says_so():
    code = """
        import os, pyuv
        loop = pyuv.Loop()
        loop.configure(io_uring=True)
        pyuv.fs.stat(loop, "/", lambda request: None)
        loop.run()
        fds = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        print(sum(os.path.exists(fd) and "io_uring" in os.readlink(fd) for fd in fds))
        """

    def rings(use):
        return int(*in_child(code, env=os.environ | {"UV_USE_IO_URING": use}))

    probe = ctypes.create_string_buffer(120)
    fd = ctypes.CDLL(None).syscall(425, 8, probe)
    if fd >= 0:
        os.close(fd)
    # libuv leaves older kernels alone, whose rings keep a processor busy.
    kernel = tuple(map(int, re.findall(r"\d+", os.uname().release)[:3]))
    # There may be another ring, for changes of what the loop polls.
    assert rings("1") - rings("0") == (1 if fd >= 0 and kernel >= (5, 10, 186) else 0)
