"""What stream transports and those of TLS have in common: limits, and reports of what went wrong."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

from asyncio import base_events, sslproto, transports

__all__ = ["FlowTransport"]


class FlowTransport(transports._FlowControlMixin):
    """A transport on a core of Rust's.

    The mix-in is what asyncio's sendfile() asks for; its flow control is Rust's.
    """

    __slots__ = ("__dict__", "__weakref__", "_core")

    _high_water = 64
    """From so many KiB that wait on a protocol is asked to pause, if it says nothing else."""

    _failure = "Fatal error on transport"

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """From how many bytes that wait on the protocol is asked to pause, and when to resume."""
        high, low = sslproto.add_flowcontrol_defaults(high, low, self._high_water)
        self._core.set_write_buffer_limits(low, high)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """(low, high), in bytes."""
        return self._core.write_buffer_limits

    # What Rust asks of Python, seldom

    def _fatal_error(self, exception: BaseException, message: str | None = None) -> None:
        if message is None:
            message = self._failure
        if isinstance(exception, OSError):
            if self._loop.get_debug():
                base_events.logger.debug("%r: %s", self, message, exc_info=exception)
        else:
            self._report(message, exception)
        self._core.force_close(exception)

    def _force_close(self, exception: BaseException | None) -> None:
        self._core.force_close(exception)

    def _flow_failed(self, method: str, exception: BaseException) -> None:
        self._report(f"protocol.{method}() failed", exception)

    def _report(self, message: str, exception: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": exception, "transport": self, "protocol": self._core.protocol}
        )

    # What asyncio's sendfile() asks

    @property
    def _protocol_paused(self) -> bool:
        return self._core.protocol_paused
