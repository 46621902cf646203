"""The programs of docs/twisted.md, each run as one."""

import re

import pytest
from pageprograms import Page

from util import finish

PAGE = Page("twisted.md")


def test_every_program_is_run_here():
    assert sorted(PAGE.programs) == ["echo", "hello", "lookup", "size"]
    for program in PAGE.programs.values():
        assert "pyuv.twisted.install()" in program


def test_the_server_echoes(tmp_path):
    PAGE.echoes(tmp_path)


def test_the_server_says_hello(tmp_path):
    PAGE.says_hello(tmp_path)


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
