"""What ``python -m pyuv.fs`` does: du, copy and rm, each on a loop that Ctrl-C ends."""

import argparse
import contextlib
import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import pyuv

from .. import errno, fs
from ._bar import Bar

Outcome = dict[str, Any]
"""What is printed as JSON: the fields of the result, ``errors`` among them."""

Errors = list[tuple[str, int]]
Start = Callable[..., fs.TreeRequest]


class Failed(Exception):  # noqa: N818
    """A job did not come to its end."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self.errors: Errors = outcome["errors"]


class Interrupted(Exception):  # noqa: N818
    """A signal ended the job."""

    def __init__(self, number: int, progress: fs.tree_progress) -> None:
        super().__init__(f"{progress.files:,} files and {progress.folders:,} folders were done")
        self.number = number


class Runner:
    """Runs jobs one after the other, and ends the one that runs at SIGINT and SIGTERM."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.loop = pyuv.Loop()
        self.options = options
        self.bar = Bar(wanted=not options.quiet)
        self._started = time.perf_counter()
        self._interrupted: int | None = None

    def run(self, start: Start, *arguments: str, **keywords: Any) -> fs.TreeRequest:
        """The request of a job that has ended."""
        signals = [pyuv.Signal(self.loop) for _ in range(2)]

        def done(request: fs.TreeRequest) -> None:
            for handle in signals:
                handle.close()

        try:
            request = start(
                self.loop,
                *arguments,
                callback=done,
                concurrency=self.options.concurrency,
                on_error="stop" if self.options.stop else "continue",
                progress=self.bar.update if self.bar.drawn else None,
                **keywords,
            )
        except pyuv.error.FSError as error:
            # What is wrong is seen before anything is done.
            for handle in signals:
                handle.close()
            self.bar.end()
            outcome = {"command": self.options.command, "path": self.options.path, "files": 0, "folders": 0}
            seconds = round(time.perf_counter() - self._started, 6)
            errors = [(self.options.path, error.code)]
            raise Failed(outcome | {"errors": errors, "seconds": seconds}) from None

        def interrupt(handle: pyuv.Signal, number: int) -> None:
            self._interrupted = number
            request.cancel()

        for handle, number in zip(signals, (signal.SIGINT, signal.SIGTERM), strict=True):
            handle.start(interrupt, number)
        try:
            self.loop.run()
        finally:
            self.bar.end()
        if self._interrupted is not None:
            raise Interrupted(self._interrupted, request.progress)
        return request

    def outcome(self, request: fs.TreeRequest) -> Outcome:
        """The fields of the result; raises Failed where there is none."""
        seconds = round(time.perf_counter() - self._started, 6)
        outcome = {"command": self.options.command, "path": self.options.path}
        if request.error is not None:
            progress = request.progress
            done = {"files": progress.files, "folders": progress.folders}
            raise Failed(outcome | done | {"errors": request.errors, "seconds": seconds})
        result = request.result
        # PyPy's named results have no __match_args__; `n_fields` and its like are no fields.
        names = (name for name in vars(type(result)) if not name.startswith(("_", "n_")))
        fields = {name: getattr(result, name) for name in names}
        return outcome | fields | {"seconds": seconds}

    def single(self, do: Callable[[], None], **fields: int) -> Outcome:
        """What became of a path that is no folder."""
        outcome = {"command": self.options.command, "path": self.options.path}
        try:
            do()
        except pyuv.error.FSError as error:
            path = self.options.path
            if error.code == errno.UV_EEXIST:
                path = self.options.new_path
            nothing = dict.fromkeys(fields, 0)
            seconds = round(time.perf_counter() - self._started, 6)
            raise Failed({**outcome, **nothing, "errors": [(path, error.code)], "seconds": seconds}) from None
        seconds = round(time.perf_counter() - self._started, 6)
        return {**outcome, **fields, "errors": [], "seconds": seconds}


def du(options: argparse.Namespace) -> Outcome:
    """Adds up what a tree takes."""
    runner = Runner(options)
    runner.bar.begin("entries")
    return runner.outcome(runner.run(fs.du, options.path))


def rm(options: argparse.Namespace) -> Outcome:
    """Removes a tree, or what is no folder."""
    runner = Runner(options)
    if not _is_folder(options.path):
        return runner.single(lambda: fs.unlink(runner.loop, options.path), files=1, folders=0)
    runner.bar.begin("entries found")
    if runner.bar.wanted:
        runner.bar.begin("entries", _total(runner, lambda usage: usage.files + usage.folders))
    return runner.outcome(runner.run(fs.rmtree, options.path))


def copy(options: argparse.Namespace) -> Outcome:
    """Copies a tree, or a file."""
    runner = Runner(options)
    if not _is_folder(options.path):
        return runner.single(lambda: _copy_file(runner.loop, options), files=1, folders=0)
    runner.bar.begin("entries found")
    if runner.bar.wanted:
        runner.bar.begin("B", _total(runner, lambda usage: usage.bytes))
    request = runner.run(
        fs.copytree,
        options.path,
        options.new_path,
        exist_ok=options.overwrite,
        ownership=options.ownership,
        special="skip" if options.skip_special else "error",
    )
    return runner.outcome(request)


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], Outcome]]] = {"du": du, "copy": copy, "rm": rm}


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        # The job itself tells what is wrong with it.
        return True


def _total(runner: Runner, count: Callable[[fs.tree_progress], int]) -> int | None:
    """How much there is to do; None where that cannot be said."""
    request = runner.run(fs.du, runner.options.path)
    return count(request.progress) if request.error is None else None


def _copy_file(loop: pyuv.Loop, options: argparse.Namespace) -> None:
    path, new_path = options.path, options.new_path
    found = fs.lstat(loop, path)
    if stat.S_ISLNK(found.st_mode):
        if options.overwrite:
            with contextlib.suppress(pyuv.error.FSError):
                fs.unlink(loop, new_path)
        fs.symlink(loop, fs.readlink(loop, path), new_path)
        if options.ownership:
            fs.lchown(loop, new_path, found.st_uid, found.st_gid)
        fs.lutime(loop, new_path, ns=(found.st_atime_ns, found.st_mtime_ns))
        return
    if not stat.S_ISREG(found.st_mode):
        # To read from a pipe might never end.
        raise pyuv.error.FSError(errno.UV_ENOTSUP, errno.strerror(errno.UV_ENOTSUP))
    fs.copyfile(loop, path, new_path, 0 if options.overwrite else fs.UV_FS_COPYFILE_EXCL)
    if options.ownership:
        fs.chown(loop, new_path, found.st_uid, found.st_gid)
    _copy_extended(path, new_path)
    fs.utime(loop, new_path, ns=(found.st_atime_ns, found.st_mtime_ns))


def _copy_extended(path: str, new_path: str) -> None:
    """Copies extended attributes, as far as that goes."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(path):
            if name != "security.capability":
                with contextlib.suppress(OSError):
                    os.setxattr(new_path, name, os.getxattr(path, name))
