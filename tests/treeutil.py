"""Trees for the tests of walk, du, copytree, rmtree and read_many."""

import os

import pyuv
from pyuv import fs

from util import Recorder, time_limit


def grow(root):
    """40 folders in 4, with 20 files and a link each, and an empty one."""
    for number in range(40):
        inner = root / str(number % 4) / str(number)
        inner.mkdir(parents=True)
        for file in range(20):
            (inner / f"file {file}").write_bytes(b"x" * file)
        (inner / "link").symlink_to("../../..")
    (root / "empty").mkdir()
    return root


FOLDERS = 1 + 4 + 40 + 1
FILES = 40 * 20
LINKS = 40
BYTES = 40 * (sum(range(20)) + len("../../.."))


def ask(loop, call, *arguments, **options):
    """The request of a job that was run to its end, whose callback has come once."""
    recorder = Recorder()
    request = call(loop, *arguments, callback=recorder, **options)
    assert isinstance(request, fs.TreeRequest)
    assert request.result is None
    assert request.errors == []
    with time_limit(loop, 40):
        loop.run()
    assert recorder.calls == [(request,)]
    assert request.cancel() is False
    return request


def both(way, call, *arguments, **options):
    """The result of a job, done in one of the two ways."""
    loop = pyuv.Loop()
    if way == "sync":
        return call(loop, *arguments, **options)
    request = ask(loop, call, *arguments, **options)
    assert request.error is None, request.errors
    loop.close()
    return request.result


def failure(way, call, *arguments, **options):
    """The code of the error that a job ends with, and its message or None."""
    loop = pyuv.Loop()
    if way == "sync":
        try:
            call(loop, *arguments, **options)
        except pyuv.error.FSError as error:
            return error.args
        raise AssertionError("it went well")
    request = ask(loop, call, *arguments, **options)
    assert request.result is None
    return request.error, None


def tree_of(root):
    """Everything in a tree, by its path there: kind, permissions, time, content."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files, "."]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = None
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, root)] = (status.st_mode, status.st_mtime_ns, content)
    return found
