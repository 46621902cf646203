"""uvicorn on pyuv's event loop, under the load of wrk: every answer is right, and it ends as it should."""

import json
import signal
import socket
import subprocess

import debian
import pytest
from uvicornserver import HERE, TLS, Uvicorn

LOOP = "pyuv.asyncio._event_loop.EventLoop"
# How uvicorn ends on asyncio's event loop.
STATUS = {signal.SIGTERM: -signal.SIGTERM, signal.SIGINT: 0}
both_parsers = pytest.mark.parametrize("parser", ["h11", "httptools"])


def start_wrk(server, seconds):
    """wrk with 32 connections."""
    wrk = [debian.program("wrk", "wrk"), "--threads", "1", "--connections", "32", "--duration", f"{seconds}s"]
    return subprocess.Popen(
        [*wrk, "--script", HERE / "wrk.lua", f"{server.url}/"], stdout=subprocess.PIPE, text=True
    )


def load(server, seconds=1):
    """How many requests wrk made. Each was answered as it should."""
    with start_wrk(server, seconds) as wrk:
        result = json.loads(wrk.stdout.read().splitlines()[-1])
    requests = result.pop("requests")
    assert set(result.values()) == {0}, result
    return requests


def served(server):
    return int(server.get("/served"))


@pytest.mark.parametrize("tls", [[], TLS], ids=["plain", "tls"])
@both_parsers
def test_every_request_of_wrk_is_answered(parser, tls, tmp_path):
    with Uvicorn(tmp_path, "--http", parser, *tls) as server:
        assert load(server) > 100
        status, printed = server.finish(signal.SIGTERM)
    assert status == STATUS[signal.SIGTERM]
    assert f"lifespan.startup on {LOOP}" in printed
    assert f"lifespan.shutdown on {LOOP}" in printed


@pytest.mark.parametrize("number", STATUS)
@both_parsers
def test_a_signal_under_load_ends_it_cleanly(parser, number, tmp_path):
    with Uvicorn(tmp_path, "--http", parser) as server, start_wrk(server, 60) as wrk:
        while served(server) < 500:
            assert wrk.poll() is None
        status, printed = server.finish(number)
        wrk.terminate()
        wrk.stdout.read()
    assert status == STATUS[number]
    assert "Finished server process" in printed


@both_parsers
def test_a_request_that_is_under_way_is_answered_before_the_end(parser, tmp_path):
    body = bytes(range(256)) * 1000
    head = f"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with Uvicorn(tmp_path, "--http", parser) as server, socket.create_connection(server.address) as client:
        client.sendall(head + body[:1000])
        while b"\r\n\r\n" not in (answer := client.recv(1000, socket.MSG_PEEK)):
            assert answer
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("Waiting for (connections to close|background tasks)")
        client.sendall(body[1000:])
        answer = b"".join(iter(lambda: client.recv(100_000), b""))
        assert server.process.wait(30) == STATUS[signal.SIGTERM]
    head, _, chunks = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert dechunked(chunks) == body


def dechunked(data):
    """The body of a response in chunks."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body += data[:length]
        assert data[length : length + 2] == b"\r\n"
        data = data[length + 2 :]
    return body


def test_workers_share_a_socket_and_end_together(tmp_path):
    # uvicorn's parent process does not close its socket.
    with Uvicorn(tmp_path, "--workers", "2", warnings="ignore") as server:
        server.wait_for("(?s)lifespan.startup.*lifespan.startup")
        assert load(server) > 100
        status, printed = server.finish(signal.SIGTERM)
    assert status == 0
    assert printed.count(f"lifespan.shutdown on {LOOP}") == 2


def test_a_client_that_goes_in_the_middle_is_noticed(tmp_path):
    with Uvicorn(tmp_path) as server:
        for _ in range(50):
            with socket.create_connection(server.address) as client:
                client.sendall(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with socket.create_connection(server.address) as client:
                client.sendall(b"GET /bytes/10000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert client.recv(100)
        assert server.get("/") == b"Hello"
        # It waits for every request that it has.
        assert server.finish(signal.SIGTERM)[0] == STATUS[signal.SIGTERM]
