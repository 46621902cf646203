"""The programs of docs/tornado.md, each run as one."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tornado.md"
EXAMPLE = re.compile(r"^```py\n(.*?)^```", re.DOTALL | re.MULTILINE)


@contextmanager
def running(number: int) -> Iterator[int]:
    """Starts a program of the page; gives the port that it says it listens on."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "program.py")
        program.write_text(EXAMPLE.findall(PAGE.read_text())[number])
        command = [sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning", program]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                said = process.stdout.readline()
                found = re.fullmatch(r"listening on port (\d+)\n", said)
                if found:
                    yield int(found[1])
            finally:
                process.kill()
            complaints = process.stderr.read()
    assert found, f"it says {said!r}\n{complaints}"
    assert not complaints, complaints


class PageTest(unittest.TestCase):
    def test_the_server_says_hello(self) -> None:
        with running(0) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert answer.read() == b"hello world\n"

    def test_the_server_echoes(self) -> None:
        data = bytes(range(256)) * 1000
        with running(1) as port, socket.create_connection(("127.0.0.1", port), 20) as peer:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            with peer.makefile("rb") as back:
                assert back.read() == data

    def test_both_run_on_this_loop(self) -> None:
        for program in EXAMPLE.findall(PAGE.read_text()):
            assert re.search(r"\npyuv\.asyncio\.(run|install)\(", program)
