"""Many questions at once: ``python -m pyuv.dns --file names.txt``."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import pyuv

from . import Channel, RecordType
from ._engine import Answered, Bulk
from ._names import Names
from ._progress import Progress
from ._results import write
from ._status import FINAL, Exit

# Seconds between two looks at the output and the bar.
TICK: Final = 0.2
# How many bytes of results are written at a time.
BATCH: Final = 1 << 16
# How many pieces of names are read before the loop comes round.
PIECES: Final = 16


class Run:
    """One run: the names on their way to the engine, and its results on their way to a file."""

    def __init__(
        self,
        loop: pyuv.Loop,
        channel: Channel,
        engine: Bulk,
        names: tuple[int, str],
        out: tuple[int, str],
        progress: Progress,
        answered: int,
    ) -> None:
        self._answered = answered
        self._loop = loop
        self._channel = channel
        self._engine = engine
        self._names = Names(loop, *names)
        self._out = out
        self._progress = progress
        # Once in each turn of the loop, after the answers.
        self._check = pyuv.Check(loop)
        self._turn_timer = pyuv.Timer(loop)
        self._tick_timer = pyuv.Timer(loop)
        self._signals = [pyuv.Signal(loop), pyuv.Signal(loop)]
        self._stopping: int | None = None
        self._error: BaseException | None = None

    def run(self) -> int:
        """Asks for every name; the exit status."""
        if self._progress.wants_total:
            self._names.count()
        self._progress.begin(self._names.total, self._answered)
        self._loop.excepthook = self._failed
        for handle, number in zip(self._signals, (signal.SIGINT, signal.SIGTERM), strict=True):
            handle.start(self._interrupted, number)
        self._tick_timer.start(self._tick, TICK, TICK)
        self._check.start(self._turn)
        self._turn_soon()
        try:
            self._loop.run()
            if self._error is not None:
                raise self._error
            self._write()
        finally:
            self._progress.end(self._engine)
        if self._stopping is not None:
            return 128 + self._stopping
        return Exit.ANSWERED if FINAL.issuperset(self._engine.counts()) else Exit.NO_REPLY

    def _turn(self, check: pyuv.Check) -> None:
        engine = self._engine
        if engine.wants_names:
            self._read()
        if engine.ready >= BATCH:
            self._write()
        if engine.done:
            self._finish()

    def _read(self) -> None:
        """Gives the engine names, as long as it wants some."""
        for _ in range(PIECES):
            piece = self._names.read()
            if piece is None:
                return
            if piece:
                self._engine.push(piece)
            else:
                self._engine.end()
            if not self._engine.wants_names:
                return
        self._turn_soon()

    def _turn_soon(self) -> None:
        """Has the loop come round without an event."""
        self._turn_timer.start(lambda timer: None, 0)

    def _write(self) -> None:
        write(*self._out, self._engine.take())

    def _tick(self, timer: pyuv.Timer) -> None:
        self._write()
        self._progress.update(self._engine)

    def _interrupted(self, handle: pyuv.Signal, number: int) -> None:
        if self._stopping is not None:
            self._loop.stop()
            return
        self._stopping = number
        self._engine.stop()
        if self._engine.busy:
            busy = f"{self._engine.busy:,}"
            self._progress.note(f"waiting for {busy} in flight; Ctrl-C again leaves at once")

    def _failed(self, kind: type[BaseException], error: BaseException, traceback: object) -> None:
        """An exception in a callback, a disk that is full for instance, ends the run."""
        if self._error is None:
            self._error = error
        self._loop.stop()

    def _finish(self) -> None:
        """Lets the loop end."""
        self._names.close()
        for handle in (self._check, self._turn_timer, self._tick_timer, *self._signals):
            handle.close()
        self._channel.close()


def run(
    make_channel: Callable[[pyuv.Loop], Channel],
    names: str,
    out: tuple[int, str],
    *,
    record_type: RecordType,
    concurrency: int,
    retries: int,
    answered: Answered | None,
    quiet: bool,
) -> int:
    """Asks for the names in a file, or with ``-`` on standard input; the exit status.

    `out` is where the results go: a file descriptor and its name.
    """
    progress = Progress(bar=not quiet)
    loop = pyuv.Loop()
    fd = sys.stdin.fileno() if names == "-" else os.open(names, os.O_RDONLY | os.O_CLOEXEC)
    try:
        channel = make_channel(loop)
        before = len(answered) if answered is not None else 0
        engine = Bulk(channel, record_type, concurrency=concurrency, retries=retries, answered=answered)
        status = Run(loop, channel, engine, (fd, names), out, progress, before).run()
    finally:
        if names != "-":
            os.close(fd)
    if not quiet:
        print(progress.summary(engine), file=sys.stderr, flush=True)
    return status
