"""``watch``: what changes in folders, in sets, as an asynchronous iterator with watchfiles' shape.

The system tells of names, through `pyuv.fs.FSEvent`. They are gathered until nothing has come for a moment;
what has become of each is looked up then, in one trip to the thread pool.
"""

import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from inspect import iscoroutinefunction
from typing import Any, TypeAlias

from ... import errno, fs
from ...error import FSEventError
from ..host import Alarm, Future, running
from ..requests import in_pool
from .filters import Change, DefaultFilter

FileChange: TypeAlias = tuple[Change, str]
WatchFilter: TypeAlias = Callable[[Change, str], bool]

_DEFAULT_FILTER = DefaultFilter()
_IDLE = 5.0
"""Seconds after which nothing is news, where `rust_timeout` says nothing."""
_LOOK = 0.05
"""Seconds between two looks at an event that cannot be awaited."""
_DOUBT = 1.0
"""Seconds by which clocks and times of files may be apart."""


class _Bell:
    """Wakes a waiting task: by news, when a time is over, or at the end."""

    def __init__(self, stop_event: Any) -> None:
        self._host = running()
        self._future: Future[None] | None = None
        self._stop_event = stop_event
        self._end_waiting: Callable[[], object] | None = None
        self._timer: Alarm | None = None
        if iscoroutinefunction(getattr(stop_event, "wait", None)):
            self._end_waiting = self._host._start(stop_event.wait(), self.ring)
        elif stop_event is not None:
            self._look()

    @property
    def stopped(self) -> bool:
        return self._stop_event is not None and self._stop_event.is_set()

    def _look(self) -> None:
        if self.stopped:
            self.ring()
        else:
            self._timer = self._host.call_later(_LOOK, self._look)

    def ring(self) -> None:
        """Wakes the task."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None) -> None:
        """Waits to be woken, or so long at most."""
        if self.stopped:
            return
        self._future = self._host.create_future()
        timer = None if seconds is None else self._host.call_later(seconds, self.ring)
        try:
            await self._future
        finally:
            self._future = None
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Wakes nobody any more."""
        if self._end_waiting is not None:
            self._end_waiting()
        if self._timer is not None:
            self._timer.cancel()


class _Events:
    """What the system tells of a few paths."""

    def __init__(self, roots: list[str], *, recursive: bool, forgiving: bool) -> None:
        self._roots = roots
        self._handles: list[fs.FSEvent] = []
        self._bell: _Bell | None = None
        self._names: dict[str, int] = {}
        self._lost = False
        self._error: Exception | None = None
        #: How much was told so far.
        self.count = 0
        self._since = time.time()
        flags = fs.UV_FS_EVENT_RECURSIVE if recursive else 0
        self._recursive = recursive
        try:
            for root in roots:
                handle = fs.FSEvent(running().uv)
                self._handles.append(handle)
                try:
                    handle.start(root, flags, self._listener(root))
                except PermissionError:
                    if not forgiving:
                        raise
        except BaseException:
            self.close()
            raise

    def wake(self, bell: _Bell) -> None:
        """Rings from now on."""
        self._bell = bell

    def _listener(self, root: str) -> Callable[[Any, Any, int, int | None], None]:
        is_folder = os.path.isdir(root)
        own_name = os.path.basename(root)

        def told(handle: Any, name: Any, events: int, error: int | None) -> None:
            self.count += 1
            if error == errno.UV_ENOBUFS:
                self._lost = True
            elif error is not None:
                text = f"{errno.strerror(error)}: {root} (watch)"
                self._error = FSEventError(error, text, filename=root)
            elif not is_folder or name is None:
                self._note(root, events)
            else:
                path = os.path.join(root, name)
                if name == own_name and not os.path.lexists(path):
                    # News of the folder itself come under the last part of its path.
                    path = root
                self._note(path, events)
            if self._bell is not None:
                self._bell.ring()

        return told

    def _note(self, path: str, events: int) -> None:
        self._names[path] = self._names.get(path, 0) | events

    async def changes(self) -> set[FileChange]:
        """What has happened since the last time."""
        names, self._names = self._names, {}
        lost, self._lost = self._lost, False
        since, self._since = self._since, time.time()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        renamed = [path for path, events in names.items() if events & fs.UV_RENAME]
        there = await in_pool(_those_there, renamed) if renamed else set()
        found: set[FileChange] = set()
        for path, events in names.items():
            if events & fs.UV_RENAME:
                found.add((Change.added if path in there else Change.deleted, path))
            if events & fs.UV_CHANGE and (path in there or not events & fs.UV_RENAME):
                found.add((Change.modified, path))
        if lost:
            # More has happened than it told of: that is among what is younger than the last report.
            found |= await in_pool(_younger, self._roots, since - _DOUBT, self._recursive)
        return found

    def close(self) -> None:
        """Listens no more."""
        for handle in self._handles:
            if not handle.closed:
                handle.close()


