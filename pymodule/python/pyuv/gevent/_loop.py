"""The loop of a hub: gevent's interface on a :class:`pyuv.Loop`.

Nothing of Python's runs inside of libuv, whose lists are on the C stack, which a greenlet that switches takes
away: a turn asks libuv what has come, and calls watchers when it has returned.
"""

import os
import sys
import traceback
from _thread import get_native_id
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

# Not by the names that gevent patches.
from posix import WNOHANG, getpid, waitpid
from signal import SIGCHLD
from time import monotonic
from typing import Any

from gevent._interfaces import ILoop  # type: ignore[import-untyped]
from gevent.exceptions import HubDestroyed  # type: ignore[import-untyped]
from zope.interface import implementer  # type: ignore[import-untyped]

from .. import LIBUV_VERSION, UV_RUN_NOWAIT, Loop, Signal, __version__
from .._poller import Poller, hear_signals
from ..error import UVError
from . import _watchers
from ._callback import callback
from ._descriptors import Descriptors
from ._timers import Timers
from ._watchers import READ, WRITE, watcher

__all__ = [
    "EVENTS",
    "READ",
    "WRITE",
    "get_header_version",
    "get_version",
    "loop",
    "supported_backends",
]

EVENTS = _watchers.EVENTS
_events_to_str = _watchers.events_to_str
EVBREAK_CANCEL, EVBREAK_ONE, EVBREAK_ALL = 0, 1, 2

_MANY = 50
"""After so many callbacks the clock is looked at."""

_forked = 0


def _note_fork() -> None:
    global _forked
    _forked += 1


os.register_at_fork(after_in_child=_note_fork)


def get_version() -> str:
    """What this is, and what it stands on."""
    return f"pyuv-{__version__} libuv-{LIBUV_VERSION}"


def get_header_version() -> str:
    """The same."""
    return get_version()


def supported_backends() -> list[str]:
    """By what libuv waits."""
    return ["default"]


