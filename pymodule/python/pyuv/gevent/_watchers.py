"""The watchers: what a loop is asked to call back about."""

import os
import signal as signals
import sys
from collections.abc import Callable
from fcntl import F_GETFD, fcntl
from typing import TYPE_CHECKING, Any, Self

from gevent._interfaces import IWatcher  # type: ignore[import-untyped]
from zope.interface import implementer  # type: ignore[import-untyped]

from .. import UV_READABLE, UV_WRITABLE, Async, Signal
from ..fs import FSPoll

if TYPE_CHECKING:
    from . import _loop
    from ._timers import Entry

READ, WRITE = UV_READABLE, UV_WRITABLE
_DEFAULT_INTERVAL, _SHORTEST_INTERVAL = 5.0, 0.1
"""Seconds between two looks at a path: libev's."""
EVENTS = object()
"""Stands in a watcher's arguments for the events that came."""


@implementer(IWatcher)
class watcher:
    """Calls ``callback(*args)`` when it happens, from `start` to `stop`."""

    _kind = "watcher"

    def __init__(self, loop: "_loop.loop", ref: bool = True, priority: int | None = None) -> None:
        loop._check()
        self.loop = loop
        self._ref = bool(ref)
        self._priority = priority or 0
        self._active = False
        self._pending = False
        self._callback: Callable[..., object] | None = None
        self._args: tuple[Any, ...] | None = None

    # Who is called

    @property
    def callback(self) -> Callable[..., object] | None:
        """What is called; None while it is stopped."""
        return self._callback

    @callback.setter
    def callback(self, function: Callable[..., object] | None) -> None:
        if function is not None and not callable(function):
            raise TypeError(f"Expected callable, not {function!r}")
        self._callback = function

    @property
    def args(self) -> tuple[Any, ...] | None:
        """What it is called with."""
        return self._args

    @args.setter
    def args(self, args: tuple[Any, ...] | None) -> None:
        if args is not None and not isinstance(args, tuple):
            raise TypeError("args must be a tuple or None")
        self._args = args

    # Its life

    def start(self, callback: Callable[..., object], *args: Any) -> None:
        """Has it call from now on. It is kept by its loop meanwhile."""
        if callback is None:
            raise TypeError("callback must be callable, not None")
        self.loop._check()
        self.callback = callback
        self._args = args
        if self._active:
            return
        self._begin()
        self._active = True
        self.loop._started(self)

    def stop(self) -> None:
        """Has it call no more."""
        self._pending = False
        self._callback = self._args = None
        if self._active:
            self._active = False
            self.loop._stopped(self)
            self._end()

    def close(self) -> None:
        """The same, for good."""
        self.stop()

    def _begin(self) -> None:
        """What is to be done when it starts."""

    def _end(self) -> None:
        """What is to be done when it stops."""

    def _happened(self, events: int = 0) -> None:
        """It is its turn: calls what is to be called, unless it was stopped since."""
        self._pending = False
        callback, args = self._callback, self._args
        if callback is None or args is None:
            return
        if args and args[0] is EVENTS:
            args = (events, *args[1:])
        try:
            callback(*args)
        except BaseException:
            self.loop._report(self, *sys.exc_info())
            self._failed()

    def _failed(self) -> None:
        """Its callback has raised."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What is told of it

    @property
    def active(self) -> bool:
        """Whether it is started."""
        return self._active

    @property
    def pending(self) -> bool:
        """Whether it is about to call."""
        return self._pending

    @property
    def ref(self) -> bool:
        """Whether the loop runs on for it."""
        return self._ref

    @ref.setter
    def ref(self, on: bool) -> None:
        on = bool(on)
        if on != self._ref:
            if self._active:
                self.loop._refs += 1 if on else -1
            self._ref = on

    @property
    def priority(self) -> int:
        """Who is called first."""
        return self._priority

    @priority.setter
    def priority(self, priority: int) -> None:
        if self._active:
            raise AttributeError("Cannot set priority of an active watcher")
        self._priority = priority

    def _format(self) -> str:
        return ""

    def __repr__(self) -> str:
        about = self._format()
        for state in ("active", "pending"):
            if getattr(self, state):
                about += f" {state}"
        if self._callback is not None:
            about += f" callback={self._callback!r} args={self._args!r}"
        return f"<{type(self).__name__} at {id(self):#x}{about}>"


class io(watcher):
    """Whether a descriptor is readable, writable or either. Several may watch the same one."""

    def __init__(
        self, loop: "_loop.loop", fd: int, events: int, ref: bool = True, priority: int | None = None
    ) -> None:
        _check_io(fd, events)
        super().__init__(loop, ref, priority)
        self._fd, self._events = fd, events

    def start(self, callback: Callable[..., object], *args: Any, pass_events: bool = False) -> None:
        """With ``pass_events``, what came is the first argument."""
        super().start(callback, *((EVENTS, *args) if pass_events else args))

    @property
    def fd(self) -> int:
        """The number."""
        return self._fd

    @fd.setter
    def fd(self, fd: int) -> None:
        self._change(fd, self._events)

    @property
    def events(self) -> int:
        """READ, WRITE or both."""
        return self._events

    @events.setter
    def events(self, events: int) -> None:
        self._change(self._fd, events)

    def _change(self, fd: int, events: int) -> None:
        if self._active:
            raise AttributeError("'io' watcher attributes cannot be set while watcher is active")
        _check_io(fd, events)
        self._fd, self._events = fd, events

    def _begin(self) -> None:
        self.loop._descriptors.add(self)

    def _end(self) -> None:
        self.loop._descriptors.discard(self)

    def _happened(self, events: int = 0) -> None:
        super()._happened(events)
        if events < 0:
            self.stop()

    def _failed(self) -> None:
        # It would be called, and fail, again and again.
        self.stop()

    def _format(self) -> str:
        return f" fd={self._fd} events={events_to_str(self._events)}"


def _check_io(fd: int, events: int) -> None:
    if fd < 0:
        raise ValueError(f"fd must be non-negative: {fd!r}")
    # OSError for a number that is nobody's.
    fcntl(fd, F_GETFD)
    if events & ~(READ | WRITE):
        raise ValueError(f"illegal event mask: {events!r}")


def events_to_str(events: int) -> str:
    """READ, WRITE and what else there is, by name."""
    names = [name for bit, name in ((READ, "READ"), (WRITE, "WRITE")) if events & bit]
    if rest := events & ~(READ | WRITE):
        names.append(hex(rest))
    return "|".join(names)


class timer(watcher):
    """A time that has come, once or again and again."""

    def __init__(
        self,
        loop: "_loop.loop",
        after: float = 0.0,
        repeat: float = 0.0,
        ref: bool = True,
        priority: int | None = None,
    ) -> None:
        if repeat < 0.0:
            raise ValueError(f"repeat must be positive or zero: {repeat!r}")
        super().__init__(loop, ref, priority)
        self._after, self.repeat = after, repeat
        self._entry: Entry | None = None

    def start(self, callback: Callable[..., object], *args: Any, update: bool = True) -> None:
        """With ``update``, the time counts from now; else from the loop's last turn."""
        if update:
            self.loop.update_now()
        super().start(callback, *args)

    def again(self, callback: Callable[..., object], *args: Any, update: bool = True) -> None:
        """Starts it, or has its time begin anew: that of ``repeat``."""
        self.loop._check()
        if update:
            self.loop.update_now()
        if not self._active:
            self.start(callback, *args, update=False)
        else:
            self.callback, self._args = callback, args
        self.loop._timers.remove(self)
        if self.repeat:
            self.loop._timers.add(self, self.loop.now() + self.repeat)
        else:
            self.stop()

    @property
    def at(self) -> float:
        """When it is, by the loop's clock."""
        return self._entry.at if self._entry is not None else 0.0

    def _begin(self) -> None:
        self.loop._timers.add(self, self.loop.now() + self._after)

    def _end(self) -> None:
        self.loop._timers.remove(self)

    def _happened(self, events: int = 0) -> None:
        if self.repeat:
            super()._happened(events)
            return
        self._active = False
        self.loop._stopped(self)
        super()._happened(events)
        # Its callback may have started it again.
        if not self._active:
            self._callback = self._args = None


