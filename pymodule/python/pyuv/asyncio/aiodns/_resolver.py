"""``aiodns.DNSResolver``: futures for the lookups of a channel."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal, Self, TypeVar, overload

from ... import dns
from ..._awaited.dns.lookups import Ask, Lookups
from .._event_loop import EventLoop
from . import compat, error, pycares
from .compat import (
    AresHostResult,
    AresQueryAAAAResult,
    AresQueryAResult,
    AresQueryCAAResult,
    AresQueryCNAMEResult,
    AresQueryMXResult,
    AresQueryNAPTRResult,
    AresQueryNSResult,
    AresQueryPTRResult,
    AresQuerySOAResult,
    AresQuerySRVResult,
    AresQueryTXTResult,
)

_T = TypeVar("_T")

query_type_map = {
    "A": pycares.QUERY_TYPE_A,
    "AAAA": pycares.QUERY_TYPE_AAAA,
    "ANY": pycares.QUERY_TYPE_ANY,
    "CAA": pycares.QUERY_TYPE_CAA,
    "CNAME": pycares.QUERY_TYPE_CNAME,
    "MX": pycares.QUERY_TYPE_MX,
    "NAPTR": pycares.QUERY_TYPE_NAPTR,
    "NS": pycares.QUERY_TYPE_NS,
    "PTR": pycares.QUERY_TYPE_PTR,
    "SOA": pycares.QUERY_TYPE_SOA,
    "SRV": pycares.QUERY_TYPE_SRV,
    "TXT": pycares.QUERY_TYPE_TXT,
}
query_class_map = {
    "IN": pycares.QUERY_CLASS_IN,
    "CHAOS": pycares.QUERY_CLASS_CHAOS,
    "HS": pycares.QUERY_CLASS_HS,
    "NONE": pycares.QUERY_CLASS_NONE,
    "ANY": pycares.QUERY_CLASS_ANY,
}
# c-ares's flags; other bits, such as `socket.AI_ADDRCONFIG` where it is none of them, c-ares passes over.
_AI_FLAGS = (
    dns.ARES_AI_CANONNAME
    | dns.ARES_AI_NUMERICHOST
    | dns.ARES_AI_PASSIVE
    | dns.ARES_AI_NUMERICSERV
    | dns.ARES_AI_V4MAPPED
    | dns.ARES_AI_ALL
    | dns.ARES_AI_ADDRCONFIG
    | dns.ARES_AI_NOSORT
    | dns.ARES_AI_ENVHOSTS
)
_NI_FLAGS = (
    dns.ARES_NI_NOFQDN
    | dns.ARES_NI_NUMERICHOST
    | dns.ARES_NI_NAMEREQD
    | dns.ARES_NI_NUMERICSERV
    | dns.ARES_NI_UDP
    | dns.ARES_NI_SCTP
    | dns.ARES_NI_DCCP
    | dns.ARES_NI_NUMERICSCOPE
    | dns.ARES_NI_LOOKUPHOST
    | dns.ARES_NI_LOOKUPSERVICE
)


class _Lookups(Lookups):
    """Lookups whose errors are aiodns'."""

    __slots__ = ()

    def refused(self, refusal: Exception) -> Exception:
        # A name that no server could be asked for.
        return _error(error.ARES_EBADNAME) if isinstance(refusal, ValueError) else refusal

    def failed(self, number: int, about: object) -> Exception:
        return _error(number)