@implementer(ILoop)
class loop:
    """One loop, of one thread: what ``gevent.get_hub().loop`` is."""

    error_handler: Any = None
    #: The shortest time that a timer can tell apart, in seconds.
    approx_timer_resolution = 0.001
    WatcherType = watcher
    MAXPRI = 2
    MINPRI = -2
    backend = "default"
    backend_int = 0

    def __init__(self, flags: object = None, default: bool | None = None) -> None:
        #: The :class:`pyuv.Loop` below.
        self.uv = Loop()
        self._default = True if default is None else bool(default)
        self._destroyed = False
        self._poller = Poller(self.uv)
        self._descriptors = Descriptors(self._poller)
        self._timers = Timers()
        self._prepares: list[watcher] = []
        self._checks: list[watcher] = []
        self._idles: list[watcher] = []
        self._forks: list[watcher] = []
        self._children: set[_watchers.child] = set()
        self._callbacks: deque[callback] = deque()
        # What libuv has told of.
        self._fed: list[watcher] = []
        # Watchers for which the loop runs on.
        self._refs = 0
        self._now = monotonic()
        self._broken = False
        self._forked = _forked
        self._sigchld: Signal | None = None
        self._reaps = False
        self._listens = False

    def _check(self) -> None:
        if self._destroyed:
            raise ValueError("operation on destroyed loop")
        if self._forked != _forked:
            self._renew()

    # Its life

    @property
    def ptr(self) -> int | None:
        """A number that says which it is; None once it is destroyed."""
        return None if self._destroyed else id(self.uv)

    @property
    def default(self) -> bool:
        """Whether it is the main thread's, which children are watched by."""
        return self._default and not self._destroyed

    def destroy(self) -> bool | None:
        """Ends it, and what is started on it."""
        if self._destroyed:
            return None
        self._destroyed = True
        self._listen(False)
        self.reset_sigchld()
        self._callbacks.clear()
        self._poller.close()
        for handle in self.uv.handles:
            handle.close()
        try:
            self.uv.run(UV_RUN_NOWAIT)
            self.uv.close()
        except UVError:
            # A thread of the pool is at work for it. It ends with what it is kept by.
            self.uv.excepthook = _tell_nobody
        return True

    def reinit(self) -> None:
        """In a forked child: has the kernel be told anew what is waited for (`uv_loop_fork`)."""
        self._check()

    def _renew(self) -> None:
        self._forked = _forked
        self.uv.fork()
        self._descriptors.forget_all()
        for one in self._forks:
            self._feed(one)

    # Watchers, by name

    def io(self, fd: int, events: int, ref: bool = True, priority: int | None = None) -> _watchers.io:
        """Whether a descriptor is READ, WRITE or either."""
        return _watchers.io(self, fd, events, ref, priority)

    def closing_fd(self, fd: int) -> bool:
        """A descriptor is about to be closed. Never has to be waited for."""
        self._descriptors.forget(fd)
        return False

    def timer(
        self, after: float, repeat: float = 0.0, ref: bool = True, priority: int | None = None
    ) -> _watchers.timer:
        """In so many seconds, and then every so many."""
        return _watchers.timer(self, after, repeat, ref, priority)

    def signal(self, signum: int, ref: bool = True, priority: int | None = None) -> _watchers.signal:
        """When a signal comes."""
        return _watchers.signal(self, signum, ref, priority)

    def idle(self, ref: bool = True, priority: int | None = None) -> _watchers.idle:
        """When nothing else is to be done."""
        return _watchers.idle(self, ref, priority)

    def prepare(self, ref: bool = True, priority: int | None = None) -> _watchers.prepare:
        """Before each wait."""
        return _watchers.prepare(self, ref, priority)

    def check(self, ref: bool = True, priority: int | None = None) -> _watchers.check:
        """After each wait."""
        return _watchers.check(self, ref, priority)

    def fork(self, ref: bool = True, priority: int | None = None) -> _watchers.fork:
        """In a forked child."""
        return _watchers.fork(self, ref, priority)

    def async_(self, ref: bool = True, priority: int | None = None) -> _watchers.async_:
        """When somebody calls its ``send``, from any thread."""
        return _watchers.async_(self, ref, priority)

    # Programs that are older than the keyword.
    locals()["async"] = async_

    def child(self, pid: int, trace: int = 0, ref: bool = True) -> _watchers.child:
        """When a child ends."""
        return _watchers.child(self, pid, trace, ref)

    def stat(
        self, path: Any, interval: float = 0.0, ref: bool = True, priority: int | None = None
    ) -> _watchers.stat:
        """When what a path leads to changes."""
        return _watchers.stat(self, path, interval, ref, priority)

    def _started(self, its: watcher) -> None:
        if its._ref:
            self._refs += 1

    def _stopped(self, its: watcher) -> None:
        if its._ref:
            self._refs -= 1

    # Children

    def install_sigchld(self) -> None:
        """Hears from now on that children end."""
        self._check()
        if self._sigchld is None:
            self._sigchld = Signal(self.uv)
            self._sigchld.start(self._note_sigchld, SIGCHLD)
            self._sigchld.ref = False

    def reset_sigchld(self) -> None:
        """Hears it no more."""
        handle, self._sigchld = self._sigchld, None
        if handle is not None:
            handle.close()

    def _note_sigchld(self, *_: object) -> None:
        self._reaps = True

    def _ended(self) -> list[watcher]:
        """The watchers of children that have ended."""
        ended: list[watcher] = []
        for one in sorted(self._children, key=lambda child: child._pid == 0):
            try:
                pid, status = waitpid(one._pid or -1, WNOHANG)
            except ChildProcessError:
                continue
            if pid:
                # Whoever waits for any child is told of this one too.
                for told in self._children:
                    if told._pid in (0, pid) and told not in ended:
                        told.rpid, told.rstatus = pid, status
                        ended.append(told)
        return ended

    # Callbacks

    def run_callback(self, func: Callable[..., object], *args: Any) -> callback:
        """Calls ``func(*args)`` in the next turn."""
        self._check()
        made = callback(func, args)
        self._callbacks.append(made)
        return made

    def run_callback_threadsafe(self, func: Callable[..., object], *args: Any) -> callback:
        """The same, from any thread."""
        made = self.run_callback(func, *args)
        self._poller.wake()
        return made

    def _run_callbacks(self) -> None:
        count = 0
        end = monotonic() + sys.getswitchinterval()
        while self._callbacks:
            made = self._callbacks.popleft()
            function, args = made.callback, made.args
            made.callback = None
            if function is not None and args is not None:
                try:
                    function(*args)
                except BaseException:
                    self._report(made, *sys.exc_info())
                finally:
                    made.args = None
            count += 1
            if count % _MANY == 0 and monotonic() >= end:
                # Descriptors are to be looked at too.
                return

    # Turning

    def run(self, nowait: bool = False, once: bool = False) -> None:
        """Turns until nothing is waited for, or `break_`; one turn with ``once``, no wait with ``nowait``."""
        self._check()
        self._listen(True)
        while True:
            try:
                self._turn(waits=not nowait)
            except BaseException:
                # A signal's handler, wherever it ran: for the main greenlet.
                self._report(None, *sys.exc_info())
            if self._destroyed or self._broken or nowait or once:
                break
            if not self._callbacks and not self._is_alive():
                break
        self._broken = False

    def _listen(self, on: bool) -> None:
        if on != self._listens and get_native_id() == getpid():
            self._listens = on
            hear_signals(self._poller, on)

    def _turn(self, *, waits: bool) -> None:
        if self._forked != _forked:
            self._renew()
        self._call_each(self._prepares)
        self._run_callbacks()
        if self._broken or self._destroyed:
            return
        ready = self._descriptors.reconcile()
        told = self._poller.poll(0 if ready or not waits else self._timeout())
        self._now = monotonic()
        self._call(told)

    def _timeout(self) -> float | None:
        if self._callbacks or self._idles or self._fed or self._reaps or not self._is_alive():
            return 0
        first = self._timers.first()
        return None if first is None else max(0.0, first - monotonic())

    def _is_alive(self) -> bool:
        """Whether there is something to wait for: a watcher, or a handle or request of somebody else's."""
        return self._refs > 0 or self.uv.alive

    def _feed(self, happened: watcher) -> None:
        """libuv tells of something: it is dealt with when that has returned."""
        if not happened._pending:
            happened._pending = True
            self._fed.append(happened)

    def _call(self, told: list[tuple[int, int]]) -> None:
        pending: list[tuple[watcher, int]] = [*self._descriptors.ready(told)]
        fed, self._fed = self._fed, []
        others: list[watcher] = [*self._timers.due(self._now), *(one for one in fed if one._pending)]
        if self._reaps:
            self._reaps = False
            others += self._ended()
        others += self._checks
        pending += [(one, 0) for one in others]
        if not pending:
            pending = [(one, 0) for one in self._idles]
        for one, _ in pending:
            one._pending = True
        # Of the same priority they stay in their order.
        pending.sort(key=lambda happened: -happened[0]._priority)
        for one, events in pending:
            if one._pending:
                one._happened(events)

    def _call_each(self, watchers: Iterable[watcher]) -> None:
        for one in [*watchers]:
            one._pending = True
            one._happened()

    def break_(self, how: int = EVBREAK_ONE) -> None:
        """Has `run` return."""
        self._broken = how != EVBREAK_CANCEL

    def ref(self) -> None:
        """Has it run on, though nothing is waited for."""
        self._refs += 1

    def unref(self) -> None:
        """Ends what `ref` began."""
        self._refs -= 1

    def now(self) -> float:
        """The clock, as it was in the last turn, in seconds."""
        self._check()
        return self._now

    def update_now(self) -> None:
        """Looks at the clock."""
        self._check()
        self._now = monotonic()

    update = update_now

    def fileno(self) -> int | None:
        """libuv's descriptor: it is readable when there is something to do."""
        return None if self._destroyed else self.uv.fileno()

    # Errors

    def handle_error(self, context: object, type: Any, value: Any, tb: Any) -> None:
        """Has the hub deal with an exception; without one, prints it."""
        if type is HubDestroyed:
            self._callbacks.clear()
            self.break_()
            return
        handler = self.error_handler
        if handler is None:
            traceback.print_exception(type, value, tb)
        else:
            getattr(handler, "handle_error", handler)(context, type, value, tb)

    def _report(self, context: object, type: Any, value: Any, tb: Any) -> None:
        try:
            self.handle_error(context, type, value, tb)
        except BaseException:
            # There is nobody else to tell, or it is their stderr that raises.
            with suppress(BaseException):
                traceback.print_exc()

    # What is told of it

    @property
    def activecnt(self) -> int:
        """How many watchers it runs on for."""
        self._check()
        return self._refs

    @property
    def pendingcnt(self) -> int:
        """How many are about to be called."""
        return len(self._fed)

    @property
    def iteration(self) -> int:
        """Not counted."""
        return -1

    @property
    def depth(self) -> int:
        """Not counted."""
        return -1

    def verify(self) -> None:
        """Nothing to verify."""

    def _format(self) -> str:
        if self._destroyed:
            return "destroyed"
        about = f"backend={self.backend} ptr={self.ptr}{' default' if self.default else ''}"
        return f"{about} ref={self._refs} fileno={self.fileno()} callbacks={len(self._callbacks)}"

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} at {id(self):#x} {self._format()}>"


def _tell_nobody(*_: object) -> None:
    """What comes of a loop that is destroyed."""