class signal(watcher):
    """A signal that has come (`uv_signal_t`)."""

    def __init__(
        self, loop: "_loop.loop", signalnum: int, ref: bool = True, priority: int | None = None
    ) -> None:
        if signalnum < 1 or signalnum >= signals.NSIG:
            raise ValueError(f"illegal signal number: {signalnum!r}")
        super().__init__(loop, ref, priority)
        self._signalnum = signalnum
        self._handle: Signal | None = None

    def _begin(self) -> None:
        self._handle = Signal(self.loop.uv)
        self._handle.ref = False
        self._handle.start(lambda *_: self.loop._feed(self), self._signalnum)

    def _end(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _format(self) -> str:
        return f" signalnum={self._signalnum}"


class _Phase(watcher):
    """What a turn comes to: the loop has a list of those that are started."""

    def _listed(self) -> "list[watcher]":
        raise NotImplementedError

    def _begin(self) -> None:
        self._listed().append(self)

    def _end(self) -> None:
        self._listed().remove(self)


class idle(_Phase):
    """That nothing else is to be done."""

    def _listed(self) -> "list[watcher]":
        return self.loop._idles


class prepare(_Phase):
    """That the loop is about to wait."""

    def _listed(self) -> "list[watcher]":
        return self.loop._prepares


class check(_Phase):
    """That the loop has waited."""

    def _listed(self) -> "list[watcher]":
        return self.loop._checks


class fork(_Phase):
    """That this is a forked child."""

    def _listed(self) -> "list[watcher]":
        return self.loop._forks


class async_(watcher):
    """That somebody, in any thread, has called `send` (`uv_async_t`)."""

    _handle: Async | None = None

    def _begin(self) -> None:
        self._handle = Async(self.loop.uv, lambda _: self.loop._feed(self))
        # Whether the loop runs on for it, the watcher says.
        self._handle.ref = False

    def _end(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def send(self) -> None:
        """Has it call in the loop's next turn; nothing while it is stopped."""
        handle = self._handle
        if handle is not None:
            handle.send()

    def send_ignoring_arg(self, _: object) -> None:
        """The same, for what is called with a result."""
        self.send()


class child(watcher):
    """The end of a child, which is waited for. 0 is any child."""

    def __init__(self, loop: "_loop.loop", pid: int, trace: int = 0, ref: bool = True) -> None:
        if not loop.default:
            raise TypeError("child watchers are only available on the default loop")
        super().__init__(loop, ref)
        loop.install_sigchld()
        self._pid = pid
        self.rpid: int | None = None
        self.rstatus = 0

    @property
    def pid(self) -> int:
        """Its number."""
        return self._pid

    def _begin(self) -> None:
        self.loop._children.add(self)
        # It may have ended before it was watched.
        self.loop._reaps = True

    def _end(self) -> None:
        self.loop._children.discard(self)

    def _format(self) -> str:
        return f" pid={self._pid} rstatus={self.rstatus}"


class stat(watcher):
    """That what a path leads to has changed (`uv_fs_poll_t`)."""

    def __init__(
        self,
        loop: "_loop.loop",
        path: Any,
        interval: float = 0.0,
        ref: bool = True,
        priority: int | None = None,
    ) -> None:
        self._paths = os.fsencode(path)
        super().__init__(loop, ref, priority)
        self.path, self.interval = path, interval
        self.attr: os.stat_result | None = None
        self.prev: os.stat_result | None = None
        self._handle: FSPoll | None = None

    def _begin(self) -> None:
        self.attr = _status(self.path)
        self.interval = _DEFAULT_INTERVAL if self.interval <= 0 else max(self.interval, _SHORTEST_INTERVAL)
        self._handle = FSPoll(self.loop.uv)
        self._handle.ref = False
        self._handle.start(self.path, self.interval, self._changed)

    def _end(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _changed(self, *_: object) -> None:
        self.prev, self.attr = self.attr, _status(self.path)
        self.loop._feed(self)

    def _format(self) -> str:
        return f" path={self.path!r}"


def _status(path: Any) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None
