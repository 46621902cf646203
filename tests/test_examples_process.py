"""The programs in examples/ that are about processes and terminals, each run as one."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def program(name):
    return [sys.executable, "-X", "faulthandler", "-W", "error", str(EXAMPLES / name)]


def test_pipeline_counts_words():
    text = b"to be or not to be\n" * 50_000
    done = subprocess.run(program("pipeline.py"), input=text, capture_output=True, timeout=40, check=False)
    assert done.stderr == b""
    assert done.returncode == 0
    counted = [line.split() for line in done.stdout.decode().splitlines()]
    assert counted == [["100000", "be"], ["100000", "to"], ["50000", "not"], ["50000", "or"]]


def test_pipeline_of_nothing():
    done = subprocess.run(program("pipeline.py"), input=b"", capture_output=True, timeout=40, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_echo_tty_shows_keys():
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.execv(sys.executable, program("echo_tty.py"))
        finally:
            os._exit(1)
    seen = b""

    def until(expected):
        nonlocal seen
        while expected not in seen:
            seen += os.read(master, 1000)
        seen = seen.partition(expected)[2]

    until(b"0 columns, 0 rows\r\n")
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    until(b"80 columns, 24 rows\r\n")
    for key, shown in [
        (b"a", b"b'a'\r\n"),
        (b"\x03", rb"b'\x03'"),
        (b"\x1b[A", rb"b'\x1b[A'"),
        (b"\x04", b"4'"),
    ]:
        os.write(master, key)
        until(shown)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(master)