class _Looks:
    """The same by looking again and again, for filesystems that tell of nothing."""

    def __init__(self, roots: list[str], delay: float, *, recursive: bool) -> None:
        self._roots = roots
        self._recursive = recursive
        self._delay = delay
        self._bell: _Bell | None = None
        self._found: set[FileChange] = set()
        self._before: dict[str, tuple[int, ...]] | None = None
        self._end_looking: Callable[[], object] | None = None
        self.count = 0

    def wake(self, bell: _Bell) -> None:
        """Looks, and rings when something is different."""
        self._bell = bell
        self._end_looking = running()._start(self._look(), bell.ring)

    async def _look(self) -> None:
        while True:
            now = await in_pool(lambda: dict(_entries(self._roots, recursive=self._recursive)))
            if self._before is not None:
                changes = set(_differences(self._before, now))
                self._found |= changes
                self.count += len(changes)
                if changes and self._bell is not None:
                    self._bell.ring()
            self._before = now
            host = running()
            timer: Future[None] = host.create_future()
            host.call_later(self._delay, _done, timer)
            await timer

    async def changes(self) -> set[FileChange]:
        """What was different since the last time."""
        found, self._found = self._found, set()
        return found

    def close(self) -> None:
        """Looks no more."""
        if self._end_looking is not None:
            self._end_looking()


def _done(future: Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _those_there(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if os.path.lexists(path)}


def _entries(roots: Iterable[str], *, recursive: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every path in the trees, with what tells that it has changed. What vanishes meanwhile is not there."""
    folders = list(roots)
    tops = set(folders)
    for root in folders.copy():
        try:
            yield root, _status(os.stat(root))
        except OSError:
            continue
    while folders:
        folder = folders.pop()
        if not recursive and folder not in tops:
            continue
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                yield entry.path, _status(entry.stat(follow_symlinks=False))
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
            except OSError:
                continue


def _status(status: os.stat_result) -> tuple[int, ...]:
    # A folder's own times change with what is in it.
    if stat.S_ISDIR(status.st_mode):
        return status.st_ino, status.st_mode
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _differences(before: dict[str, tuple[int, ...]], now: dict[str, tuple[int, ...]]) -> Iterator[FileChange]:
    for path in before.keys() - now.keys():
        yield Change.deleted, path
    for path, status in now.items():
        if path not in before:
            yield Change.added, path
        elif before[path] != status:
            yield Change.modified, path


def _younger(roots: Iterable[str], since: float, recursive: bool) -> set[FileChange]:
    """What has changed since a moment; of what is gone there is the folder that it was in."""
    found: set[FileChange] = set()
    for path, _ in _entries(roots, recursive=recursive):
        try:
            if os.lstat(path).st_ctime >= since:
                found.add((Change.modified, path))
        except OSError:
            found.add((Change.deleted, path))
    return found


async def watch(
    *paths: str | os.PathLike[str],
    watch_filter: WatchFilter | None = _DEFAULT_FILTER,
    debounce: int = 1_600,
    step: int = 20,
    stop_event: Any = None,
    rust_timeout: int | None = None,
    yield_on_timeout: bool = False,
    debug: bool | None = None,
    raise_interrupt: bool | None = None,
    force_polling: bool | None = None,
    poll_delay_ms: int = 300,
    recursive: bool = True,
    ignore_permission_denied: bool | None = None,
) -> AsyncIterator[set[FileChange]]:
    """Tells what changes: sets of (Change, absolute path), as watchfiles' ``awatch`` does.

    A set comes when nothing more has happened for `step` milliseconds, or when `debounce` milliseconds are
    over. `watch_filter` says which changes are told of, all with None. With ``recursive=False`` folders below
    are not watched. The iterator ends when `stop_event` is set, an event of asyncio, anyio or threading. With
    `yield_on_timeout` an empty set comes when nothing has happened for `rust_timeout` milliseconds (5,000).

    ``force_polling=True`` looks every `poll_delay_ms` milliseconds, for filesystems that tell of nothing.
    Where the system has lost events, what has changed lately is told of as modified, and in place of what is
    gone the folder that it was in. Raises FileNotFoundError for a path that is not there, and OSError where a
    limit of the system's is reached; PermissionError unless `ignore_permission_denied`. `debug` and
    `raise_interrupt` mean nothing.
    """
    host = running()
    roots = [os.path.abspath(os.fspath(path)) for path in paths]
    source: _Events | _Looks
    if force_polling:
        for root in roots:
            await in_pool(os.stat, root)
        source = _Looks(roots, poll_delay_ms / 1000, recursive=recursive)
    else:
        source = _Events(roots, recursive=recursive, forgiving=bool(ignore_permission_denied))
    bell = _Bell(stop_event)
    source.wake(bell)
    idle = _IDLE if rust_timeout is None else rust_timeout / 1000
    seen = 0
    try:
        while not bell.stopped:
            if source.count == seen:
                await bell.wait(idle if yield_on_timeout and idle else None)
            if source.count == seen:
                if yield_on_timeout and not bell.stopped:
                    yield set()
                continue
            end = host.time() + debounce / 1000
            while source.count != seen and not bell.stopped and (left := end - host.time()) > 0:
                seen = source.count
                await _quiet(bell, source, min(step / 1000, left))
            seen = source.count
            if bell.stopped:
                return
            changes = await source.changes()
            if watch_filter is not None:
                changes = {change for change in changes if watch_filter(*change)}
            if changes:
                yield changes
    finally:
        bell.close()
        source.close()


async def _quiet(bell: _Bell, source: _Events | _Looks, seconds: float) -> None:
    """Waits so long, whatever happens but the end."""
    host = running()
    end = host.time() + seconds
    while not bell.stopped and (left := end - host.time()) > 0:
        await bell.wait(left)


awatch = watch
