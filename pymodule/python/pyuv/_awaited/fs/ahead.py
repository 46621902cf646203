"""What was read from a file and not asked for yet, bytes or text, and where its lines end. No I/O here."""

import io
import re
from collections.abc import Iterator
from typing import Any, AnyStr, Generic, Protocol, TypeVar

WINDOW = 32 * 1024
"""How much is split into lines at a time, in bytes or characters: what a processor has at hand."""

AnyStr_co = TypeVar("AnyStr_co", str, bytes, covariant=True)


class Lines(Protocol[AnyStr_co]):
    """An iterator over the lines of a piece, which knows how far it is, in bytes or characters."""

    def __iter__(self) -> Iterator[AnyStr_co]: ...
    def __next__(self) -> AnyStr_co: ...
    def tell(self) -> int: ...


class LineEnd(Protocol[AnyStr]):
    """What ends a line. Positions are those behind an end; -1 where there is none."""

    def first(self, data: AnyStr, start: int) -> int: ...
    def last(self, data: AnyStr, start: int, stop: int) -> int: ...
    def lines(self, data: AnyStr) -> Lines[AnyStr]: ...


class Newline(Generic[AnyStr]):
    """Lines that end in a newline. Files in memory split at nothing else, and as fast as it gets."""

    def __init__(self, end: AnyStr) -> None:
        self._end: AnyStr = end

    def first(self, data: AnyStr, start: int) -> int:
        """Where the first line ends that ends after `start`."""
        return data.find(self._end, start) + 1 or -1

    def last(self, data: AnyStr, start: int, stop: int) -> int:
        """Where the last line ends that ends between the two."""
        return data.rfind(self._end, start, stop) + 1 or -1

    def lines(self, data: AnyStr) -> Lines[AnyStr]:
        """The lines with their ends; the last may have none."""
        if isinstance(data, str):
            return io.StringIO(data, newline="\n")
        return io.BytesIO(data)


class OtherEnd:
    """Lines of text that end in "\\r", or in "\\r\\n", and in nothing else."""

    def __init__(self, end: str) -> None:
        self._end = end

    def first(self, data: str, start: int) -> int:
        """Where the first line ends that ends after `start`."""
        found = data.find(self._end, start)
        return found if found < 0 else found + len(self._end)

    def last(self, data: str, start: int, stop: int) -> int:
        """Where the last line ends that ends between the two."""
        found = data.rfind(self._end, start, stop)
        return found if found < 0 else found + len(self._end)

    def lines(self, data: str) -> Lines[str]:
        """The lines with their ends; the last may have none."""
        return _Cut(self, data)


class _Cut:
    """Lines that are cut off one after the other."""

    def __init__(self, end: OtherEnd, data: str) -> None:
        self._end = end
        self._data = data
        self._pos = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        start = self._pos
        if start == len(self._data):
            raise StopIteration
        end = self._end.first(self._data, start)
        self._pos = len(self._data) if end < 0 else end
        return self._data[start : self._pos]

    def tell(self) -> int:
        return self._pos


class AnyEnd:
    """Lines of text that end in "\\n", "\\r" or "\\r\\n", and keep what they end in."""

    _END = re.compile(r"\r\n?|\n")

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

    def lines(self, data: str) -> Lines[str]:
        """The lines with their ends; the last may have none."""
        return io.StringIO(data, newline="")


_NONE: Any = iter(())
"""No lines, for everybody: it stays where it is, at its end."""


class Ahead(Generic[AnyStr]):
    """A buffer that is fed blocks and gives pieces or lines.

    Whoever goes through lines takes them from `lines`, an iterator: that costs next to nothing, and every
    other method first gives back to the buffer what is left of them.
    """

    __slots__ = ("_data", "_empty", "_end", "_pos", "_searched", "_size", "lines")

    def __init__(self, empty: AnyStr, end: LineEnd[AnyStr]) -> None:
        self._empty: AnyStr = empty
        self._data: AnyStr = empty
        self._end: LineEnd[AnyStr] = end
        self._pos = 0
        # So much of what is unread has no end of a line.
        self._searched = 0
        # How long what `lines` goes through is.
        self._size = 0
        #: Complete lines, which are the next to be read.
        self.lines: Lines[AnyStr] = _NONE

    def __len__(self) -> int:
        self._settle()
        return len(self._data) - self._pos

    def _settle(self) -> None:
        """Takes back the lines that nobody has taken."""
        if self._size:
            self._pos -= self._size - self.lines.tell()
            self._size = 0
            self.lines = _NONE

    def feed(self, data: AnyStr) -> None:
        """Adds a block at the end."""
        self._settle()
        self._data = data if self._pos == len(self._data) else self._data[self._pos :] + data
        self._pos = 0

    def clear(self) -> None:
        """Forgets everything."""
        self._size = 0
        self.lines = _NONE
        self._data = self._empty
        self._pos = self._searched = 0

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
        stop = min(start + WINDOW, len(self._data))
        end = self._end.last(self._data, start, stop)
        if end < 0:
            end = self._end.first(self._data, start + self._searched)
            if end < 0:
                self._searched = max(0, len(self._data) - start - 1)
                return False
        self._size = end - start
        self.lines = self._end.lines(self._data[start:end])
        self._pos = end
        self._searched = 0
        return True
