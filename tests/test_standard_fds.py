"""Programs without a standard input, output or error: no number of theirs is mistaken for one."""

import subprocess
import sys

import pytest

from util import in_child, redirected

LOOP = """
import os
import pyuv

loop = pyuv.Loop()
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_program_started_without(closed, tmp_path):
    out = tmp_path / "out"
    code = f"""{LOOP}
for fd in range(3):
    os.fstat(fd)
timer = pyuv.Timer(loop)
timer.start(lambda timer: timer.close(), 0.001, 0)
server = pyuv.TCP(loop)
server.bind(("127.0.0.1", 0))
assert server.fileno() > 2
server.close()
loop.run()
loop.close()
open({str(out)!r}, "w").write("done")
"""
    command = redirected(closed, [sys.executable, "-W", "error", "-c", code])
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=50)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == "done"


def test_those_that_are_open_stay_as_they_are():
    assert in_child(f"""
import os
before = [os.fstat(fd) for fd in range(3)]
{LOOP}
assert [os.fstat(fd).st_ino for fd in range(3)] == [one.st_ino for one in before]
print("done")
""") == ["done"]


def test_one_that_is_opened_on_nothing():
    """Reads are at their end, writes go nowhere, and a child gets it."""
    assert in_child(f"""
import os
os.close(0)
{LOOP}
assert os.read(0, 100) == b""
assert os.write(0, b"data") == 4
assert os.get_inheritable(0)
again = pyuv.Loop()
assert not os.path.samestat(os.fstat(0), os.fstat(1))
print("done")
""") == ["done"]


@pytest.mark.parametrize("fd", range(3))
@pytest.mark.parametrize(
    "use",
    [
        'udp = pyuv.UDP(loop); udp.bind(("127.0.0.1", 0)); udp.close()',
        'tcp = pyuv.TCP(loop); tcp.bind(("127.0.0.1", 0)); tcp.listen(print); tcp.close()',
        "pyuv.util.resident_set_memory(); pyuv.util.cpu_info(); pyuv.util.exepath()",
        'watcher = pyuv.fs.FSEvent(loop); watcher.start("/", 0, print); watcher.close()',
        'pyuv.Process.spawn(loop, ["true"], exit_callback=lambda process, *rest: process.close())',
        "pyuv.Loop().close()",
        'pyuv.dns.Channel(loop, servers=["127.0.0.1"]).close()',
        "pyuv.fs.close(loop, pyuv.fs.open(loop, '/', os.O_RDONLY, 0))",
        "[os.close(end) for end in (*pyuv.util.pipe(), *pyuv.util.socketpair())]",
    ],
)
def test_one_closed_after_the_loop_was_made(fd, use):
    """Whatever gets the number can be closed."""
    in_child(f"{LOOP}\nos.close({fd})\n{use}\nloop.run()\nloop.close()")


def test_a_socket_for_standard_input():
    """As inetd starts a program that is to answer datagrams."""
    in_child(f"""
import os, socket
given = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
given.bind(("127.0.0.1", 0))
address = given.getsockname()
os.dup2(given.fileno(), 0)
given.close()
{LOOP}
got = []
udp = pyuv.UDP(loop)
udp.open(0)

def on_datagram(udp, source, flags, data, error):
    got.append(data)
    udp.close()

udp.start_recv(on_datagram)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.sendto(b"question", address)
loop.run()
assert got == [b"question"], got
""")
