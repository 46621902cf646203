"""The reactor: libuv watches descriptors, and those that are ready are dealt with after it, in a batch."""

import threading
from typing import Any

from twisted.internet.interfaces import IReactorDaemonize, IReactorFDSet
from twisted.internet.main import installReactor
from twisted.internet.posixbase import _NO_FILEDESC, PosixReactorBase, _ContinuousPolling
from twisted.internet.tcp import Connection
from twisted.python import log
from zope.interface import implementer  # type: ignore[import-untyped]

from .. import UV_READABLE, UV_WRITABLE, Loop
from .._poller import Poller, hear_signals

__all__ = ["UVReactor", "install"]


@implementer(IReactorDaemonize, IReactorFDSet)
class UVReactor(PosixReactorBase):
    """A reactor of Twisted's on a loop of pyuv's: every interface that the one on epoll has.

    What a connection is to send is sent when it has read, or at the beginning of the next iteration, and only
    what the system does not take waits for libuv to say that it will: most writes need no system call but
    their own.
    """

    def __init__(self, loop: Loop | None = None) -> None:
        #: The :class:`pyuv.Loop` below: handles, channels and file requests that are made on it live on the
        #: very same loop, and their callbacks are called by the reactor's thread.
        self.uv = Loop() if loop is None else loop
        self._poller = Poller(self.uv)
        # By number: who it is, what it waits for, and what of that libuv was told.
        self._selectables: dict[int, Any] = {}
        self._wanted: dict[int, int] = {}
        self._watched: dict[int, int] = {}
        # What is to be written without asking whether it can be.
        self._writing: dict[int, Any] = {}
        # Files: epoll knows none, and they are always ready.
        self._always_ready = _ContinuousPolling(self)
        super().__init__()

    # Who is watched

    def addReader(self, reader: Any) -> None:
        """Has ``reader.doRead`` called whenever its descriptor is readable."""
        fd = reader.fileno()
        wanted = self._wanted.get(fd, 0)
        if not wanted & UV_READABLE:
            try:
                self._watch(fd, reader, wanted | UV_READABLE)
            except PermissionError:
                self._always_ready.addReader(reader)

    def addWriter(self, writer: Any) -> None:
        """Has ``writer.doWrite`` called whenever its descriptor is writable."""
        fd = writer.fileno()
        wanted = self._wanted.get(fd, 0)
        if wanted & UV_WRITABLE:
            return
        if wanted and isinstance(writer, Connection) and writer.connected:
            self._wanted[fd] = wanted | UV_WRITABLE
            self._writing[fd] = writer
            return
        try:
            self._watch(fd, writer, wanted | UV_WRITABLE)
        except PermissionError:
            self._always_ready.addWriter(writer)

    def removeReader(self, reader: Any) -> None:
        """Ends what ``addReader`` began."""
        if self._always_ready.isReading(reader):
            self._always_ready.removeReader(reader)
        else:
            self._remove(reader, UV_READABLE)

    def removeWriter(self, writer: Any) -> None:
        """Ends what ``addWriter`` began."""
        if self._always_ready.isWriting(writer):
            self._always_ready.removeWriter(writer)
        else:
            self._remove(writer, UV_WRITABLE)

    def _watch(self, fd: int, selectable: Any, wanted: int) -> None:
        self._poller.watch(fd, wanted)
        self._watched[fd] = self._wanted[fd] = wanted
        self._selectables[fd] = selectable

    def _remove(self, selectable: Any, event: int) -> None:
        fd = selectable.fileno()
        if fd == -1:
            # It was closed before it said so.
            for number, known in self._selectables.items():
                if known is selectable:
                    fd = number
                    break
            else:
                return
        wanted = self._wanted.get(fd, 0)
        if not wanted & event:
            return
        wanted &= ~event
        if wanted:
            self._wanted[fd] = wanted
            if self._watched[fd] & event:
                self._poller.watch(fd, wanted)
                self._watched[fd] = wanted
        else:
            self._poller.watch(fd, 0)
            del self._wanted[fd], self._watched[fd], self._selectables[fd]
        if event == UV_WRITABLE:
            self._writing.pop(fd, None)

    def removeAll(self) -> list[Any]:
        """Ends all of it, and says whose it was."""
        ours: list[Any] = self._removeAll(self._those(UV_READABLE), self._those(UV_WRITABLE))
        return [*ours, *self._always_ready.removeAll()]

    def getReaders(self) -> list[Any]:
        """Whoever waits to read."""
        return [*self._those(UV_READABLE), *self._always_ready.getReaders()]

    def getWriters(self) -> list[Any]:
        """Whoever waits to write."""
        return [*self._those(UV_WRITABLE), *self._always_ready.getWriters()]

    def _those(self, event: int) -> list[Any]:
        return [self._selectables[fd] for fd, wanted in self._wanted.items() if wanted & event]

    # Turning

    def doIteration(self, delay: float | None) -> None:
        """Sends what is to be sent, waits so many seconds at most, and deals with what is ready."""
        if self._writing:
            self._write()
            # It may have called anything.
            delay = 0 if self._writing or not self.running else _sooner(delay, self.timeout())
        selectables, ready = self._selectables, self._ready
        for fd, events in self._poller.poll(delay):
            selectable = selectables.get(fd)
            if selectable is not None:
                log.callWithLogger(selectable, ready, selectable, fd, events)

    def _write(self) -> None:
        writing, self._writing = self._writing, {}
        for fd, selectable in writing.items():
            if self._selectables.get(fd) is selectable and self._wanted[fd] & UV_WRITABLE:
                log.callWithLogger(selectable, self._ready, selectable, fd, UV_WRITABLE)

    def _ready(self, selectable: Any, fd: int, events: int) -> None:
        """It reads, and what it has to say to that is sent at once."""
        why: object = None
        reads = False
        try:
            if selectable.fileno() == -1:
                why = _NO_FILEDESC
            else:
                if events & UV_READABLE:
                    reads = True
                    why = selectable.doRead()
                    if self._writing.get(fd) is selectable:
                        del self._writing[fd]
                        events |= UV_WRITABLE
                if events & UV_WRITABLE and not why:
                    reads = False
                    why = selectable.doWrite()
                    self._wait_to_write(fd, selectable)
        except BaseException as error:
            why = error
            log.err()
        if why:
            self._disconnectSelectable(selectable, why, reads)

    def _wait_to_write(self, fd: int, selectable: Any) -> None:
        """Has libuv tell when it can write on, if it has more than the system takes now."""
        wanted = self._wanted.get(fd, 0)
        if wanted & ~self._watched.get(fd, 0) and self._selectables[fd] is selectable:
            self._writing.pop(fd, None)
            self._watch(fd, selectable, wanted)

    # Daemons fork with their reactor made

    def beforeDaemonize(self) -> None:
        """The process is to fork, and its child to have the reactor."""

    def afterDaemonize(self) -> None:
        """This is the child: the kernel is told anew what is watched (`uv_loop_fork`)."""
        self.uv.fork()

    def mainLoop(self) -> None:
        """Runs until the reactor is stopped."""
        # Where Twisted does not hear signals, Ctrl-C is still to end a wait.
        listens = not self._installSignalHandlers and threading.current_thread() is threading.main_thread()
        if listens:
            hear_signals(self._poller, True)
        try:
            super().mainLoop()
        finally:
            if listens:
                hear_signals(self._poller, False)


def _sooner(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def install(loop: Loop | None = None) -> UVReactor:
    """Makes a reactor on pyuv, on this loop or one of its own, and has ``twisted.internet.reactor`` be it."""
    reactor = UVReactor(loop)
    installReactor(reactor)
    return reactor
