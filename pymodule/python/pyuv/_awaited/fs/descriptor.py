"""An open file's descriptor: one request at a time, and closed once.

Whoever works with a file takes its turn, ``async with descriptor``. A task that is cancelled leaves at once,
but a request that has begun goes on: until it is over the turn is not passed on, and what it has done to the
file counts.
"""

import contextlib
import os
import stat
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from ... import fs
from ..host import Future, abandon, running
from ..requests import error_of, settle


class Descriptor:
    """The number, what it is of, and whose turn it is."""

    def __init__(self, fd: int, name: Any, status: os.stat_result, *, closes: bool) -> None:
        self.fd = fd
        self.name = name
        #: The length when it was opened, in bytes; 0 of what is no regular file.
        self.size = 0
        #: Whether it has a position.
        self.seekable = True
        if stat.S_ISREG(status.st_mode):
            self.size = status.st_size
        else:
            try:
                os.lseek(fd, 0, os.SEEK_CUR)
            except OSError:
                self.seekable = False
        self.closed = False
        #: A path that is removed with it: of a temporary file.
        self.removes: Any = None
        self._closes = closes
        self._taken = False
        self._waiting: deque[Future[None]] = deque()
        self._request: fs.FSRequest[Any] | None = None
        self._reads = False
        self._abandoned = False

    # Turns

    @property
    def taken(self) -> bool:
        """Whether it is somebody's turn."""
        return self._taken

    @property
    def reads_for_nobody(self) -> bool:
        """Whether it is still being read for a task that was cancelled, which may take for ever."""
        return self._abandoned and self._reads

    async def __aenter__(self) -> None:
        if self.closed:
            # Its last request may never be over.
            raise ValueError("I/O operation on closed file.")
        if not self._taken:
            self._taken = True
            return
        turn = running().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if abandon(turn):
                self._waiting.remove(turn)
            else:
                self._pass_on()
            raise

    async def __aexit__(self, *exception: object) -> None:
        if self._request is None:
            self._pass_on()
        else:
            self._abandoned = True

    def _pass_on(self) -> None:
        self._abandoned = False
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done() and not turn.get_loop().is_closed():
                turn.set_result(None)
                return
        self._taken = False

    # Requests, by whose turn it is

    async def ask(self, function: Callable[..., Any], *arguments: Any, told: Callable[[Any], object]) -> None:
        """One operation; `told` gets its result as soon as that is there, whoever awaits it still."""
        host = running()
        if host._checkpoint is not None:
            await host._checkpoint()
        future: Future[None] = host.create_future()

        def ended(request: Any) -> None:
            self._request = None
            error: Exception | None = None
            if request.error is not None:
                error = error_of(request, function.__name__)
            else:
                try:
                    told(request.result)
                except Exception as raised:
                    # For want of memory, say: nobody is to wait for ever.
                    error = raised
            if not future.done() and not future.get_loop().is_closed():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
            if self._abandoned:
                self._pass_on()
                if self.closed:
                    self.close_now()

        self._reads = function is fs.read
        self._request = request = function(host.uv, self.fd, *arguments, callback=ended)
        try:
            await future
        except BaseException:
            if abandon(future):
                request.cancel()
            raise

    # Position: of an open file the kernel knows it without asking anybody

    def position(self) -> int:
        """Where the file stands, in bytes."""
        return os.lseek(self.fd, 0, os.SEEK_CUR)

    def move(self, offset: int, whence: int) -> int:
        """Moves there, and says where that is."""
        return os.lseek(self.fd, offset, whence)

    # The end

    async def close(self) -> None:
        """Closes it (`uv_fs_close`), or has the request close it that is under way.

        Whoever is cancelled meanwhile does not keep it open.
        """
        self.closed = True
        if self._closes and self._request is None:
            self._closes = False
            host = running()
            future = host.create_future()
            removed: Future[None] | None = None
            if self.removes is not None:
                removed = host.create_future()
                fs.unlink(host.uv, self.removes, partial(_over, removed))
            fs.close(host.uv, self.fd, partial(settle, future, "close", None))
            await future
            if removed is not None:
                await removed

    def close_later(self) -> None:
        """Closes it when the request that nobody waits for is over."""
        self.closed = True

    def close_now(self) -> None:
        """Closes it in the calling thread."""
        self.closed = True
        if self._closes:
            self._closes = False
            os.close(self.fd)
            if self.removes is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self.removes)

    @property
    def is_lost(self) -> bool:
        """Whether there is something to close that nobody is going to."""
        return self._closes and not self.closed


def _over(future: Future[None], _: object) -> None:
    """Whatever came of it."""
    if not future.done() and not future.get_loop().is_closed():
        future.set_result(None)
