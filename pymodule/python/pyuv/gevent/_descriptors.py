"""Descriptors and who watches them: libuv is told just before it waits, and only of what has changed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import UV_READABLE, UV_WRITABLE
from .._poller import Poller

if TYPE_CHECKING:
    from ._watchers import io


BOTH = UV_READABLE | UV_WRITABLE
ERROR = -0x80000000
"""What a watcher of a number that is nobody's is told: libev's EV_ERROR, which gevent knows by its sign."""


class Descriptors:
    """The io watchers of a loop that are started, by descriptor."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._watchers: dict[int, list[io]] = {}
        # Those whose watchers have changed since libuv was told, or about which it was told at all.
        self._changed: set[int] = set()
        self._told: set[int] = set()
        # What the kernel does not wait for: it is always ready.
        self._always: set[int] = set()
        # Numbers that turned out to be nobody's.
        self._lost: set[int] = set()

    def add(self, watcher: "io") -> None:
        """It is started."""
        self._watchers.setdefault(watcher.fd, []).append(watcher)
        self._changed.add(watcher.fd)

    def discard(self, watcher: "io") -> None:
        """It is stopped."""
        watchers = self._watchers[watcher.fd]
        watchers.remove(watcher)
        if not watchers:
            del self._watchers[watcher.fd]
        self._changed.add(watcher.fd)

    def forget(self, fd: int) -> None:
        """The descriptor is about to be closed: its number is another's soon."""
        self._always.discard(fd)
        if fd in self._told:
            self._told.discard(fd)
            self._poller.watch(fd, 0)
        if fd in self._watchers:
            self._changed.add(fd)

    def forget_all(self) -> None:
        """In a forked child: libuv is told of all of them again."""
        for fd in self._told:
            self._poller.watch(fd, 0)
        self._told.clear()
        self._always.clear()
        self._changed.update(self._watchers)

    def reconcile(self) -> bool:
        """Tells libuv what is wanted. Whether there is one that need not be waited for."""
        for fd in self._changed:
            wanted = 0
            for its in self._watchers.get(fd, ()):
                wanted |= its.events
            self._always.discard(fd)
            if not wanted:
                if fd in self._told:
                    self._told.discard(fd)
                    self._poller.watch(fd, 0)
                continue
            try:
                self._poller.watch(fd, wanted)
                self._told.add(fd)
            except PermissionError:
                # A regular file.
                self._always.add(fd)
            except OSError:
                self._lost.add(fd)
        self._changed.clear()
        return bool(self._always or self._lost)

    def ready(self, told: Iterable[tuple[int, int]]) -> "list[tuple[io, int]]":
        """Who waits for what has come, and what that is."""
        lost, self._lost = self._lost, set()
        return [
            (its, its.events & events | events & ERROR)
            for some in (told, [(fd, BOTH) for fd in self._always], [(fd, ERROR | BOTH) for fd in lost])
            for fd, events in some
            for its in self._watchers.get(fd, ())
            if its.events & events
        ]
