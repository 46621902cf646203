"""The names that a bulk run asks for, streamed from a file, a pipe or a terminal."""

import os
import stat
from collections.abc import Callable, Iterator
from typing import Final

import pyuv

from . import RecordType

CHUNK: Final = 1 << 16
# A line that is longer is no name. What is kept of it is enough to find it.
LONGEST_LINE: Final = 4096


class Names:
    """Lines of ``NAME [TYPE]``; empty lines and those that begin with ``#`` are passed over.

    A file is read when its lines are wanted. A pipe or a terminal is read when it has something, so that the
    loop goes on meanwhile; `wake` is then called from the loop.
    """

    def __init__(self, loop: pyuv.Loop, fd: int, name: str, wake: Callable[[], object]) -> None:
        self._fd = fd
        self._name = name
        self._wake = wake
        self._ready = True
        self._poll: pyuv.Poll | None = None
        self.total: int | None = None
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return
        try:
            poll = pyuv.Poll(loop, fd)
            poll.start(pyuv.UV_READABLE, self._readable)
        except pyuv.error.UVError:
            # What cannot be polled, /dev/null for instance, does not make a reader wait.
            return
        self._poll = poll
        self._ready = False

    def count(self) -> None:
        """Counts the lines that are left of a file, for `total`; of anything else nothing is known."""
        if self._poll is None and stat.S_ISREG(os.fstat(self._fd).st_mode):
            start = os.lseek(self._fd, 0, os.SEEK_CUR)
            total, last = 0, b"\n"
            while chunk := os.read(self._fd, CHUNK):
                total += chunk.count(b"\n")
                last = chunk[-1:]
            os.lseek(self._fd, start, os.SEEK_SET)
            self.total = total + (last != b"\n")

    def __iter__(self) -> Iterator[list[str] | None]:
        """A line's words; None where there is no line yet, and `wake` will be called."""
        rest = b""
        while (chunk := self._read()) != b"":
            if chunk is None:
                yield None
                continue
            head, newline, tail = chunk.rpartition(b"\n")
            if not newline:
                rest = (rest + tail)[: LONGEST_LINE + CHUNK]
                continue
            yield from _words(rest + head)
            rest = tail
        yield from _words(rest)
        self.close()

    def close(self) -> None:
        """Reads no more."""
        if self._poll is not None and not self._poll.closed:
            self._poll.close()

    def _read(self) -> bytes | None:
        """The next bytes; empty at the end, None where they are still to come."""
        if self._poll is None:
            try:
                return os.read(self._fd, CHUNK)
            except OSError as error:
                error.filename = self._name
                raise
        if not self._ready:
            if not self._poll.closed and not self._poll.active:
                self._poll.start(pyuv.UV_READABLE, self._readable)
            return b"" if self._poll.closed else None
        self._ready = False
        return os.read(self._fd, CHUNK)

    def _readable(self, poll: pyuv.Poll, events: int, errorno: int | None) -> None:
        poll.stop()
        self._ready = True
        self._wake()


def type_named(word: str) -> RecordType:
    """The record type of that name, ``MX`` or ``TYPE15``; ValueError for another word."""
    # The stub does not say that it takes names.
    return RecordType(word)  # type: ignore[arg-type]


def _words(lines: bytes) -> Iterator[list[str]]:
    for line in lines.decode("utf-8", "surrogateescape").split("\n"):
        words = line[:LONGEST_LINE].split(None, 2)
        if words and not words[0].startswith("#"):
            yield words
