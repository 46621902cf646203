"""Callbacks that keep the loop too long are told of, with their stack. Nothing else is slower for it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

# Looks in the time that is too long: so exact is what is said of it.
_LOOKS = 8
# The shortest time between two looks, in seconds.
_SHORTEST = 0.001


@dataclass(frozen=True, slots=True)
class SlowCallback:
    """A callback, or a task's step, that kept the event loop longer than ``slow_callback_duration``."""

    #: For how many seconds, to an eighth of ``slow_callback_duration``.
    duration: float
    #: The task whose step it was.
    task: asyncio.Task[Any] | None
    #: Where it was when it had taken too long, outermost call first; empty in a function of C's alone.
    stack: traceback.StackSummary

    def __str__(self) -> str:
        what = f"Task {self.task.get_name()!r}" if self.task is not None else "A callback"
        where = "".join(self.stack.format()) if self.stack else "  in a function that is not Python's\n"
        return f"{what} kept the event loop for {self.duration:.3f} seconds:\n{where}"


class Watchdog:
    """Looks at an event loop from a thread of its own, and has the loop call the hook."""

    def __init__(self, event_loop: Any, hook: Callable[[SlowCallback], object], runner: Any) -> None:
        self.hook = hook
        self._event_loop = weakref.ref(event_loop)
        # The code of the frame that callbacks are called from.
        self._runner = runner
        self._ended = threading.Event()
        threading.Thread(target=self._look, name="pyuv.asyncio watchdog", daemon=True).start()

    def end(self) -> None:
        """The thread is over with its next look."""
        self._ended.set()

    def _look(self) -> None:
        progress, since, seen = None, 0.0, None
        while True:
            event_loop = self._event_loop()
            if event_loop is None:
                return
            limit = event_loop.slow_callback_duration
            wait = max(limit / _LOOKS, _SHORTEST)
            thread = event_loop._thread_id
            now = time.monotonic()
            number, asleep = event_loop._progress()
            if asleep or thread is None or number != progress:
                if seen is not None:
                    self._tell(event_loop, SlowCallback(now - since, *seen))
                progress, since, seen = number, now, None
            elif seen is None and now - since >= limit:
                seen = self._what_runs(event_loop, thread)
            del event_loop
            if self._ended.wait(wait):
                return

    def _what_runs(self, event_loop: Any, thread: int) -> tuple[Any, traceback.StackSummary]:
        frames: list[tuple[FrameType, int]] = []
        frame = sys._current_frames().get(thread)
        while frame is not None and frame.f_code is not self._runner:
            frames.append((frame, frame.f_lineno))
            frame = frame.f_back
        stack = traceback.StackSummary.extract(reversed(frames))
        return asyncio.current_task(event_loop), stack

    def _tell(self, event_loop: Any, report: SlowCallback) -> None:
        try:
            event_loop.call_soon_threadsafe(self.hook, report)
        except RuntimeError:
            # It was closed meanwhile.
            self.end()
