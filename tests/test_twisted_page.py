"""The programs of docs/twisted.md, each run as one."""

import contextlib
import pathlib
import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from util import finish

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "twisted.md"
PROGRAMS = {
    re.search(r"python (\w+)\.py", program)[1]: program
    for program in re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
}


def start(folder, name, *arguments):
    program = folder / f"{name}.py"
    program.write_text(PROGRAMS[name])
    command = [sys.executable, "-W", "error", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def serving(folder, name):
    """Starts a server; gives the port that it says it listens on."""
    child = start(folder, name)
    try:
        said = child.stdout.readline()
        yield int(re.fullmatch(r"listening on port (\d+)\n", said)[1])
    finally:
        child.terminate()
        assert finish(child) == []


def test_every_program_is_run_here():
    assert sorted(PROGRAMS) == ["echo", "hello", "lookup", "size"]
    for program in PROGRAMS.values():
        assert "pyuv.twisted.install()" in program


def test_the_server_echoes(tmp_path):
    data = bytes(range(256)) * 4000
    with serving(tmp_path, "echo") as port, socket.create_connection(("127.0.0.1", port), 20) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        with peer.makefile("rb") as back:
            assert back.read() == data


def test_the_server_says_hello(tmp_path):
    with serving(tmp_path, "hello") as port:
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                assert answer.read() == b"hello world\n"


@pytest.mark.parametrize(("path", "said"), [("file", "1234 bytes"), ("none", "failed: .*none")])
def test_a_status(tmp_path, path, said):
    (tmp_path / "file").write_bytes(bytes(1234))
    (line,) = finish(start(tmp_path, "size", tmp_path / path))
    assert re.fullmatch(said, line)


def test_a_lookup(tmp_path, dns_server):
    (line,) = finish(start(tmp_path, "lookup", dns_server.address, "www.example.com"))
    assert re.fullmatch(r"192\.0\.2\.\d+( 192\.0\.2\.\d+)*", line)
    (line,) = finish(start(tmp_path, "lookup", dns_server.address, "no.example.com"))
    assert line == "failed: DNSNameError"
