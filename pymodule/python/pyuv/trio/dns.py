"""DNS, awaited from trio's tasks: c-ares, without a thread. What :mod:`pyuv.asyncio.dns` is for asyncio.

The functions ask by a :class:`Resolver` that the running ``trio.run`` has, made when it is first asked for
and closed with it. Results are those of :class:`pyuv.dns.Channel`, errors are :class:`pyuv.error.DNSError`.
"""

from .._awaited.dns.functions import (
    getaddrinfo,
    gethostbyaddr,
    gethostbyname,
    getnameinfo,
    query,
    search,
    send,
)
from .._awaited.dns.resolver import Resolver, get_resolver, set_resolver
from . import _host as _host

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
