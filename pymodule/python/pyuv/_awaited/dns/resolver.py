"""A channel of c-ares's whose lookups are awaited, and the one that a host has."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, Unpack

from ...dns import (
    ARES_ETIMEOUT,
    AddrInfoResult,
    Channel,
    Configuration,
    HostResult,
    Message,
    NameInfoResult,
    RecordClass,
    RecordType,
)
from ..host import Future, abandon, is_running, running
from .lookups import Ask, Lookups, error

if TYPE_CHECKING:
    from .options import Options

_T = TypeVar("_T")

Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int]


class Resolver:
    """A DNS client for the running tasks: a :class:`pyuv.dns.Channel` whose lookups are awaited.

    ``servers`` and the options are those of the channel. RuntimeError on an event loop that is not one of
    ``pyuv.asyncio``, and where neither such a loop nor trio runs.

    Every lookup takes a ``timeout`` in seconds, for all of it, beside the channel's own, which is for each
    time that a server is asked. When it is over, DNSError with ``ARES_ETIMEOUT`` is raised, which is a
    TimeoutError too. A lookup whose task is cancelled, by ``asyncio.timeout`` for instance, is not waited for
    any more; c-ares is told to end it as soon as nobody waits for another one of this resolver.

    A channel belongs to the thread of its event loop, or of ``trio.run``, and ends with that.
    """

    __slots__ = ("__weakref__", "_channel", "_host", "_lookups")

    def __init__(self, servers: str | Iterable[str] | None = None, **options: "Unpack[Options]") -> None:
        self._host = running()
        self._channel = Channel(self._host.uv, servers, **options)
        self._lookups = Lookups(self._host, self._channel)

    async def query(
        self,
        name: str | bytes,
        type: RecordType | str | int = "A",
        record_class: RecordClass | str | int = "IN",
        *,
        timeout: float | None = None,
    ) -> Message:
        """Asks for the records of ``name`` that are of one type: ``"MX"``, ``RecordType.MX``, 15
        (`ares_query_dnsrec`).

        DNSError with ``ARES_ENOTFOUND`` for a name that does not exist, with ``ARES_ENODATA`` for one that
        has no such records; ValueError for one that no server could be asked for.
        """
        channel = self._channel
        return await self._answer(lambda told: channel.query(name, type, told, record_class), name, timeout)

    async def search(
        self,
        name: str | bytes,
        type: RecordType | str | int = "A",
        record_class: RecordClass | str | int = "IN",
        *,
        timeout: float | None = None,
    ) -> Message:
        """Like :meth:`query`, but asks for ``name`` in each of the search domains too, until one has an
        answer (`ares_search_dnsrec`).
        """
        channel = self._channel
        return await self._answer(lambda told: channel.search(name, type, told, record_class), name, timeout)

    async def send(self, message: Message, *, timeout: float | None = None) -> Message:
        """Sends a message of your own, with one question, and gives what comes back, whatever its rcode
        (`ares_send_dnsrec`). SERVFAIL, NOTIMP and REFUSED are errors unless the resolver has
        ``ARES_FLAG_NOCHECKRESP``.
        """
        name = message.question[0].name if message.question else ""
        return await self._answer(lambda told: self._channel.send(message, told), name, timeout)

    async def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None = None,
        family: int = 0,
        socktype: int = 0,
        proto: int = 0,
        flags: int = 0,
        *,
        timeout: float | None = None,
    ) -> AddrInfoResult:
        """Looks up the addresses of a host in the hosts file and in DNS (`ares_getaddrinfo`).

        ``family`` is AF_UNSPEC, AF_INET or AF_INET6, ``flags`` are ``ARES_AI_*`` of `pyuv.dns`. The
        result has c-ares's shape; what ``socket.getaddrinfo`` would give is ``loop.getaddrinfo`` of an event
        loop that was made with ``resolver="c-ares"``.
        """
        channel = self._channel
        return await self._answer(
            lambda told: channel.getaddrinfo(host, port, told, family, socktype, proto, flags), host, timeout
        )

    async def getnameinfo(
        self, address: Address, flags: int = 0, *, timeout: float | None = None
    ) -> NameInfoResult:
        """Looks up the names of an address and of its port (`ares_getnameinfo`). ``flags`` are
        ``ARES_NI_*`` of `pyuv.dns`.
        """
        return await self._answer(
            lambda told: self._channel.getnameinfo(address, flags, told), address[0], timeout
        )

    async def gethostbyname(
        self, name: str | bytes, family: int = 0, *, timeout: float | None = None
    ) -> HostResult:
        """Looks up the addresses of a host that are of one family, or of the first that it has any of
        (`ares_gethostbyname`).
        """
        return await self._answer(lambda told: self._channel.gethostbyname(name, family, told), name, timeout)

    async def gethostbyaddr(
        self,
        address: str | bytes | ipaddress.IPv4Address | ipaddress.IPv6Address,
        *,
        timeout: float | None = None,
    ) -> HostResult:
        """Looks up the names of an address (`ares_gethostbyaddr`)."""
        return await self._answer(lambda told: self._channel.gethostbyaddr(address, told), address, timeout)

    async def reinit(self) -> None:
        """Reads resolv.conf again, on the thread pool, for what is asked after that. Servers and options that
        were set by hand stay (what `ares_reinit` does).
        """
        await self._answer(self._channel.reinit, "resolv.conf", None)

    def cancel(self) -> None:
        """Ends every lookup with DNSError and ``ARES_ECANCELLED`` (`ares_cancel`)."""
        self._lookups.cancel()

    def close(self) -> None:
        """Closes the channel: every lookup ends with DNSError and ``ARES_EDESTRUCTION``, and to ask again
        raises HandleClosedError (`ares_destroy`). Of a resolver that is closed it does nothing.
        """
        self._lookups.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the channel was closed, by :meth:`close` or with what it ran on."""
        return self._channel.closed

    @property
    def servers(self) -> list[str]:
        """The servers that are asked, each ``address:port`` or ``[address]:port``. May be set at any time."""
        return self._channel.servers

    @servers.setter
    def servers(self, servers: str | Iterable[str]) -> None:
        self._channel.servers = servers

    @property
    def configuration(self) -> Configuration:
        """What the channel goes by, with where each part of it was found."""
        return self._channel.configuration

    @property
    def active_queries(self) -> int:
        """How many lookups are under way, those that nobody waits for any more included."""
        return self._lookups.count

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"with {self.active_queries} lookups"
        return f"<{type(self).__name__} {state} at {id(self):#x}>"

    async def _answer(self, ask: Ask[_T], about: object, timeout: float | None) -> _T:
        """What the channel says to what ``ask`` asks of it; ``about`` is named in errors."""
        host = self._host
        if not is_running(host):
            raise RuntimeError(f"{self!r} belongs to another event loop")
        if host._checkpoint is not None:
            await host._checkpoint()
        answer: Future[_T] = host.create_future()
        self._lookups.ask(answer, ask, about)
        timer = None
        try:
            if timeout is not None:
                timer = host.call_later(timeout, self._expire, answer, about, timeout)
            return await answer
        except BaseException:
            if abandon(answer):
                self._lookups.abandon()
            # It has the exception, whose traceback has this frame.
            del answer
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self, answer: Future[Any], about: object, timeout: float) -> None:
        if not answer.done():
            answer.set_exception(error(ARES_ETIMEOUT, f"no answer within {timeout:g} s", about))
            self._lookups.abandon()


def get_resolver() -> Resolver:
    """The resolver of the running event loop, or of ``trio.run``. It is made when it is first asked for.

    The functions of this module ask it, and so does ``loop.getaddrinfo`` of an event loop that was made with
    ``resolver="c-ares"``.
    """
    host = running()
    resolver: Resolver | None = host._resolver
    if resolver is None:
        resolver = host._resolver = Resolver()
    return resolver


def set_resolver(resolver: Resolver) -> None:
    """Has the running event loop, or ``trio.run``, use another resolver, with servers and options of your
    own. The earlier one is not closed. ValueError for a resolver of another one.
    """
    host = running()
    if resolver._host is not host:
        raise ValueError("this is a resolver of another event loop")
    host._resolver = resolver
