"""Daphne on pyuv's event loop: it serves ASGI by Twisted, on asyncio's loop."""

import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from serverprocess import READY_WITHIN
from uvicornserver import HERE

LISTENING = re.compile(r"Listening on TCP address 127\.0\.0\.1:(\d+)")
# Its module has Twisted run on whatever loop asyncio's policy makes.
PROGRAM = """
import sys
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import pyuv.asyncio

    pyuv.asyncio.install()
    from daphne.cli import CommandLineInterface

CommandLineInterface().run(sys.argv[1:])
"""


@pytest.fixture
def address(tmp_path):
    """A server's address."""
    (tmp_path / "serve.py").write_text(PROGRAM)
    options = ["--bind", "127.0.0.1", "--port", "0", "--verbosity", "1"]
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        tmp_path / "serve.py",
        *options,
        "application:application",
    ]
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=HERE, stdout=output, stderr=output)
    try:
        until = time.monotonic() + READY_WITHIN
        while not (found := LISTENING.search(log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        yield "127.0.0.1", int(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


def ask(address, request):
    with socket.create_connection(address, 20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(100_000), b""))


def test_requests_are_answered(address):
    for _ in range(20):
        answer = ask(address, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"\r\n\r\nHello")
    size = 3_000_000
    answer = ask(address, b"GET /bytes/%d HTTP/1.0\r\n\r\n" % size)
    assert answer.partition(b"\r\n\r\n")[2] == bytes(size)
    body = bytes(range(256)) * 1000
    head = b"POST /echo HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert ask(address, head + body).partition(b"\r\n\r\n")[2] == body


def test_it_runs_on_pyuv_s_loop(address):
    answer = ask(address, b"GET /loop HTTP/1.0\r\n\r\n")
    assert re.search(rb"\r\n\r\npyuv\.asyncio\._event_loop\.EventLoop$", answer)
