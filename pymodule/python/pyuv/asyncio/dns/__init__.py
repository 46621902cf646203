"""DNS, awaited: c-ares on the running event loop, without a thread.

The functions ask by a :class:`Resolver` that the running event loop has, made when it is first asked and
closed with the loop. They need an event loop of ``pyuv.asyncio``; on another they raise RuntimeError. Results
are those of :class:`pyuv.dns.Channel`, errors are :class:`pyuv.error.DNSError`.
"""

from ..._awaited.dns.functions import (
    getaddrinfo,
    gethostbyaddr,
    gethostbyname,
    getnameinfo,
    query,
    search,
    send,
)
from ..._awaited.dns.resolver import Resolver, get_resolver, set_resolver

__all__ = [
    "Resolver",
    "get_resolver",
    "getaddrinfo",
    "gethostbyaddr",
    "gethostbyname",
    "getnameinfo",
    "query",
    "search",
    "send",
    "set_resolver",
]
