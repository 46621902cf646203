"""A resolver for gevent on the raw channel: c-ares on the hub's own loop, without a thread."""

from collections.abc import Callable, Coroutine
from socket import EAI_NONAME, gaierror, herror
from typing import Any, TypeVar

from gevent.event import AsyncResult  # type: ignore[import-untyped]
from gevent.hub import get_hub  # type: ignore[import-untyped]
from gevent.resolver import AbstractResolver  # type: ignore[import-untyped]

from .. import dns
from .._awaited.dns import addrinfo
from ..dns import Channel, DNSError, strerror
from ._loop import loop

_T = TypeVar("_T")

_HOST_NOT_FOUND, _TRY_AGAIN = 1, 2
_TEXTS = {_HOST_NOT_FOUND: "Unknown host", _TRY_AGAIN: "Host name lookup failure"}


class _Waiting:
    """A channel that is asked as ``pyuv.asyncio.dns`` asks: the greenlet waits for the answer."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self.channel = Channel(hub.loop.uv)

    def ask(self, ask: Callable[[Callable[[Any, int | None], None]], object]) -> Any:
        """What the channel tells the callback that `ask` gives it. DNSError."""
        answer = AsyncResult()

        def told(result: Any, errorno: int | None) -> None:
            # libuv is on the stack here, where no greenlet may switch.
            self._hub.loop.run_callback(tell, result, errorno)

        def tell(result: Any, errorno: int | None) -> None:
            if errorno is None:
                answer.set(result)
            else:
                answer.set_exception(DNSError(errorno, strerror(errorno)))

        # In a forked child the loop is made anew before.
        self._hub.loop.reinit()
        ask(told)
        return answer.get()

    async def getaddrinfo(
        self, host: str | bytes, port: None, family: int, *, flags: int
    ) -> dns.AddrInfoResult:
        """The addresses of a host."""
        found: dns.AddrInfoResult = self.ask(
            lambda told: self.channel.getaddrinfo(host, port, told, family, flags=flags)
        )
        return found

    async def getnameinfo(self, address: Any, flags: int) -> dns.NameInfoResult:
        """The name of an address."""
        found: dns.NameInfoResult = self.ask(lambda told: self.channel.getnameinfo(address, flags, told))
        return found


def _finished(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine gives that waits by greenlets, and so ends at once."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: _T = ended.value
        return result
    raise RuntimeError("it awaits something else")


class Resolver(AbstractResolver):  # type: ignore[misc]
    """Looks names up by a :class:`pyuv.dns.Channel`: the hosts file and DNS, with the results of ``socket``.

    The hub has to be on ``pyuv.gevent.loop``.
    """

    def __init__(self, hub: Any = None) -> None:
        hub = get_hub() if hub is None else hub
        if not isinstance(hub.loop, loop):
            raise TypeError(f"this needs a hub on pyuv.gevent.loop, not on {type(hub.loop).__name__}")
        if gaierror not in hub.NOT_ERROR:
            # Who looks up a name that is not there is told; nobody else.
            hub.NOT_ERROR += (gaierror, herror)
        self._waiting = _Waiting(hub)

    @property
    def channel(self) -> Channel:
        """The channel that is asked."""
        return self._waiting.channel

    def close(self) -> None:
        """Closes the channel."""
        self._waiting.channel.close()

    def _getaddrinfo(
        self, host_bytes: bytes, port: Any, family: int, socktype: int, proto: int, flags: int
    ) -> Any:
        return _finished(
            addrinfo.getaddrinfo(self._waiting, host_bytes, port, family, socktype, proto, flags)
        )

    def _gethostbyaddr(self, ip_address_bytes: bytes) -> tuple[str, list[str], list[str]]:
        waiting = self._waiting
        address = ip_address_bytes.decode("ascii")
        try:
            found = waiting.ask(lambda told: waiting.channel.gethostbyaddr(address, told))
        except DNSError as error:
            number = _HOST_NOT_FOUND if error.code in (dns.ARES_ENOTFOUND, dns.ARES_ENODATA) else _TRY_AGAIN
            raise herror(number, _TEXTS[number]) from error
        except ValueError as error:
            raise gaierror(EAI_NONAME, "Name or service not known") from error
        return found.name, list(found.aliases), list(found.addresses)

    def _getnameinfo(self, address_bytes: bytes, port: int, sockaddr: Any, flags: int) -> tuple[str, str]:
        return _finished(addrinfo.getnameinfo(self._waiting, sockaddr, flags))