class _Answer(asyncio.Future[_T]):
    """What a lookup gives. To cancel it ends the lookup."""

    __slots__ = ("lookups",)

    lookups: _Lookups

    def cancel(self, msg: Any = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled:
            self.lookups.abandon()
        return cancelled


class DNSResolver:
    """A resolver with aiodns' methods, which return futures.

    ``nameservers`` are addresses; ``loop`` is an event loop of ``pyuv.asyncio``, the current one by default;
    other arguments are those of pycares' ``Channel``, times in seconds. RuntimeError on another event loop.
    Errors of lookups are :class:`error.DNSError`.
    """

    def __init__(
        self,
        nameservers: Sequence[str | bytes] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        **kwargs: Any,
    ) -> None:
        if loop is None:
            loop = asyncio.get_event_loop()
        if not isinstance(loop, EventLoop):
            raise RuntimeError(
                f"pyuv.asyncio.aiodns needs an event loop of pyuv.asyncio, not {type(loop).__name__}: "
                "run the program with pyuv.asyncio.run"
            )
        self.loop = loop
        # The event loop watches c-ares's sockets by itself.
        kwargs.pop("sock_state_cb", None)
        servers = nameservers or kwargs.pop("servers", None)
        kwargs.pop("servers", None)
        local_ip = kwargs.pop("local_ip", None)
        if local_ip:
            kwargs[f"local_ip{ipaddress.ip_address(_text(local_ip)).version}"] = _text(local_ip)
        for name in ("domains",):
            if kwargs.get(name) is not None:
                kwargs[name] = list(map(_text, kwargs[name]))
        for name in ("lookups", "resolvconf_path"):
            if kwargs.get(name) is not None:
                kwargs[name] = _text(kwargs[name])
        self._channel = dns.Channel(loop.uv, list(map(_text, servers)) if servers else None, **kwargs)
        self._lookups = _Lookups(loop, self._channel)

    @property
    def nameservers(self) -> Sequence[str]:
        """The servers that are asked, without their ports. May be set at any time."""
        return [server.rsplit(":", 1)[0] for server in self._channel.servers]

    @nameservers.setter
    def nameservers(self, value: Iterable[str | bytes]) -> None:
        self._channel.servers = list(map(_text, value))

    @overload
    def query(
        self, host: str, qtype: Literal["A"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryAResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["AAAA"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryAAAAResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["CAA"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryCAAResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["CNAME"], qclass: str | None = ...
    ) -> asyncio.Future[AresQueryCNAMEResult]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["MX"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryMXResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["NAPTR"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryNAPTRResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["NS"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryNSResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["PTR"], qclass: str | None = ...
    ) -> asyncio.Future[AresQueryPTRResult]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["SOA"], qclass: str | None = ...
    ) -> asyncio.Future[AresQuerySOAResult]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["SRV"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQuerySRVResult]]: ...
    @overload
    def query(
        self, host: str, qtype: Literal["TXT"], qclass: str | None = ...
    ) -> asyncio.Future[list[AresQueryTXTResult]]: ...
    @overload
    def query(self, host: str, qtype: str, qclass: str | None = ...) -> asyncio.Future[Any]: ...
    def query(self, host: str, qtype: str, qclass: str | None = None) -> asyncio.Future[Any]:
        """The records of a name that are of one type, as pycares 4 had them (`ares_query_dnsrec`).

        A list of results, one of ``compat`` each; for ``"CNAME"``, ``"PTR"`` and ``"SOA"`` one result. (It
        is not deprecated here.)
        """
        number, class_ = _type(qtype), _class(qclass)
        channel = self._open_channel()
        return self._asked(
            lambda told: channel.query(host, number, told, class_),
            partial(compat._of_message, wanted=number),
        )

    def query_dns(
        self, host: str, qtype: str, qclass: str | None = None
    ) -> asyncio.Future[pycares.DNSResult]:
        """The whole answer for a name and a type, as pycares 5 has it (`ares_query_dnsrec`)."""
        number, class_ = _type(qtype), _class(qclass)
        channel = self._open_channel()
        return self._asked(lambda told: channel.query(host, number, told, class_), pycares._of_message)

    def gethostbyname(self, host: str, family: int) -> asyncio.Future[AresHostResult]:
        """The addresses of a host that are of one family (`ares_getaddrinfo`)."""

        def convert(found: dns.AddrInfoResult) -> AresHostResult:
            name = found.cnames[0].name if found.cnames else None
            return AresHostResult(name or host, [], [node.addr[0] for node in found.nodes])

        channel = self._open_channel()
        return self._asked(lambda told: channel.getaddrinfo(host, None, told, family), convert)

    def getaddrinfo(
        self,
        host: str,
        family: int = socket.AF_UNSPEC,
        port: int | None = None,
        proto: int = 0,
        type: int = 0,
        flags: int = 0,
    ) -> asyncio.Future[pycares.AddrInfoResult]:
        """The addresses of a host (`ares_getaddrinfo`)."""
        flags &= _AI_FLAGS
        channel = self._open_channel()
        return self._asked(
            lambda told: channel.getaddrinfo(host, port, told, family, type, proto, flags),
            pycares._of_addresses,
        )

    def getnameinfo(
        self, sockaddr: tuple[str, int] | tuple[str, int, int, int], flags: int = 0
    ) -> asyncio.Future[pycares.NameInfoResult]:
        """The names of an address and of its port (`ares_getnameinfo`)."""
        flags &= _NI_FLAGS
        channel = self._open_channel()
        return self._asked(lambda told: channel.getnameinfo(sockaddr, flags, told), pycares._of_names)

    def gethostbyaddr(self, name: str) -> asyncio.Future[pycares.HostResult]:
        """The names of an address (`ares_gethostbyaddr`). ValueError for what is none."""
        ipaddress.ip_address(_text(name))
        channel = self._open_channel()
        return self._asked(lambda told: channel.gethostbyaddr(name, told), pycares._of_host)

    def cancel(self) -> None:
        """Ends every lookup with ``ARES_ECANCELLED`` (`ares_cancel`)."""
        self._open_channel()
        self._lookups.cancel()

    async def close(self) -> None:
        """Ends every lookup with ``ARES_ECANCELLED``, and the resolver."""
        if not self._channel.closed:
            self._lookups.cancel()
            self._lookups.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def _open_channel(self) -> dns.Channel:
        if self._channel.closed:
            raise RuntimeError("Channel is destroyed, no new queries allowed")
        return self._channel

    def _asked(self, ask: Ask[Any], convert: Callable[[Any], _T]) -> _Answer[_T]:
        """A future for what ``convert`` makes of the channel's answer to what ``ask`` asks of it."""
        answer: _Answer[_T] = _Answer(loop=self.loop)
        answer.lookups = self._lookups
        self._lookups.ask(answer, ask, None, convert)
        return answer


def _error(number: int) -> error.DNSError:
    return error.DNSError(int(number), dns.strerror(number))


def _text(name: str | bytes) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else name


def _type(name: str) -> int:
    if name not in query_type_map:
        raise ValueError(f"invalid query type: {name}")
    return query_type_map[name]


def _class(name: str | None) -> int:
    if name is None:
        return pycares.QUERY_CLASS_IN
    if name not in query_class_map:
        raise ValueError(f"invalid query class: {name}")
    return query_class_map[name]
