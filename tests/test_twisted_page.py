"""The programs of docs/twisted.md, each run as one."""

import re
import socket
import urllib.request

import pytest
from pageprograms import Page

from util import finish

PAGE = Page("twisted.md")


def test_every_program_is_run_here():
    assert sorted(PAGE.programs) == ["echo", "hello", "lookup", "size"]
    for program in PAGE.programs.values():
        assert "pyuv.twisted.install()" in program


def test_the_server_echoes(tmp_path):
    data = bytes(range(256)) * 4000
    with PAGE.serving(tmp_path, "echo") as port, socket.create_connection(("127.0.0.1", port), 20) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        with peer.makefile("rb") as back:
            assert back.read() == data


def test_the_server_says_hello(tmp_path):
    with PAGE.serving(tmp_path, "hello") as port:
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                assert answer.read() == b"hello world\n"


@pytest.mark.parametrize(("path", "said"), [("file", "1234 bytes"), ("none", "failed: .*none")])
def test_a_status(tmp_path, path, said):
    (tmp_path / "file").write_bytes(bytes(1234))
    (line,) = finish(PAGE.start(tmp_path, "size", tmp_path / path))
    assert re.fullmatch(said, line)


def test_a_lookup(tmp_path, dns_server):
    (line,) = finish(PAGE.start(tmp_path, "lookup", dns_server.address, "www.example.com"))
    assert re.fullmatch(r"192\.0\.2\.\d+( 192\.0\.2\.\d+)*", line)
    (line,) = finish(PAGE.start(tmp_path, "lookup", dns_server.address, "no.example.com"))
    assert line == "failed: DNSNameError"
