"""Where Python has no memory for a small object, that is a MemoryError, and everything goes on afterwards."""

import pytest

from util import in_child

pytest.importorskip("_testcapi", reason="makes allocations fail", exc_type=ImportError)

PRELUDE = """
import os, socket, sys, _testcapi
os.environ["UV_THREADPOOL_SIZE"] = "1"
import pyuv
from pyuv import dns, fs, util
loop = pyuv.Loop()
ours, theirs = socket.socketpair()
pipe = pyuv.Pipe(loop)
pipe.open(ours.detach())
timer = pyuv.Timer(loop)
folder = sys.argv[1]
file = os.path.join(folder, "a file with a name of some length")
with open(file, "w") as stream:
    stream.write("content" * 100)
fd = os.open(file, os.O_RDWR)
udp = pyuv.UDP(loop)
udp.bind(("127.0.0.1", 0))
channel = dns.Channel(loop, servers=["127.0.0.1:9", "[::1]:9"])
turn = lambda: loop.run(pyuv.UV_RUN_NOWAIT)
done = lambda *arguments: None
kinds = [None] * 100
fifo = os.path.join(folder, "fifo")
os.mkfifo(fifo)
def hold_the_pool():
    fs.open(loop, fifo, os.O_RDONLY, callback=lambda request: os.close(request.result))
def let_the_pool_go():
    os.close(os.open(fifo, os.O_WRONLY))
    loop.run()
def drain():
    try:
        theirs.recv(1 << 20, socket.MSG_DONTWAIT)
    except BlockingIOError:
        pass
"""

CALLS = {
    "a handle": "pyuv.Timer(loop), loop.handles, repr(timer)",
    "a timer": "timer.start(done, 0), turn()",
    "a write": "pipe.write(b'text', done), turn()",
    "a write of a view": "pipe.write(memoryview(b'text'), done), turn()",
    "a write of many": "pipe.write([b'text' * 100, bytearray(b'more')]), turn()",
    "an address": "udp.getsockname()",
    "a datagram": "udp.send(('127.0.0.1', 9), bytearray(b'text'), done), turn()",
    "numbers of the loop": "loop.now(), loop.metrics(), loop.get_timeout()",
    "stat": "fs.stat(loop, file), fs.stat(loop, file, done), turn()",
    "scandir": "fs.scandir(loop, folder)",
    "a walk": "fs.walk(loop, folder)",
    "a file": "fs.read_file(loop, file), fs.read(loop, fd, 100, 0)",
    "a lookup": "dns.getaddrinfo(loop, '127.0.0.1', 80)",
    "a channel": "channel.servers, channel.query('example.com', 'A', callback=done)",
    "the machine": "util.cpu_info(), util.interface_addresses(), util.getrusage(), util.uptime()",
    "a queue": "pyuv.thread.Queue().put([])",
    "locks": "pyuv.thread.Mutex(), pyuv.thread.RWLock(), pyuv.thread.Condition(), pyuv.thread.Semaphore()",
    "a loop": "pyuv.Loop().close()",
    "a new channel": "dns.Channel(loop, servers=['127.0.0.1:9']).close()",
    "work": "loop.queue_work(done), turn()",
    "a lookup by a pool thread": "util.getaddrinfo(loop, '127.0.0.1', 80), turn()",
    "a name": "util.hostname(), util.os_uname()",
}


# What has the pool's thread run Python, which must not be where the hooks change: that takes no lock.
IN_THE_POOL = ("work",)


@pytest.mark.parametrize("how", ["one", "all"])
@pytest.mark.parametrize("what", CALLS)
def test_a_failed_allocation_is_a_memory_error(what, how, tmp_path):
    if how == "all" and what in ("stat", "work"):
        pytest.skip("PyO3 ends the process where there is no memory for an error's text")
    before, after = ("hold_the_pool()", "let_the_pool_go()") if what in IN_THE_POOL else ("", "")
    code = f"""{PRELUDE}
def call():
    {CALLS[what]}
def attempt():
    try:
        call()
        return "done"
    except Exception as error:
        return type(error).__name__
normally = {{attempt() for _ in range(3)}}
def fail(number, end):
    # Short: where there is no memory for the number of an instruction, CPython itself hangs.
    _testcapi.set_nomemory(number, end)
    try:
        call()
    except BaseException as error:
        kinds[number] = type(error)
    finally:
        _testcapi.remove_mem_hooks()
for number in range(1, 100):
    {before}
    fail(number, number + 1 if {how!r} == "one" else 0)
    {after}
    drain()
seen = {{kind.__name__ if kind else "done" for kind in kinds[1:]}}
assert seen <= normally | {{"MemoryError"}}, seen
assert attempt() in normally
# Nothing is at work any more that a hook of the next program would meet.
loop.run(pyuv.UV_RUN_NOWAIT)
theirs.close()
print("survived")
"""
    assert in_child(code, tmp_path) == ["survived"]


def test_an_exception_with_a_text_of_its_own_is_raised_or_a_memory_error(tmp_path):
    code = f"""{PRELUDE}
for number in range(100):
    _testcapi.set_nomemory(number + 1, number + 2)
    try:
        timer.start("no callable", 1)
    except BaseException as error:
        kinds[number] = type(error)
    finally:
        _testcapi.remove_mem_hooks()
print(sorted({{kind.__name__ for kind in kinds}}))
theirs.close()
"""
    assert in_child(code, tmp_path) == ["['MemoryError', 'TypeError']"]
