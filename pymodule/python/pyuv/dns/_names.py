"""The names that a bulk run asks for, streamed from a file, a pipe or a terminal."""

import os
import stat
from typing import Final

import pyuv

from . import RecordType

PIECE: Final = 1 << 16


class Names:
    """A list of names, in pieces.

    A file is read when more is wanted. A pipe or a terminal is read when it has something, so that the loop
    goes on meanwhile, and comes round for it.
    """

    def __init__(self, loop: pyuv.Loop, fd: int, name: str) -> None:
        self._fd = fd
        self._name = name
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
            while piece := os.read(self._fd, PIECE):
                total += piece.count(b"\n")
                last = piece[-1:]
            os.lseek(self._fd, start, os.SEEK_SET)
            self.total = total + (last != b"\n")

    def read(self) -> bytes | None:
        """The next bytes; empty at the end, None where they are still to come."""
        if self._poll is not None:
            if not self._ready:
                if not self._poll.active:
                    self._poll.start(pyuv.UV_READABLE, self._readable)
                return None
            self._ready = False
        try:
            piece = os.read(self._fd, PIECE)
        except OSError as error:
            error.filename = self._name
            raise
        if not piece:
            self.close()
        return piece

    def close(self) -> None:
        """Reads no more."""
        if self._poll is not None and not self._poll.closed:
            self._poll.close()

    def _readable(self, poll: pyuv.Poll, events: int, errorno: int | None) -> None:
        poll.stop()
        self._ready = True


def type_named(word: str) -> RecordType:
    """The record type of that name, ``MX`` or ``TYPE15``; ValueError for another word."""
    # The stub does not say that it takes names.
    return RecordType(word)  # type: ignore[arg-type]
