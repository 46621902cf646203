"""What ``socket.getaddrinfo`` and ``socket.getnameinfo`` give, by a resolver.

Whatever needs no name server is the C library's to answer, at once: addresses in numbers with their scopes,
no host at all, services, which types and protocols there are, mistakes. It is told that the host is in
numbers (``AI_NUMERICHOST``), so that it asks nobody. What it does not know then is a name, and the
resolver's. An error of the resolver's is the ``socket.gaierror`` that the C library has for it, with the
DNSError as its cause.
"""

import socket
from socket import AF_INET, AF_INET6, AF_UNSPEC, gaierror
from typing import Any, Protocol, TypeAlias

from ... import dns
from ...error import DNSError
from .resolver import get_resolver

__all__ = ["get_resolver", "getaddrinfo", "getnameinfo"]

AddrInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

_NOT_THERE = {
    dns.ARES_ENOTFOUND: "EAI_NONAME",
    dns.ARES_ENODATA: "EAI_NODATA",
    dns.ARES_EFORMERR: "EAI_NONAME",
    dns.ARES_ENONAME: "EAI_NONAME",
    dns.ARES_EBADNAME: "EAI_NONAME",
    dns.ARES_EBADQUERY: "EAI_NONAME",
}
# What may be otherwise another time.
_FOR_NOW = {
    dns.ARES_ECANCELLED,
    dns.ARES_ECONNREFUSED,
    dns.ARES_EDESTRUCTION,
    dns.ARES_ENOSERVER,
    dns.ARES_ENOTIMP,
    dns.ARES_EREFUSED,
    dns.ARES_ESERVFAIL,
    dns.ARES_ETIMEOUT,
}
_TEXTS = {
    "EAI_AGAIN": "Temporary failure in name resolution",
    "EAI_FAIL": "Non-recoverable failure in name resolution",
    "EAI_NODATA": "No address associated with hostname",
    "EAI_NONAME": "Name or service not known",
}
# Any address of each family, to ask the C library about the family.
_ANY: dict[int, str] = {AF_INET: "0.0.0.0", AF_INET6: "::"}
_LOCAL: dict[int, str] = {AF_INET: "127.0.0.1", AF_INET6: "::1"}


class Asked(Protocol):
    """Who asks name servers: a :class:`Resolver`, or what is like one."""

    async def getaddrinfo(
        self, host: str | bytes, port: None, family: int, *, flags: int
    ) -> dns.AddrInfoResult:
        """The addresses of a host."""

    async def getnameinfo(self, address: Any, flags: int) -> dns.NameInfoResult:
        """The name of an address."""


async def getaddrinfo(
    resolver: Asked,
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = AF_UNSPEC,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[AddrInfo]:
    """The addresses of a host, as ``socket.getaddrinfo`` gives them. Raises ``socket.gaierror``."""
    try:
        at_once: Any = socket.getaddrinfo(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
    except gaierror as error:
        if error.errno != socket.EAI_NONAME or not host or flags & socket.AI_NUMERICHOST:
            raise
    else:
        return list(at_once)
    families = _families(family, flags)
    mapped = family == AF_INET6 and flags & socket.AI_V4MAPPED
    asked = next(iter(families)) if len(families) == 1 and not mapped else AF_UNSPEC
    canonical = flags & socket.AI_CANONNAME
    try:
        found = await resolver.getaddrinfo(host, None, asked, flags=dns.ARES_AI_CANONNAME if canonical else 0)
    except (DNSError, ValueError) as error:
        raise _gaierror(error) from error
    addresses = [(node.family, node.addr) for node in found.nodes]
    if mapped:
        addresses = _mapped(addresses, flags)
    addresses = [address for address in addresses if address[0] in families]
    if not addresses:
        raise _of_name("EAI_NODATA")

    numeric = socket.AI_NUMERICHOST | flags & socket.AI_NUMERICSERV
    ways = {
        each: socket.getaddrinfo(_ANY[each], port, each, type, proto, numeric)
        for each in {each for each, _ in addresses}
    }
    infos: list[AddrInfo] = [
        (way[0], way[1], way[2], "", (address[0], way[4][1], *address[2:]))
        for each, address in addresses
        for way in ways[each]
    ]
    if canonical:
        first = infos[0]
        infos[0] = (*first[:3], _canonical_name(host, found), first[4])
    return infos


async def getnameinfo(resolver: Asked, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
    """The names of a host and of a port, as ``socket.getnameinfo`` gives them. Raises ``socket.gaierror``."""
    if flags & socket.NI_NUMERICHOST:
        return socket.getnameinfo(sockaddr, flags)
    node, service = socket.getnameinfo(sockaddr, flags & ~socket.NI_NAMEREQD | socket.NI_NUMERICHOST)
    address = (node.partition("%")[0], 0, *sockaddr[2:])
    wanted = dns.ARES_NI_LOOKUPHOST | dns.ARES_NI_NAMEREQD
    if flags & socket.NI_NOFQDN:
        wanted |= dns.ARES_NI_NOFQDN
    try:
        found = await resolver.getnameinfo(address, wanted)
    except DNSError as error:
        if error.code not in _NOT_THERE:
            raise _gaierror(error) from error
        if flags & socket.NI_NAMEREQD:
            raise _of_name("EAI_NONAME") from error
        return node, service
    return found.node or node, service


def _families(family: int, flags: int) -> set[int]:
    """Of which families addresses are wanted; with AI_ADDRCONFIG, of those that this machine has some of."""
    wanted: set[int] = {AF_INET, AF_INET6} if family == AF_UNSPEC else {family}
    if not flags & socket.AI_ADDRCONFIG:
        return wanted
    there = {each for each in wanted if _is_configured(each)}
    if there or family == AF_UNSPEC:
        return there or wanted
    raise _of_name("EAI_NONAME")


def _is_configured(family: int) -> bool:
    """Whether this machine has an address of the family, but for the loopback: what the C library says."""
    try:
        socket.getaddrinfo(_LOCAL[family], 0, family, flags=socket.AI_ADDRCONFIG | socket.AI_NUMERICHOST)
    except gaierror:
        return False
    return True


def _mapped(addresses: list[tuple[int, Any]], flags: int) -> list[tuple[int, Any]]:
    """Addresses of IPv6; where there are none, or all are wanted, those of IPv4 in IPv6's form."""
    of_ipv6 = [address for address in addresses if address[0] == AF_INET6]
    if of_ipv6 and not flags & socket.AI_ALL:
        return of_ipv6
    return [
        each if each[0] == AF_INET6 else (AF_INET6, (f"::ffff:{each[1][0]}", 0, 0, 0)) for each in addresses
    ]


def _canonical_name(host: str | bytes, found: dns.AddrInfoResult) -> str:
    if found.cnames and found.cnames[-1].name:
        return found.cnames[-1].name
    return host.decode("ascii") if isinstance(host, bytes) else host


def _gaierror(error: DNSError | ValueError) -> gaierror:
    """What the C library raises where the resolver raises this."""
    if isinstance(error, ValueError):
        # A name that no server could be asked for.
        return _of_name("EAI_NONAME")
    if error.code in _FOR_NOW:
        return _of_name("EAI_AGAIN")
    return _of_name(_NOT_THERE.get(error.code, "EAI_FAIL"))


def _of_name(name: str) -> gaierror:
    number = getattr(socket, name, socket.EAI_NONAME)
    return gaierror(number, _TEXTS[name])
