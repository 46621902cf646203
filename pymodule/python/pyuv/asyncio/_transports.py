"""Stream transports: the methods that are called most are Rust, and put on the class there."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

import asyncio
import contextlib
import sys
import warnings
from asyncio import base_events, constants, trsock
from contextvars import Context, copy_context
from socket import AF_UNIX, socket
from typing import TYPE_CHECKING, Any

from ._flow import FlowTransport
from ._scheduler import StreamCore, use_transport

if TYPE_CHECKING:
    from ._event_loop import EventLoop

__all__ = ["SocketTransport"]


class SocketTransport(FlowTransport):
    """The transport of a connected stream socket: TCP or Unix."""

    __slots__ = ()

    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.TRY_NATIVE

    def __init__(
        self,
        loop: "EventLoop",
        sock: socket,
        protocol: Any,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
        server: Any = None,
        context: Context | None = None,
    ) -> None:
        asyncio.Transport.__init__(self, {} if extra is None else extra)
        self._loop = loop
        self._extra["socket"] = trsock.TransportSocket(sock)
        self._extra["sockname"] = _name(sock.getsockname)
        if "peername" not in self._extra:
            self._extra["peername"] = _name(sock.getpeername)
        is_unix = sock.family == AF_UNIX
        if not is_unix:
            base_events._set_nodelay(sock)
        if context is None:
            context = copy_context()
        self._core = StreamCore(loop, self, sock, sock.fileno(), is_unix, protocol, server, context)
        if server is not None:
            _join(server, self)
        self._core.begin()
        if waiter is not None:
            loop.call_soon(asyncio.futures._set_result_unless_cancelled, waiter, None)

    def __repr__(self) -> str:
        info = [type(self).__name__]
        if self._core.released:
            info.append("closed")
        elif self.is_closing():
            info.append("closing")
        info.append(f"fd={self._core.fd}")
        if not self._core.released and not self._loop.is_closed():
            # Another thread is not told what only the loop's knows.
            with contextlib.suppress(RuntimeError):
                info.append("read=polling" if self.is_reading() else "read=idle")
                size = self.get_write_buffer_size()
                info.append(f"write=<{'polling' if size else 'idle'}, bufsize={size}>")
        return f"<{' '.join(info)}>"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.released:
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)

    def can_write_eof(self) -> bool:
        """Always: what is read and what is written end separately."""
        return True

    # What Rust asks of Python, seldom

    def _warn_lost(self) -> None:
        base_events.logger.warning("socket.send() raised exception.")

    def _leave(self, server: Any) -> None:
        if sys.version_info >= (3, 13):
            server._detach(self)
        else:
            server._detach()

    # What asyncio's sendfile() asks

    @property
    def _sock(self) -> Any:
        return self._extra["socket"]._sock

    def _make_empty_waiter(self) -> "asyncio.Future[None]":
        if self._core.empty_waiter is not None:
            raise RuntimeError("Empty waiter is already set")
        waiter = self._loop.create_future()
        if not self.get_write_buffer_size():
            waiter.set_result(None)
        self._core.empty_waiter = waiter
        return waiter

    def _reset_empty_waiter(self) -> None:
        self._core.empty_waiter = None


def _name(ask: Any) -> Any:
    try:
        return ask()
    except OSError:
        return None


def _join(server: Any, transport: SocketTransport) -> None:
    if sys.version_info >= (3, 13):
        server._attach(transport)
    else:
        server._attach()


use_transport(SocketTransport)
