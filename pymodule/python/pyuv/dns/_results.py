"""The results of a bulk run: lines of JSON, written whole, and read again to resume."""

import json
import os
import stat
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from ._status import FINAL

# How many lines are written at a time.
BATCH: Final = 512
CHUNK: Final = 1 << 16
BUCKETS: Final = 256


class ResultsError(Exception):
    """The file that was to be continued holds something else."""


class Results:
    """Lines on their way to a file descriptor."""

    def __init__(self, fd: int, name: str) -> None:
        self._fd = fd
        self._name = name
        self._lines: list[str] = []
        self.append = self._lines.append

    def flush(self, *, below: int = 1) -> None:
        """Writes the lines that there are, unless they are fewer than `below`."""
        if len(self._lines) < below:
            return
        data = memoryview("".join(self._lines).encode("ascii"))
        # Forgotten first: after an error nothing is written a second time.
        self._lines.clear()
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            error.filename = self._name
            raise


class Answered:
    """The questions that a file of results has answers to: eight bytes for each, a hash."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(BUCKETS)]
        self._sorted = True

    def __contains__(self, question: object) -> bool:
        if not self._sorted:
            self._buckets = [array("Q", sorted(bucket)) for bucket in self._buckets]
            self._sorted = True
        number = hash(question) & 0xFFFFFFFFFFFFFFFF
        bucket = self._buckets[number % BUCKETS]
        place = bisect_left(bucket, number)
        return place < len(bucket) and bucket[place] == number

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def add(self, question: str) -> None:
        """Remembers a question; all are added before the first is looked for."""
        number = hash(question) & 0xFFFFFFFFFFFFFFFF
        self._buckets[number % BUCKETS].append(number)
        self._sorted = False


def question(name: str, record_type: str) -> str:
    """What `Answered` knows a question by."""
    return f"{name} {record_type}"


def resume(fd: int) -> Answered:
    """What the file at `fd` has answers to; a last line that was not finished is cut off.

    Failures are not among them: their names are asked for again.
    """
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise ResultsError("only a file can be resumed")
    answered = Answered()
    whole = 0
    for number, line in enumerate(_lines(fd), 1):
        if not line.endswith(b"\n"):
            break
        try:
            result = json.loads(line)
            if result["status"] in FINAL:
                answered.add(question(result["name"], result["type"]))
        except (ValueError, TypeError, KeyError):
            raise ResultsError(f"line {number} is no result: {line[:60]!r}") from None
        whole += len(line)
    os.ftruncate(fd, whole)
    os.lseek(fd, whole, os.SEEK_SET)
    return answered


def _lines(fd: int) -> Iterator[bytes]:
    rest = b""
    while chunk := os.read(fd, CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest
