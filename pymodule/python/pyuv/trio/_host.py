"""A loop of pyuv's inside ``trio.run``: who turns it, and when.

It does what there is, without waiting, whenever a task waits for something of it, and when one of two system
tasks sees that its descriptor is readable, or a timer of it due. Callbacks wake tasks.
"""

import sys
import time
from collections.abc import Callable, Coroutine
from math import ceil, inf
from typing import Any

import trio
from trio.lowlevel import (
    Abort,
    RunVar,
    Task,
    add_instrument,
    checkpoint,
    checkpoint_if_cancelled,
    current_task,
    enable_ki_protection,
    in_trio_task,
    reschedule,
    spawn_system_task,
    wait_readable,
    wait_task_rescheduled,
)

from .. import UV_RUN_NOWAIT, Async, Loop, Timer
from .._awaited import host
from ..error import UVError
from ._end import others_end
from ._future import Future
from ._patience import Patience


class Alarm:
    """What ``call_later`` gives."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer

    def cancel(self) -> None:
        """Has it not be called."""
        self._timer.close()


class TrioHost(trio.abc.Instrument):
    """The loop of one ``trio.run``, closed with its last task."""

    def __init__(self) -> None:
        self.uv = Loop()
        self._checkpoint = checkpoint_if_cancelled
        self._resolver: Any = None
        self._soon: list[Callable[[], object]] = []
        self._closed = False
        # The task that keeps the time, while it waits, and until when, by the loop's clock.
        self._waiting: Task | None = None
        self._until = inf
        self.patience = Patience()
        # Has the loop's descriptor be readable. Without any handle a loop does not look at descriptors.
        self._news = Async(self.uv, lambda _: None)
        # What turns the loop outlives other system tasks: one that is shielded may still wait for something.
        self._lives = trio.CancelScope(shield=True), trio.CancelScope(shield=True)
        ours = self._keep_time, self._watch, self._wait_for_end
        self._tasks = {spawn_system_task(task) for task in ours}
        add_instrument(self)

    # Turning the loop

    def turn(self) -> None:
        """Does what there is, and has the time be kept. Not for callbacks of the loop's."""
        self._turn()
        if self._due() < self._until:
            self._turn_soon()

    def _turn_soon(self) -> None:
        task, self._waiting = self._waiting, None
        if task is not None:
            reschedule(task)

    @enable_ki_protection
    def _turn(self) -> None:
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()
        self.uv.run(UV_RUN_NOWAIT)

    def _due(self) -> float:
        """When a timer is due, by the loop's clock."""
        timeout = self.uv.get_timeout()
        return inf if timeout < 0 else self.uv.now() / 1000 + timeout

    async def _watch(self) -> None:
        fd = self.uv.fileno()
        with self._lives[0]:
            while not self._closed:
                self.turn()
                await wait_readable(fd)

    async def _keep_time(self) -> None:
        try:
            with self._lives[1]:
                while True:
                    self._turn()
                    self._until = self._due()
                    seconds = self._until - self.uv.now() / 1000
                    if seconds <= 0:
                        await checkpoint()
                        continue
                    self._waiting = current_task()
                    with trio.move_on_after(seconds):
                        await wait_task_rescheduled(self._abort)
        finally:
            self._close()

    def _abort(self, _: object) -> Abort:
        self._waiting = None
        return Abort.SUCCEEDED

    # The end

    async def _wait_for_end(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            await others_end(self._tasks)
            self._closed = True
            for life in self._lives:
                life.cancel()

    def _close(self) -> None:
        self._closed = True
        resolver, self._resolver = self._resolver, None
        if resolver is not None:
            resolver.close()
        for handle in self.uv.handles:
            handle.close()
        try:
            self._turn()
            self.uv.close()
        except UVError:
            # A thread of the pool is at work for it, for how long nobody knows; or somebody has a resolver on
            # it, or made a handle at the last moment. It ends with what it is kept by.
            self.uv.excepthook = _tell_nobody

    def before_io_wait(self, timeout: float) -> None:
        """Trio is about to sleep: what was started on the loop by hand has to be looked at before."""
        if timeout > 0 and self._waiting is not None and self._due() < self._until:
            self._news.send()

    def after_io_wait(self, timeout: float) -> None:
        """Trio has slept: timers that are started by hand count from the loop's clock."""
        if timeout > 0 and not self._closed:
            self.uv.update_time()

    # For what is awaited on any host

    def create_future(self) -> Future[Any]:
        """A future that tasks of this trio.run await."""
        return Future(self)

    def call_soon(self, callback: Callable[[], object], /) -> None:
        """Calls it in the next turn."""
        self._soon.append(callback)
        self._turn_soon()

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> Alarm:
        """Calls it in so many seconds."""

        def ring(timer: Timer) -> None:
            timer.close()
            callback(*args)

        timer = Timer(self.uv)
        self.uv.update_time()
        # In whole milliseconds: a Timer warns of what is less than one.
        timer.start(ring, ceil(max(0, delay) * 1000) / 1000, 0)
        self._turn_soon()
        return Alarm(timer)

    def time(self) -> float:
        """The clock, in seconds."""
        return time.monotonic()

    def is_closed(self) -> bool:
        """Whether nothing is run any more."""
        return self._closed

    def _start(
        self, coroutine: Coroutine[Any, Any, object], ended: Callable[[], object]
    ) -> Callable[[], object]:
        scope = trio.CancelScope()

        async def run() -> None:
            try:
                with scope:
                    await coroutine
            except Exception as error:
                sys.excepthook(type(error), error, error.__traceback__)
            finally:
                ended()

        spawn_system_task(run)
        return scope.cancel

    async def _finish(self, coroutine: Coroutine[Any, Any, None]) -> None:
        with trio.CancelScope(shield=True):
            await coroutine


def _tell_nobody(*_: object) -> None:
    """What comes of a loop that nobody turns any more."""


_hosts: RunVar[TrioHost] = RunVar("pyuv.trio")


def find() -> TrioHost | None:
    """The host of the running ``trio.run``, made when it is first asked for. None outside of trio's tasks."""
    if not in_trio_task():
        return None
    try:
        found = _hosts.get()
    except LookupError:
        found = TrioHost()
        _hosts.set(found)
    if found.is_closed():
        # A system task, or an asynchronous generator that was not finished, that goes on.
        raise RuntimeError("this trio.run has ended, and its loop with it")
    return found


host.register(find, guest=True)


def trio_host() -> TrioHost:
    """The host of the running ``trio.run``. RuntimeError outside of trio's tasks."""
    found = find()
    if found is None:
        raise RuntimeError("there is no loop outside of trio's tasks")
    return found


def current_loop() -> Loop:
    """The :class:`pyuv.Loop` of the running ``trio.run``, which is closed with it.

    Handles and requests may be started on it at any time, from tasks and from callbacks; callbacks wake tasks
    by ``trio.Event.set`` and the like. Trio turns it: nobody calls its ``run``. RuntimeError outside of
    trio's tasks.
    """
    return trio_host().uv
