import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "examples" / "file_watcher.py"


class Watcher:
    """The program, at work."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def until(self, expected):
        """Reads up to this line; gives the lines before it."""
        before = []
        while (line := self.line()) != expected:
            assert line, self.process.stderr.read()
            before.append(line)
        return before

    def end(self):
        self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=30)
        assert (self.process.returncode, errors) == (0, "")
        return out


@pytest.fixture
def watch():
    started = []

    def start(*arguments):
        started.append(Watcher(*arguments))
        return started[-1]

    yield start
    for watcher in started:
        watcher.process.kill()
        watcher.process.communicate()


def test_a_tree_is_watched_with_what_is_made_in_it(watch, tmp_path):
    (tmp_path / "below").mkdir()
    watcher = watch(tmp_path)
    assert watcher.line() == f"watching {tmp_path}"
    (tmp_path / "file").write_text("text")
    watcher.until(f"new {tmp_path}/file")
    (tmp_path / "below" / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "below" / "deep" / "deeper" / "file").write_text("text")
    watcher.until(f"new {tmp_path}/below/deep/deeper/file")
    (tmp_path / "below" / "deep" / "deeper" / "file").write_text("other")
    watcher.until(f"changed {tmp_path}/below/deep/deeper/file")
    (tmp_path / "file").unlink()
    watcher.until(f"gone {tmp_path}/file")
    watcher.end()


def test_a_file_is_watched(watch, tmp_path):
    file = tmp_path / "file"
    file.touch()
    watcher = watch(file)
    assert watcher.line() == f"watching {file}"
    file.write_text("text")
    watcher.until(f"changed {file}")
    file.unlink()
    watcher.until(f"gone {file}")
    watcher.end()


def test_files_are_looked_at(watch, tmp_path):
    file = tmp_path / "file"
    watcher = watch("--poll", 0.01, file)
    assert watcher.line() == f"watching {file}"
    assert watcher.line() == f"gone {file}"
    file.symlink_to("/dev/null")
    watcher.until(f"new {file} 0 bytes")
    file.unlink()
    watcher.until(f"gone {file}")
    watcher.end()


def test_a_path_that_is_not_there_is_an_error(watch, tmp_path):
    watcher = watch(tmp_path / "missing")
    out, errors = watcher.process.communicate(timeout=30)
    assert watcher.process.returncode == 1
    assert str(tmp_path / "missing") in errors
    assert out == ""
