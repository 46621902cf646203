"""TLS transports: what is rare of them. What moves bytes is Rust, on CPython's own OpenSSL objects."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

import asyncio
import contextlib
import os
import ssl
import warnings
from asyncio import base_events, constants, sslproto
from typing import TYPE_CHECKING, Any

from ._flow import FlowTransport
from ._scheduler import TLSCore, use_tls

if TYPE_CHECKING:
    from ._event_loop import EventLoop

__all__ = ["SSLTransport"]

SHORT_WAY = os.environ.get("PYUV_TLS") != "bio"
"""Whether OpenSSL itself is called, where it is known, instead of CPython's methods."""


class SSLTransport(FlowTransport):
    """What a protocol writes to over TLS; ``_core`` is the protocol of the transport below."""

    __slots__ = ()

    _high_water = constants.FLOW_CONTROL_HIGH_WATER_SSL_WRITE
    _failure = "Fatal error on TLS transport"
    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.FALLBACK

    def __init__(
        self,
        loop: "EventLoop",
        protocol: Any,
        context: ssl.SSLContext | None,
        waiter: asyncio.Future[None] | None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        handshake_timeout: float | None = None,
        shutdown_timeout: float | None = None,
        made: bool = False,
    ) -> None:
        self._handshake_timeout = _seconds(
            "ssl_handshake_timeout", handshake_timeout, constants.SSL_HANDSHAKE_TIMEOUT
        )
        self._shutdown_timeout = _seconds(
            "ssl_shutdown_timeout", shutdown_timeout, constants.SSL_SHUTDOWN_TIMEOUT
        )
        if not isinstance(context, ssl.SSLContext):
            context = sslproto._create_transport_context(server_side, server_hostname)
        asyncio.Transport.__init__(self, {"sslcontext": context})
        self._loop = loop
        self._waiter = waiter
        self._timer = None
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            incoming,
            outgoing,
            server_side=server_side,
            server_hostname=None if server_side else server_hostname or None,
        )
        self._core = TLSCore(loop, self, self._object, incoming, outgoing, protocol, made, SHORT_WAY)

    def __repr__(self) -> str:
        state = "closed" if self._core.closed else "closing" if self.is_closing() else "open"
        return f"<{type(self).__name__} {state} on {self._core.below!r}>"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        core = getattr(self, "_core", None)
        # Another thread is not told what only the loop's knows.
        with contextlib.suppress(RuntimeError):
            if core is not None and not core.closed and core.below is not None:
                _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the TLS connection, or of the one below."""
        if name in self._extra:
            return self._extra[name]
        below = self._core.below
        return default if below is None else below.get_extra_info(name, default)

    @property
    def _sslcontext(self) -> ssl.SSLContext:
        # Where aiohttp's tests look for it.
        return self._extra["sslcontext"]

    def can_write_eof(self) -> bool:
        """Never: the end of TLS ends both ways."""
        return False

    # What Rust asks of Python, seldom

    def _handshake_begun(self) -> None:
        self._timer = self._loop.call_later(self._handshake_timeout, self._handshake_late)

    def _handshake_late(self) -> None:
        if self._core.shaking_hands:
            late = f"SSL handshake is taking longer than {self._handshake_timeout} seconds"
            self._handshake_failed(ConnectionAbortedError(f"{late}: aborting the connection"))

    def _handshake_done(self) -> None:
        self._stop_timer()
        its = self._object
        self._extra.update(
            peercert=its.getpeercert(), cipher=its.cipher(), compression=its.compression(), ssl_object=its
        )
        self._core.tell_made()
        self._wake(None)

    def _handshake_failed(self, exception: BaseException) -> None:
        self._stop_timer()
        certificate = isinstance(exception, ssl.CertificateError)
        self._fatal_error(
            exception, f"SSL handshake failed{' on verifying the certificate' if certificate else ''}"
        )
        self._wake(exception)

    def _shutdown_begun(self) -> None:
        self._timer = self._loop.call_later(self._shutdown_timeout, self._shutdown_late)

    def _shutdown_late(self) -> None:
        if not self._core.closed:
            self._core.force_close(TimeoutError("SSL shutdown timed out"))

    def _lost(self, exception: BaseException | None) -> None:
        self._stop_timer()
        if self._waiter is not None:
            self._wake(exception or ConnectionAbortedError("the connection was lost in the TLS handshake"))

    def _fatal_error(self, exception: BaseException, message: str | None = None) -> None:
        if isinstance(exception, asyncio.CancelledError):
            self._core.force_close(exception)
        else:
            super()._fatal_error(exception, message)

    def _warn_lost(self) -> None:
        base_events.logger.warning("SSL connection is closed")

    def _warn_half_open(self) -> None:
        base_events.logger.warning("returning true from eof_received() has no effect when using ssl")

    def _wake(self, exception: BaseException | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        if exception is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(exception)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _seconds(name: str, given: float | None, default: float) -> float:
    if given is None:
        return default
    if given <= 0:
        raise ValueError(f"{name} should be a positive number, got {given}")
    return given


use_tls(SSLTransport)
