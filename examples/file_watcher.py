"""Prints what happens to files and folders, those below included, until Ctrl-C.

    python examples/file_watcher.py PATH...
    python examples/file_watcher.py --poll 0.5 PATH...

With --poll it looks every so many seconds, for filesystems that do not tell of changes by
themselves, such as those on other machines; only at the paths themselves then.
"""

import argparse
import os
import stat
import sys

import pyuv
from pyuv import errno, fs


class Tree:
    """One FSEvent for each folder of a tree: on Linux, a watch covers one folder."""

    def __init__(self, loop: pyuv.Loop, root: str) -> None:
        self.loop = loop
        self.watchers: dict[str, fs.FSEvent] = {}
        self.watch(root)

    def watch(self, path: str) -> None:
        watcher = fs.FSEvent(self.loop)
        watcher.start(path, 0, self.on_event)
        self.watchers[path] = watcher
        if not stat.S_ISDIR(fs.stat(self.loop, path).st_mode):
            return
        for entry in fs.scandir(self.loop, path):
            if entry.type == fs.UV_DIRENT_DIR:
                self.watch_if_there(os.path.join(path, entry.name))

    def watch_if_there(self, path: str) -> None:
        """A folder that has just been seen may be gone by now."""
        try:
            self.watch(path)
        except pyuv.error.UVError as error:
            if error.args[0] not in (errno.UV_ENOENT, errno.UV_ENOTDIR):
                print(error.args[1], file=sys.stderr, flush=True)
            self.forget(path)

    def forget(self, path: str) -> None:
        """What is at `path` or below it went away."""
        for known in [known for known in self.watchers if known == path or known.startswith(path + os.sep)]:
            self.watchers.pop(known).close()

    def on_event(self, watcher: fs.FSEvent, name: str | None, events: int, error: int | None) -> None:
        path = os.fsdecode(watcher.path)
        if error is not None:
            print(f"{path}: {pyuv.errno.strerror(error)}", file=sys.stderr, flush=True)
            return
        try:
            watched = fs.lstat(self.loop, path)
        except pyuv.error.FSError:
            print("gone", path, flush=True)
            self.forget(path)
            return
        # A folder's own news come under its name, as those of what it holds come under theirs.
        if stat.S_ISDIR(watched.st_mode) and name != os.path.basename(path):
            path = os.path.join(path, name or "")
        if events & fs.UV_CHANGE:
            print("changed", path, flush=True)
        if events & fs.UV_RENAME:
            self.on_name(path)

    def on_name(self, path: str) -> None:
        try:
            there = fs.lstat(self.loop, path)
        except pyuv.error.FSError:
            print("gone", path, flush=True)
            self.forget(path)
            return
        print("new", path, flush=True)
        if stat.S_ISDIR(there.st_mode) and path not in self.watchers:
            self.watch_if_there(path)


def look_at(loop: pyuv.Loop, path: str, interval: float) -> None:
    """Tells how a path changes, by asking again and again."""

    def on_change(
        handle: fs.FSPoll, before: fs.stat_result | None, now: fs.stat_result | None, error: int | None
    ) -> None:
        if error is not None:
            print("gone" if error == errno.UV_ENOENT else pyuv.errno.strerror(error), path, flush=True)
        elif before is not None and now is not None:
            print("changed" if before.st_ino else "new", path, now.st_size, "bytes", flush=True)

    fs.FSPoll(loop).start(path, interval, on_change)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--poll", type=float, metavar="SECONDS", help="look every so many seconds")
    parser.add_argument("paths", nargs="+", metavar="PATH")
    options = parser.parse_args()

    loop = pyuv.Loop.default_loop()
    try:
        for path in options.paths:
            if options.poll:
                look_at(loop, path, options.poll)
            else:
                Tree(loop, path)
        print("watching", *options.paths, flush=True)
        loop.run()
    except pyuv.error.UVError as error:
        print(error.args[1], file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
