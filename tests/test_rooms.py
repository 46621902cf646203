"""Who may use what in pymodule/src: asyncio uses what is shared, no class of handles; nobody uses it."""

import pathlib
import re

SOURCE = pathlib.Path(__file__).parents[1] / "pymodule" / "src"

# The classes that `pyuv`, `pyuv.dns`, `pyuv.fs`, `pyuv.thread` and `pyuv.util` have, but for Loop.
CLASSES = {
    *("async", "check", "dns", "fs", "handle", "idle", "pipe", "poll", "prepare", "process", "signal"),
    *("stdio", "stream", "tcp", "thread", "timer", "tty", "udp", "util", "watcher", "work"),
}

USED = re.compile(r"\bcrate::(?:r#)?(\w+)")


def room(path):
    """The folder or file at the top that a file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".rs")


def used_by(path):
    """The rooms that a file uses."""
    return set(USED.findall(path.read_text()))


def test_asyncio_uses_no_class_of_handles():
    files = sorted((SOURCE / "asyncio").rglob("*.rs"))
    assert len(files) > 10
    assert {path.name: used_by(path) & CLASSES for path in files if used_by(path) & CLASSES} == {}


def test_nobody_uses_asyncio():
    files = [path for path in SOURCE.rglob("*.rs") if room(path) not in ("asyncio", "lib")]
    assert {room(path) for path in files} >= CLASSES - {"async"}
    assert [path.name for path in files if "asyncio" in used_by(path)] == []
