"""Many questions at once: ``python -m pyuv.dns --file names.txt``."""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Container, Iterator
from functools import partial
from json.encoder import encode_basestring_ascii as quote
from typing import Final

import pyuv

from . import Channel, Message, RecordType, strerror
from ._names import Names, type_named
from ._progress import Progress
from ._results import BATCH, Results, question
from ._status import ANSWERED, BAD_NAME, FINAL, STATUSES, Exit

# Seconds between two looks at the output and the bar.
TICK: Final = 0.2
# Seconds before a failed question is asked again.
RETRY_PAUSE: Final = 0.5
# How many names are taken at a time, so that the loop comes round while many of them are passed over.
TAKEN: Final = 1000


class Bulk:
    """One run. What is in flight and what waits to be asked again is never more than `concurrency`."""

    def __init__(
        self,
        loop: pyuv.Loop,
        make_channel: Callable[[], Channel],
        names: tuple[int, str],
        results: Results,
        *,
        record_type: RecordType,
        concurrency: int,
        retries: int,
        answered: Container[str] | None,
        progress: Progress,
    ) -> None:
        self._loop = loop
        self._channel = make_channel()
        self._query = self._channel.query
        self._names = Names(loop, *names, self._fill)
        self._lines: Iterator[list[str] | None] = iter(self._names)
        self._results = results
        self._concurrency = concurrency
        self._retries = retries
        self._answered = answered
        self._progress = progress
        self._counts = progress.counts
        self._type = (int(record_type), str(record_type))
        self._types = {self._type[1]: self._type}
        self._busy = 0
        self._exhausted = False
        # What failed and is to be asked again: when, and what `_retry` and `_write` need.
        self._again: deque[tuple[float, str, tuple[int, str], int, int]] = deque()
        self._again_timer = pyuv.Timer(loop)
        self._fill_timer = pyuv.Timer(loop)
        self._tick_timer = pyuv.Timer(loop)
        self._signals = [pyuv.Signal(loop), pyuv.Signal(loop)]
        self._stopping: int | None = None
        self._error: BaseException | None = None

    def run(self) -> int:
        """Asks for every name; the exit status."""
        if self._progress.wants_total:
            self._names.count()
        self._progress.begin(self._names.total)
        self._loop.excepthook = self._failed
        for handle, number in zip(self._signals, (signal.SIGINT, signal.SIGTERM), strict=True):
            handle.start(self._interrupted, number)
        self._tick_timer.start(self._tick, TICK, TICK)
        self._fill_timer.start(lambda timer: self._fill(), 0)
        try:
            self._loop.run()
            if self._error is not None:
                raise self._error
            self._results.flush()
        finally:
            self._progress.end()
        if self._stopping is not None:
            return 128 + self._stopping
        return Exit.ANSWERED if FINAL.issuperset(self._counts) else Exit.NO_REPLY

    def _fill(self) -> None:
        """Asks for the next names, as many as there is room for."""
        taken = 0
        while self._busy < self._concurrency and not self._exhausted:
            taken += 1
            if taken > TAKEN:
                self._fill_timer.start(lambda timer: self._fill(), 0)
                return
            words = next(self._lines, ())
            if words is None:
                return
            if words:
                self._take(words)
            else:
                self._exhausted = True
        if self._exhausted and not self._busy:
            self._finish()

    def _take(self, words: list[str]) -> None:
        name = words[0]
        record_type = self._type
        if len(words) > 1:
            known = self._types.get(words[1])
            try:
                record_type = known or self._learn(words[1])
            except ValueError:
                self._write(name, words[1], BAD_NAME, f"unknown record type: {words[1]}")
                return
        if self._answered is not None and question(name, record_type[1]) in self._answered:
            return
        self._ask(name, record_type, self._retries)

    def _learn(self, text: str) -> tuple[int, str]:
        member = type_named(text)
        self._types[text] = found = (int(member), str(member))
        return found

    def _ask(self, name: str, record_type: tuple[int, str], retries: int) -> None:
        try:
            self._query(name, record_type[0], partial(self._done, name, record_type, retries))
        except ValueError as error:
            self._write(name, record_type[1], BAD_NAME, str(error))
        else:
            self._busy += 1

    def _done(
        self,
        name: str,
        record_type: tuple[int, str],
        retries: int,
        message: Message | None,
        errorno: int | None,
    ) -> None:
        self._busy -= 1
        if message is not None:
            self._results.append(
                f'{{"name":{quote(name)},"type":"{record_type[1]}","status":"NOERROR",'
                f'"answer":{message.answer_to_json()}}}\n'
            )
            self._counts[ANSWERED] += 1
        else:
            assert errorno is not None
            if retries and STATUSES[errorno] not in FINAL and self._stopping is None:
                self._put_back(name, record_type, retries, errorno)
                return
            self._write(name, record_type[1], STATUSES[errorno], strerror(errorno))
        self._results.flush(below=BATCH)
        self._fill()

    def _write(self, name: str, record_type: str, status: str, reason: str) -> None:
        """A result without an answer."""
        asked = f'"name":{quote(name)},"type":{quote(record_type)}'
        self._results.append(f'{{{asked},"status":"{status}","reason":{quote(reason)}}}\n')
        self._counts[status] += 1
        self._results.flush(below=BATCH)

    def _put_back(self, name: str, record_type: tuple[int, str], retries: int, errorno: int) -> None:
        """A failure is asked again after a pause. It keeps its place among the busy."""
        self._busy += 1
        self._again.append((time.monotonic() + RETRY_PAUSE, name, record_type, retries, errorno))
        if not self._again_timer.active:
            self._again_timer.start(self._ask_again, RETRY_PAUSE)

    def _ask_again(self, timer: pyuv.Timer) -> None:
        now = time.monotonic()
        while self._again and self._again[0][0] <= now:
            _, name, record_type, retries, _ = self._again.popleft()
            self._busy -= 1
            self._progress.retries += 1
            self._ask(name, record_type, retries - 1)
        if self._again:
            timer.start(self._ask_again, max(self._again[0][0] - now, 0.001))

    def _tick(self, timer: pyuv.Timer) -> None:
        self._results.flush()
        self._progress.update()

    def _interrupted(self, handle: pyuv.Signal, number: int) -> None:
        if self._stopping is not None:
            self._loop.stop()
            return
        self._stopping = number
        self._exhausted = True
        self._again_timer.stop()
        for _, name, record_type, _, errorno in self._again:
            self._busy -= 1
            self._write(name, record_type[1], STATUSES[errorno], strerror(errorno))
        self._again.clear()
        if self._busy:
            self._progress.note(f"waiting for {self._busy:,} in flight; Ctrl-C again leaves at once")
        self._fill()

    def _failed(self, kind: type[BaseException], error: BaseException, traceback: object) -> None:
        """An exception in a callback, a disk that is full for instance, ends the run."""
        if self._error is None:
            self._error = error
        self._loop.stop()

    def _finish(self) -> None:
        """Lets the loop end."""
        self._names.close()
        for handle in (self._again_timer, self._fill_timer, self._tick_timer, *self._signals):
            if not handle.closed:
                handle.close()
        if not self._channel.closed:
            self._channel.close()


def run(
    make_channel: Callable[[pyuv.Loop], Channel],
    names: str,
    results: Results,
    *,
    record_type: RecordType,
    concurrency: int,
    retries: int,
    answered: Container[str] | None,
    quiet: bool,
) -> int:
    """Asks for the names in a file, or with ``-`` on standard input; the exit status."""
    progress = Progress(bar=not quiet)
    loop = pyuv.Loop()
    fd = sys.stdin.fileno() if names == "-" else os.open(names, os.O_RDONLY | os.O_CLOEXEC)
    try:
        bulk = Bulk(
            loop,
            partial(make_channel, loop),
            (fd, names),
            results,
            record_type=record_type,
            concurrency=concurrency,
            retries=retries,
            answered=answered,
            progress=progress,
        )
        status = bulk.run()
    finally:
        if names != "-":
            os.close(fd)
    if not quiet:
        print(progress.summary(), file=sys.stderr, flush=True)
    return status
