"""Timers in the order in which they are due: a heap, in which one that was stopped stays until its time."""

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _watchers

_FEW = 100
"""How many may have been stopped, whatever the others are, before the heap is made anew."""


class Entry:
    """A timer, and when it is due."""

    __slots__ = ("at", "number", "timer")

    def __init__(self, at: float, number: int, timer: "_watchers.timer") -> None:
        self.at = at
        self.number = number
        self.timer: _watchers.timer | None = timer

    def __lt__(self, other: "Entry") -> bool:
        return (self.at, self.number) < (other.at, other.number)


class Timers:
    """The timers of a loop that are started."""

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._number = 0
        self._stopped = 0

    def add(self, timer: "_watchers.timer", at: float) -> None:
        """It is due then."""
        self._number += 1
        timer._entry = entry = Entry(at, self._number, timer)
        heappush(self._heap, entry)

    def remove(self, timer: "_watchers.timer") -> None:
        """It is due no more."""
        entry, timer._entry = timer._entry, None
        if entry is None:
            return
        entry.timer = None
        self._stopped += 1
        if self._stopped > _FEW and self._stopped > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if entry.timer is not None]
            heapify(self._heap)
            self._stopped = 0

    def first(self) -> float | None:
        """When the first is due."""
        heap = self._heap
        while heap and heap[0].timer is None:
            heappop(heap)
            self._stopped -= 1
        return heap[0].at if heap else None

    def due(self, now: float) -> "list[_watchers.timer]":
        """Those whose time has come. One that repeats is due again."""
        due: list[_watchers.timer] = []
        again: list[tuple[_watchers.timer, float]] = []
        while (at := self.first()) is not None and at <= now:
            its = heappop(self._heap).timer
            assert its is not None
            its._entry = None
            due.append(its)
            if its.repeat:
                # What was missed is not made up for.
                again.append((its, max(at + its.repeat, now)))
        for its, at in again:
            self.add(its, at)
        return due
