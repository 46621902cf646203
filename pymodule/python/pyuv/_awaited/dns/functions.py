"""Lookups by the resolver of the running host."""

import ipaddress

from ...dns import AddrInfoResult, HostResult, Message, NameInfoResult, RecordClass, RecordType
from .resolver import Address, get_resolver

__all__ = ["getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo", "query", "search", "send"]


async def query(
    name: str | bytes,
    type: RecordType | str | int = "A",
    record_class: RecordClass | str | int = "IN",
    *,
    timeout: float | None = None,
) -> Message:
    """Asks for the records of a name that are of one type: see :meth:`Resolver.query`."""
    return await get_resolver().query(name, type, record_class, timeout=timeout)


async def search(
    name: str | bytes,
    type: RecordType | str | int = "A",
    record_class: RecordClass | str | int = "IN",
    *,
    timeout: float | None = None,
) -> Message:
    """The same in each of the search domains, until one has an answer: see :meth:`Resolver.search`."""
    return await get_resolver().search(name, type, record_class, timeout=timeout)


async def send(message: Message, *, timeout: float | None = None) -> Message:
    """Sends a message of your own: see :meth:`Resolver.send`."""
    return await get_resolver().send(message, timeout=timeout)


async def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None = None,
    family: int = 0,
    socktype: int = 0,
    proto: int = 0,
    flags: int = 0,
    *,
    timeout: float | None = None,
) -> AddrInfoResult:
    """Looks up the addresses of a host: see :meth:`Resolver.getaddrinfo`."""
    return await get_resolver().getaddrinfo(host, port, family, socktype, proto, flags, timeout=timeout)


async def getnameinfo(address: Address, flags: int = 0, *, timeout: float | None = None) -> NameInfoResult:
    """Looks up the names of an address and of its port: see :meth:`Resolver.getnameinfo`."""
    return await get_resolver().getnameinfo(address, flags, timeout=timeout)


async def gethostbyname(name: str | bytes, family: int = 0, *, timeout: float | None = None) -> HostResult:
    """Looks up the addresses of a host that are of one family: see :meth:`Resolver.gethostbyname`."""
    return await get_resolver().gethostbyname(name, family, timeout=timeout)


async def gethostbyaddr(
    address: str | bytes | ipaddress.IPv4Address | ipaddress.IPv6Address,
    *,
    timeout: float | None = None,
) -> HostResult:
    """Looks up the names of an address: see :meth:`Resolver.gethostbyaddr`."""
    return await get_resolver().gethostbyaddr(address, timeout=timeout)
