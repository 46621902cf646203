"""Prints what happens to files and folders, those below included, until Ctrl-C.

    python examples/file_watcher.py PATH...
    python examples/file_watcher.py --poll 0.5 PATH...

With --poll it looks every so many seconds, for filesystems that do not tell of changes by
themselves, such as those on other machines; only at the paths themselves then.
"""

import argparse
import os
import sys

import pyuv
from pyuv import errno, fs


class Watcher:
    """Tells what happens to a file, or in a folder and those below it."""

    def __init__(self, loop: pyuv.Loop, path: str) -> None:
        self.loop = loop
        self.path = path
        self.handle = fs.FSEvent(loop)
        self.handle.start(path, fs.UV_FS_EVENT_RECURSIVE, self.on_event)

    def on_event(self, handle: fs.FSEvent, name: str, events: int, error: int | None) -> None:
        if error == errno.UV_ENOBUFS:
            print(f"{self.path}: more has happened than the system told of", file=sys.stderr, flush=True)
            return
        if error is not None:
            print(f"{self.path}: {errno.strerror(error)}", file=sys.stderr, flush=True)
            return
        path = os.path.join(self.path, name)
        # News of the path itself come under its last part.
        if name == os.path.basename(self.path) and not os.path.lexists(path):
            path = self.path
        try:
            fs.lstat(self.loop, path)
        except pyuv.error.FSError:
            print("gone", path, flush=True)
            return
        print("new" if events & fs.UV_RENAME else "changed", path, flush=True)


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
    watchers: list[Watcher] = []
    try:
        for path in options.paths:
            if options.poll:
                look_at(loop, path, options.poll)
            else:
                watchers.append(Watcher(loop, path))
        print("watching", *options.paths, flush=True)
        loop.run()
    except pyuv.error.UVError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
