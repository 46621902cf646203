"""A system that refuses threads or file descriptors: an error where libuv would abort; the loop goes on."""

import pytest

from util import IN_FORK, in_child

PRELUDE = """
import contextlib, os, resource, socket, pyuv
from pyuv import errno, fs, util

def few(what, number):
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (number, hard))
    return lambda: resource.setrlimit(what, (soft, hard))
"""

NO_THREADS = (
    PRELUDE
    + """
if os.getuid() == 0:
    # Root may start as many threads as it likes; of this user's there are no others, which would count.
    nobody = 20_000 + os.getpid() % 40_000
    os.setresgid(nobody, nobody, nobody)
    os.setresuid(nobody, nobody, nobody)
loop = pyuv.Loop()
ended = []
USES = [
    lambda: loop.queue_work(lambda: None, ended.append),
    lambda: fs.stat(loop, "/", ended.append),
    lambda: fs.read_file(loop, "/dev/null", callback=ended.append),
    lambda: fs.walk(loop, "/dev/null", callback=ended.append),
    lambda: util.getaddrinfo(loop, "127.0.0.1", 80, callback=lambda result, error: ended.append(error)),
]

def refused():
    for use in USES:
        try:
            use()
        except Exception as error:
            assert error.args[0] in (errno.UV_EAGAIN, errno.UV_ENOMEM), repr(error)
        else:
            raise AssertionError("no error")
    assert loop.run() is False

def works():
    for use in USES:
        use()
    loop.run()
    assert len(ended) == len(USES), ended
"""
)


def test_no_threads_for_the_pool():
    in_child(
        NO_THREADS
        + """
enough = few(resource.RLIMIT_NPROC, 0)
refused()
assert fs.stat(loop, "/").st_mode
enough()
works()
"""
    )


def test_threads_for_a_part_of_the_pool():
    """None of them is left."""
    in_child(
        NO_THREADS
        + """
os.environ["UV_THREADPOOL_SIZE"] = "64"
running = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    # One that ends meanwhile is not there, or has no threads.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if os.stat(f"/proc/{pid}").st_uid == os.getuid():
            running += len(os.listdir(f"/proc/{pid}/task"))
enough = few(resource.RLIMIT_NPROC, running + 20)
refused()
assert len(os.listdir("/proc/self/task")) == 1
enough()
works()
"""
    )


def test_a_forked_child_has_a_pool_of_its_own():
    in_child(
        IN_FORK
        + NO_THREADS
        + """
works()
def child():
    loop.fork()
    enough = few(resource.RLIMIT_NPROC, 0)
    refused()
    enough()
    ended.clear()
    works()
assert in_fork(child) == 0
"""
    )


@pytest.mark.parametrize("free", range(12))
def test_few_file_descriptors_for_the_first_loop(free):
    in_child(
        PRELUDE
        + f"""
free = {free}
lowest = os.dup(0)
os.close(lowest)
enough = few(resource.RLIMIT_NOFILE, lowest + free)
before = os.listdir("/proc/self/fd") if free else None
try:
    pyuv.Loop().close()
    assert free >= 7
except pyuv.error.UVError as error:
    assert error.args[0] == errno.UV_EMFILE, error
    assert free < 9
    assert not free or os.listdir("/proc/self/fd") == before
enough()
loop = pyuv.Loop()
pyuv.Timer(loop).start(lambda timer: timer.close(), 0.001)
assert loop.run() is False
"""
    )
