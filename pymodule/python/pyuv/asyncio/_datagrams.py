"""Datagram transports: asyncio's own, on polls of libuv. For IPv4 and IPv6 Rust does the most of it."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

from asyncio import selector_events
from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING, Any

from ._scheduler import DatagramCore, use_datagrams

__all__ = ["DatagramTransport"]


class DatagramTransport(selector_events._SelectorDatagramTransport):
    """The transport of a datagram socket: UDP or Unix."""

    __slots__ = ("_core",)

    if TYPE_CHECKING:

        def sendto(self, data: Any, addr: Any = None) -> None: ...

    def __init__(self, loop: Any, sock: Any, protocol: Any, address: Any, waiter: Any, extra: Any) -> None:
        super().__init__(loop, sock, protocol, address, waiter, extra)
        # A socket that is connected although nobody gave an address is asyncio's to understand.
        connected = self._address is not None
        if sock.family in (AF_INET, AF_INET6) and connected == (self._extra["peername"] is not None):
            is_ipv6 = sock.family == AF_INET6
            self._core = DatagramCore(loop, sock, sock.fileno(), is_ipv6, connected, self._buffer)

    def _sendto_ready(self) -> None:
        super()._sendto_ready()
        if not self._buffer and self._buffer_size and not self._closing:
            # Python 3.13.0 counts 8 bytes for each datagram that waits, and never takes them back: its
            # protocols would pause for ever.
            self._buffer_size = 0
            self._maybe_resume_protocol()


use_datagrams(DatagramTransport, selector_events._SelectorDatagramTransport)
