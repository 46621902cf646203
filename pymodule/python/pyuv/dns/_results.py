"""The results of a bulk run: lines of JSON, written whole, and read again to resume."""

import json
import os
import stat
from collections.abc import Iterator
from typing import Final

from ._engine import Answered
from ._status import FINAL

CHUNK: Final = 1 << 16


class ResultsError(Exception):
    """The file that was to be continued holds something else."""


def write(fd: int, name: str, lines: bytes) -> None:
    """Writes lines to a file descriptor, all of them."""
    data = memoryview(lines)
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        error.filename = name
        raise


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
                answered.add(result["name"].encode("utf-8", "surrogateescape"), result["type"])
        except (ValueError, TypeError, KeyError, AttributeError):
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
