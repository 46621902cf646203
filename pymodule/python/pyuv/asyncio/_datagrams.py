"""Datagram transports: asyncio's own, on polls of libuv."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

from asyncio import selector_events

__all__ = ["DatagramTransport"]


class DatagramTransport(selector_events._SelectorDatagramTransport):
    """The transport of a datagram socket: UDP or Unix."""

    def _sendto_ready(self) -> None:
        super()._sendto_ready()
        if not self._buffer and self._buffer_size and not self._closing:
            # Python 3.13.0 counts 8 bytes for each datagram that waits, and never takes them back: its
            # protocols would pause for ever.
            self._buffer_size = 0
            self._maybe_resume_protocol()
