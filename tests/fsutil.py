"""Helpers of the tests of pyuv.fs."""

import os
import textwrap
import threading

import pytest
from pyuv.error import FSError

# No process has that many files open.
FOREIGN_FD = 2**31 - 16


def code_of(call, *arguments, **options):
    """The code of the FSError that the call raises."""
    with pytest.raises(FSError) as raised:
        call(*arguments, **options)
    code, message = raised.value.args
    assert message
    return code


def block_pool(loop):
    """Keeps every thread of the pool waiting; gives what lets them go."""
    gate = threading.Event()
    for _ in range(int(os.environ.get("UV_THREADPOOL_SIZE", "4"))):
        loop.queue_work(gate.wait)
    return gate.set


def has_reader(fifo):
    """Whether somebody has the FIFO open to read it."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


# Begins the code of a child process that wants a disk that is soon full, of 64 KiB: `small`, in
# namespaces of the child's own. Where the system refuses those it is a folder, and no file may be
# longer than that; `full` is the code that a write then fails with.
SMALL_DISK = textwrap.dedent(
    """
    import ctypes, os, resource, signal, sys, pyuv
    from pathlib import Path
    from pyuv import errno, fs

    os.chdir(sys.argv[1])
    os.mkdir("small")

    def mount():
        libc = ctypes.CDLL(None)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(0x10000000 | 0x00020000) != 0:
            return False
        try:
            maps = {"setgroups": "deny", "uid_map": f"0 {user} 1", "gid_map": f"0 {group} 1"}
            for name, text in maps.items():
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
        except OSError:
            return False
        return libc.mount(b"tmpfs", b"small", b"tmpfs", 0, b"size=64k,nr_inodes=16") == 0

    mounted = mount()
    full = errno.UV_ENOSPC if mounted else errno.UV_EFBIG
    if not mounted:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    loop = pyuv.Loop()

    def errors(function, *arguments, **options):
        # Of the call that waits and of the other.
        try:
            print("no error", function(loop, *arguments, **options))
        except pyuv.error.FSError as error:
            yield error.args[0], error.bytes_written
        request = function(loop, *arguments, callback=lambda request: None, **options)
        loop.run()
        yield request.error, request.bytes_written
    """
)
