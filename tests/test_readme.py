"""The examples of README.md run, in their order."""

import contextlib
import pathlib
import re
import socket

import pyuv
from dnsserver import DNSServer

README = pathlib.Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def run(source: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(source, README.name, "exec"), names)
    return names


def test_every_example_is_tested_here():
    assert len(EXAMPLES) == 5


def test_dns(capsys):
    with DNSServer() as server:
        run(EXAMPLES[0].replace("192.0.2.53", server.address))
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == ["example.com 300 backup.mail.example.com", "example.com 300 mail.example.com"]


def test_fs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(EXAMPLES[1])
    assert capsys.readouterr().out == "notes.txt no such file or directory\n"
    pathlib.Path("notes.txt").write_text("remember")
    run(EXAMPLES[1])
    assert capsys.readouterr().out == "b'remember'\n"


def test_asyncio(capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run(EXAMPLES[2].replace("7001", str(port)))
    assert capsys.readouterr().out == "b'HELLO\\n'\n"


def test_echo():
    example = EXAMPLES[3]
    assert example.endswith("loop.run()\n")
    names = run(example.removesuffix("loop.run()\n").replace("7000", "0"))
    loop, server = names["loop"], names["server"]
    echoed = b""
    with socket.create_connection(server.getsockname()) as client:
        client.setblocking(False)
        client.sendall(b"hello")
        while echoed != b"hello":
            loop.run(pyuv.UV_RUN_ONCE)
            with contextlib.suppress(BlockingIOError):
                echoed += client.recv(5)
    server.close()
    loop.run()
    loop.close()


def test_util(capsys):
    run(EXAMPLES[4])
    assert socket.gethostname() in capsys.readouterr().out
