"""The programs of docs/gevent.md."""

import re
import signal

import pytest
from pageprograms import Page

from util import finish

PAGE = Page("gevent.md")


def test_every_program_is_run_here():
    assert sorted(PAGE.programs) == ["echo", "hello", "size"]
    for program in PAGE.programs.values():
        assert 'os.environ["GEVENT_LOOP"] = "pyuv.gevent.loop"' in program


def test_the_server_echoes(tmp_path):
    PAGE.echoes(tmp_path, -signal.SIGTERM)


def test_the_server_says_hello(tmp_path):
    PAGE.says_hello(tmp_path, -signal.SIGTERM)


@pytest.mark.parametrize(("path", "said"), [("file", "1234 bytes"), ("none", "failed: .*none.*")])
def test_a_status(tmp_path, path, said):
    (tmp_path / "file").write_bytes(bytes(1234))
    (line,) = finish(PAGE.start(tmp_path, "size", tmp_path / path))
    assert re.fullmatch(said, line)
