"""What was read from a file and not asked for yet, bytes or text, and where its lines end. No I/O here."""

import re
from collections.abc import Iterator
from operator import length_hint
from typing import AnyStr, Generic, Protocol

WINDOW = 8 * 1024
"""How much is split into lines at first, in bytes or characters; twice as much each time after that."""


class LineEnd(Protocol[AnyStr]):
    """What ends a line. Positions are those behind an end; -1 where there is none."""

    def first(self, data: AnyStr, start: int) -> int: ...
    def last(self, data: AnyStr, start: int, stop: int) -> int: ...
    def split(self, data: AnyStr) -> list[AnyStr]: ...
    def lines(self, data: AnyStr) -> list[AnyStr]: ...


class FixedEnd(Generic[AnyStr]):
    """Lines that end in one string."""

    def __init__(self, end: AnyStr) -> None:
        self._end: AnyStr = end
        # What splitlines() knows among others, and splits quickest at.
        self._is_newline = end in ("\n", b"\n")

    def first(self, data: AnyStr, start: int) -> int:
        """Where the first line ends that ends after `start`."""
        found = data.find(self._end, start)
        return found if found < 0 else found + len(self._end)

    def last(self, data: AnyStr, start: int, stop: int) -> int:
        """Where the last line ends that ends between the two."""
        found = data.rfind(self._end, start, stop)
        return found if found < 0 else found + len(self._end)

    def split(self, data: AnyStr) -> list[AnyStr]:
        """The lines, of which the last is complete, with their ends."""
        if self._is_newline:
            lines = data.splitlines(keepends=True)
            # It splits at "\r" and more, too, and then there are more lines than ends.
            if len(lines) == data.count(self._end):
                return lines
        return [line + self._end for line in data.split(self._end)[:-1]]

    def lines(self, data: AnyStr) -> list[AnyStr]:
        """All lines. The last one may have no end."""
        return _lines(self, data)


class AnyEnd:
    """Lines of text that end in "\\n", "\\r" or "\\r\\n", and keep what they end in."""

    _END = re.compile(r"\r\n?|\n")
    _LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)")

    def first(self, data: str, start: int) -> int:
        """Where the first line ends that ends after `start`."""
        found = self._END.search(data, start)
        return found.end() if found else -1

    def last(self, data: str, start: int, stop: int) -> int:
        """Where the last line ends that ends between the two; a "\\n" behind a "\\r" is part of its end."""
        found = max(data.rfind("\n", start, stop), data.rfind("\r", start, stop))
        if found < 0:
            return found
        return found + 2 if data.startswith("\r\n", found) else found + 1

    def split(self, data: str) -> list[str]:
        """The lines, of which the last is complete, with their ends."""
        return self._LINE.findall(data)

    def lines(self, data: str) -> list[str]:
        """All lines. The last one may have no end."""
        return _lines(self, data)


def _lines(end: LineEnd[AnyStr], data: AnyStr) -> list[AnyStr]:
    last = max(0, end.last(data, 0, len(data)))
    lines = end.split(data[:last])
    if rest := data[last:]:
        lines.append(rest)
    return lines


class Ahead(Generic[AnyStr]):
    """A buffer that is fed blocks and gives pieces or lines.

    Whoever goes through lines takes them from `lines`, an iterator over a list: that costs next to nothing,
    and every other method first gives back to the buffer what is left of them.
    """

    __slots__ = ("_data", "_empty", "_end", "_lines", "_pos", "_searched", "_window", "lines")

    def __init__(self, empty: AnyStr, end: LineEnd[AnyStr]) -> None:
        self._empty: AnyStr = empty
        self._data: AnyStr = empty
        self._end: LineEnd[AnyStr] = end
        self._pos = 0
        # So much of what is unread has no end of a line.
        self._searched = 0
        self._window = WINDOW
        self._lines: list[AnyStr] = []
        #: Complete lines, which are the next to be read.
        self.lines: Iterator[AnyStr] = iter(())

    def __len__(self) -> int:
        self._settle()
        return len(self._data) - self._pos

    def _settle(self) -> None:
        """Takes back the lines that nobody has taken."""
        if not self._lines:
            return
        if left := length_hint(self.lines):
            self._pos -= sum(map(len, self._lines[-left:]))
            self._window = WINDOW
        self._lines = []
        self.lines = iter(())

    def feed(self, data: AnyStr) -> None:
        """Adds a block at the end."""
        self._settle()
        self._data = data if self._pos == len(self._data) else self._data[self._pos :] + data
        self._pos = 0

    def clear(self) -> None:
        """Forgets everything."""
        self._lines = []
        self.lines = iter(())
        self._data = self._empty
        self._pos = self._searched = 0
        self._window = WINDOW

    def peek(self) -> AnyStr:
        """Everything, which stays."""
        self._settle()
        return self._data[self._pos :]

    def take(self, size: int) -> AnyStr:
        """At most `size` bytes or characters."""
        self._settle()
        piece = self._data[self._pos : self._pos + size]
        self._pos += len(piece)
        self._searched = 0
        return piece

    def take_all(self) -> AnyStr:
        """Everything."""
        piece = self.peek()
        self.clear()
        return piece

    def take_line(self, limit: int = -1) -> AnyStr | None:
        """A complete line, or so much of it; None where that is not there yet."""
        self._settle()
        there = len(self._data) - self._pos
        end = self._end.first(self._data, self._pos + self._searched)
        size = end - self._pos
        if 0 <= limit <= there and (end < 0 or size > limit):
            return self.take(limit)
        if end < 0:
            # An end may begin with the last character.
            self._searched = max(0, there - 1)
            return None
        return self.take(size)

    def split(self) -> bool:
        """Puts complete lines into `lines`, and says whether there are any."""
        self._settle()
        start = self._pos
        stop = min(start + self._window, len(self._data))
        end = self._end.last(self._data, start, stop)
        if end < 0:
            end = self._end.first(self._data, start + self._searched)
            if end < 0:
                self._searched = max(0, len(self._data) - start - 1)
                return False
        self._window *= 2
        self._lines = self._end.split(self._data[start:end])
        self.lines = iter(self._lines)
        self._pos = end
        self._searched = 0
        return True
