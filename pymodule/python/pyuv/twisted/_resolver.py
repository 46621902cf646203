"""A resolver on the raw channel: c-ares on the reactor's own loop, without a thread."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolver
from twisted.names import common, dns
from twisted.names.error import DNSQueryTimeoutError, ResolverError
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from ..dns import ARES_ETIMEOUT, ARES_FLAG_EDNS, ARES_FLAG_NOCHECKRESP, Channel, DNSError, Message, strerror
from ._reactor import UVReactor

__all__ = ["Resolver"]

_FAMILIES = {
    frozenset([IPv4Address]): socket.AF_INET,
    frozenset([IPv6Address]): socket.AF_INET6,
    frozenset([IPv4Address, IPv6Address]): socket.AF_UNSPEC,
}
_TYPES = {socket.AF_INET: IPv4Address, socket.AF_INET6: IPv6Address}
_KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


@implementer(IHostResolution)
class _Resolution:
    """A lookup of ``resolveHostName``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        """Has no address be reported any more."""
        self.cancelled = True


@implementer(IResolver, IHostnameResolver)
class Resolver(common.ResolverBase):
    """Asks DNS by a :class:`pyuv.dns.Channel` on the reactor's loop.

    It is an ``IResolver``, with a method for each type of record and records of ``twisted.names``, and what
    ``reactor.installResolver`` and ``reactor.installNameResolver`` take: host names are looked up in the
    hosts file and in DNS. Options are those of the channel. It is closed with the reactor.
    """

    def __init__(self, reactor: Any = None, **options: Any) -> None:
        if reactor is None:
            from twisted.internet import reactor
        if not isinstance(reactor, UVReactor):
            raise TypeError(f"this needs a reactor of pyuv's, not {type(reactor).__name__}")
        super().__init__()
        self._reactor: Any = reactor
        options["flags"] = options.get("flags", 0) | ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP
        #: The channel that is asked.
        self.channel = Channel(reactor.uv, **options)
        reactor.addSystemEventTrigger("after", "shutdown", self.channel.close)

    def install(self) -> None:
        """Has the reactor look up all host names by this."""
        self._reactor.installResolver(self)
        self._reactor.installNameResolver(self)

    def _ask(
        self, ask: Callable[[Callable[[Any, int | None], None]], None], timeout: Sequence[float] | None
    ) -> "Deferred[Any]":
        """What the channel tells the callback that `ask` gives it, or a DNSError, in the next turn."""
        answer: Deferred[Any] = Deferred(lambda _: None)
        expiry = None

        def told(result: Any, errorno: int | None) -> None:
            # libuv is on the stack here, where nobody is to be called.
            self._reactor.callLater(0, tell, result, errorno)

        def tell(result: Any, errorno: int | None) -> None:
            if expiry is not None and expiry.active():
                expiry.cancel()
            if answer.called:
                return
            if errorno is None:
                answer.callback(result)
            else:
                answer.errback(DNSError(errorno, strerror(errorno)))

        try:
            ask(told)
        except DNSError as error:
            return fail(error)
        if timeout is not None:
            seconds = sum(timeout) if isinstance(timeout, Sequence) else timeout
            expiry = self._reactor.callLater(seconds, tell, None, ARES_ETIMEOUT)
        return answer

    # IResolver

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Sequence[float] | None) -> "Deferred[Any]":
        query = dns.Query(name, type, cls)
        asked = dns.Message(recDes=1)
        asked.queries = [query]
        message = Message.parse(asked.toStr())
        answer = self._ask(lambda told: self.channel.send(message, told), timeout)
        return answer.addCallbacks(self._records, self._failed, errbackArgs=(query,))

    def _records(self, message: Message) -> Any:
        answered = dns.Message()
        answered.fromStr(message.to_bytes())
        if answered.rCode != dns.OK:
            return Failure(self.exceptionForCode(answered.rCode)(answered))
        return answered.answers, answered.authority, answered.additional

    def _failed(self, failure: Failure, query: dns.Query) -> Failure:
        error = failure.value
        if not isinstance(error, DNSError):
            return failure
        code, text = error.args[:2]
        return Failure(DNSQueryTimeoutError(query) if code == ARES_ETIMEOUT else ResolverError(text))

    # IResolverSimple, by the same channel

    def getHostByName(
        self, name: str | bytes, timeout: Sequence[float] | None = None, effort: int = 10
    ) -> "Deferred[str]":
        """The first address of a host, of either family; DNSLookupError without one."""

        def found(result: Any) -> str:
            return str(result.nodes[0].addr[0])

        def failed(failure: Failure) -> Failure:
            return Failure(DNSLookupError(f"{name!r}: {failure.getErrorMessage()}"))

        host = name.decode("ascii") if isinstance(name, bytes) else name
        answer = self._ask(lambda told: self.channel.getaddrinfo(host, None, told), timeout)
        return answer.addCallbacks(found, failed)

    # IHostnameResolver

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> _Resolution:
        """Looks up the addresses of a host, and tells the receiver of them."""
        family = socket.AF_UNSPEC if addressTypes is None else _FAMILIES[frozenset(addressTypes)]
        kind = _KINDS[transportSemantics]
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def found(result: Any) -> None:
            for node in result.nodes:
                if not resolution.cancelled:
                    address = _TYPES[node.family](transportSemantics, *node.addr)
                    resolutionReceiver.addressResolved(address)

        def over(outcome: Any) -> None:
            # A host without an address is one that was not found.
            if not resolution.cancelled:
                resolutionReceiver.resolutionComplete()

        answer = self._ask(
            lambda told: self.channel.getaddrinfo(hostName, portNumber, told, family, kind), None
        )
        answer.addCallback(found).addErrback(lambda failure: failure.trap(DNSError)).addBoth(over)
        return resolution
