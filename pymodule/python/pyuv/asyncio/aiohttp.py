"""For aiohttp: a resolver that asks by c-ares on the event loop.

It takes the place of ``aiohttp.AsyncResolver``, which needs aiodns::

    from pyuv.asyncio.aiohttp import AsyncResolver

    connector = aiohttp.TCPConnector(resolver=AsyncResolver())
"""

import socket
from typing import TYPE_CHECKING, Any

from aiohttp.abc import AbstractResolver, ResolveResult

from .._awaited.dns.addrinfo import getaddrinfo
from .dns import Resolver, get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from .._awaited.dns.options import Options

__all__ = ["AsyncResolver"]

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class AsyncResolver(AbstractResolver):
    """What an ``aiohttp.TCPConnector`` takes as its ``resolver``.

    Without arguments it asks by the resolver of the running event loop (`get_resolver` of
    `pyuv.asyncio.dns`), with servers or options by one of its own, which :meth:`close` closes.
    """

    def __init__(self, servers: "str | Iterable[str] | None" = None, **options: "Unpack[Options]") -> None:
        self._owned = bool(servers or options)
        self._resolver = Resolver(servers, **options) if self._owned else get_resolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host, of families that this machine has addresses of. Raises
        ``socket.gaierror``, which aiohttp makes a ``ClientConnectorDNSError`` of.
        """
        infos = await getaddrinfo(
            self._resolver, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return [
            ResolveResult(
                hostname=host,
                host=_numeric(address),
                port=address[1],
                family=found,
                proto=proto,
                flags=_NUMERIC,
            )
            for found, _, proto, _, address in infos
        ]

    async def close(self) -> None:
        """Ends the resolver's lookups, if it has a channel of its own."""
        if self._owned:
            self._resolver.close()


def _numeric(address: Any) -> str:
    """The address with its scope, which a link-local one of IPv6 needs."""
    if len(address) == 4 and address[3]:
        return socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    host: str = address[0]
    return host
