"""The examples of README.md run, in their order."""

import pathlib
import re
import socket

from dnsserver import DNSServer

README = pathlib.Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def run(source: str) -> None:
    exec(compile(source, README.name, "exec"), {"__name__": "example"})


def test_every_example_is_tested_here():
    assert len(EXAMPLES) == 3


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


def test_util(capsys):
    run(EXAMPLES[2])
    assert socket.gethostname() in capsys.readouterr().out
