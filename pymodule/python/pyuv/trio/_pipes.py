"""The ends of a child's pipes, as streams of trio's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import checkpoint, checkpoint_if_cancelled

from .. import Pipe
from ..errno import UV_ECANCELED, UV_EOF, strerror
from ..error import UVError
from ._host import TrioHost

if TYPE_CHECKING:
    from typing_extensions import Buffer

_SOME = 64 * 1024
"""How many bytes are given at most to who does not say how many."""


class _End:
    def __init__(self, host: TrioHost, pipe: Pipe) -> None:
        self._host = host
        self._pipe = pipe
        self._busy = False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._pipe.closed:
            raise trio.ClosedResourceError("this stream is closed")
        if self._busy:
            raise trio.BusyResourceError("another task is using this stream")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _error(self, code: int) -> Exception:
        if self._pipe.closed or code == UV_ECANCELED:
            return trio.ClosedResourceError("another task closed this stream")
        return trio.BrokenResourceError(strerror(code))

    async def aclose(self) -> None:
        """Closes it at once; a task that is using it is told by ClosedResourceError."""
        self._close()
        await checkpoint()

    def _close(self) -> None:
        self._pipe.close()


class SendEnd(_End, trio.abc.SendStream):
    """What a child reads."""

    async def send_all(self, data: "Buffer") -> None:
        """Sends a bytes-like object. Who is cancelled meanwhile does not know how much of it went out."""
        with self._alone():
            await checkpoint_if_cancelled()
            future = self._host.create_future()

            def told(_: object, error: int | None) -> None:
                if not future.done():
                    future.set_result(error)

            try:
                self._pipe.write(data, told)
            except UVError as refused:
                raise self._error(refused.args[0]) from refused
            error = await future
            if error is not None:
                raise self._error(error)

    async def wait_send_all_might_not_block(self) -> None:
        """Waits until what was sent has gone out."""
        await self.send_all(b"")


class ReceiveEnd(_End, trio.abc.ReceiveStream):
    """What a child writes."""

    def __init__(self, host: TrioHost, pipe: Pipe) -> None:
        super().__init__(host, pipe)
        self._left = b""
        self._ended = False
        self._reading: Any = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Some bytes, at most so many; b"" at the end."""
        if max_bytes is not None and max_bytes < 1:
            raise ValueError("max_bytes must be at least 1")
        with self._alone():
            if self._left or self._ended:
                await checkpoint()
            else:
                await self._receive()
            most = _SOME if max_bytes is None else max_bytes
            some, self._left = self._left[:most], self._left[most:]
            return some

    async def _receive(self) -> None:
        self._reading = future = self._host.create_future()
        try:
            self._pipe.start_read(self._arrived)
            error = await future
        finally:
            self._reading = None
            if not self._pipe.closed:
                self._pipe.stop_read()
        if error == UV_EOF:
            self._ended = True
        elif error is not None:
            raise self._error(error)

    def _arrived(self, pipe: Pipe, data: bytes, error: int | None) -> None:
        # Nobody has waited for it any more, or it is more than the next wait is told of.
        if error is None:
            self._left += data
        pipe.stop_read()
        self._tell(error)

    def _tell(self, error: int | None) -> None:
        if self._reading is not None and not self._reading.done():
            self._reading.set_result(error)

    def _close(self) -> None:
        super()._close()
        self._tell(UV_ECANCELED)
