"""Futures for what a channel of c-ares's is asked.

What tasks ask in one turn of their host is given to the channel together. A processor's caches do not
hold the tasks, c-ares and the kernel's network at once, and a server that is woken for each question costs
more than one that finds many: with 100 tasks that ask in turn, a query takes 1.4 times the CPU otherwise.

c-ares ends all queries of a channel or none (``ares_cancel``). One that nobody waits for any more is
therefore ended when nobody waits for another one of its channel either. Until then c-ares may ask for it
again, for as long as the channel's own timeout allows, and what is answered is dropped.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from ...dns import Channel, strerror
from ...error import DNSError
from ..host import Future, Host

_T = TypeVar("_T")

# What the channel is given to call: with a result or with the number of an error.
Told: TypeAlias = Callable[[_T | Any, int | None], object]
Ask: TypeAlias = Callable[[Told[_T]], object]


class Lookups:
    """What a channel is asked, and who waits for it."""

    __slots__ = ("_abandoned", "_asked", "_host", "channel")

    def __init__(self, host: Host, channel: Channel) -> None:
        self.channel = channel
        self._host = host
        # What the next turn gives to the channel.
        self._asked: list[tuple[Ask[Any], Future[Any], object, Callable[[Any], Any] | None]] = []
        # How many lookups are under way that nobody waits for any more.
        self._abandoned = 0

    @property
    def count(self) -> int:
        """How many lookups are under way, those that nobody waits for included."""
        return self.channel.active_queries + len(self._asked)

    def ask(
        self,
        answer: Future[_T],
        ask: Ask[Any],
        about: object,
        convert: Callable[[Any], _T] | None = None,
    ) -> None:
        """Has ``answer`` be what the channel says to what ``ask`` asks of it, or what ``convert`` makes of
        that; ``about`` is named in errors.
        """
        if not self._asked:
            self._host.call_soon(self.give)
        self._asked.append((ask, answer, about, convert))

    def give(self) -> None:
        """Gives the channel what was asked."""
        asked, self._asked = self._asked, []
        for ask, answer, about, convert in asked:
            if answer.done():
                self._abandoned -= 1
                continue
            try:
                ask(partial(self._told, answer, about, convert))
            except Exception as refusal:
                answer.set_exception(self.refused(refusal))
        if self._abandoned:
            self._end_abandoned()

    def abandon(self) -> None:
        """Nobody waits for a lookup any more that is under way; its future is done."""
        self._abandoned += 1
        self._end_abandoned()

    def cancel(self) -> None:
        """Ends every lookup with ``ARES_ECANCELLED``."""
        self.give()
        self.channel.cancel()

    def close(self) -> None:
        """Closes the channel: every lookup ends with ``ARES_EDESTRUCTION``."""
        if not self.channel.closed:
            self.give()
            self.channel.close()

    def refused(self, refusal: Exception) -> Exception:
        """The exception for what the channel has refused to ask."""
        return refusal

    def failed(self, number: int, about: object) -> Exception:
        """The exception for a number of c-ares's."""
        return error(number, strerror(number), about)

    def _told(
        self,
        answer: Future[_T],
        about: object,
        convert: Callable[[Any], _T] | None,
        result: Any,
        number: int | None,
    ) -> None:
        if answer.done():
            self._abandoned -= 1
        elif number is None:
            if convert is None:
                answer.set_result(result)
            else:
                try:
                    answer.set_result(convert(result))
                except Exception as failure:
                    answer.set_exception(failure)
        # A loop that is being closed runs no task any more.
        elif not self._host.is_closed():
            answer.set_exception(self.failed(number, about))
        if self._abandoned:
            self._end_abandoned()

    def _end_abandoned(self) -> None:
        """Ends what nobody waits for, if that is all that there is."""
        channel = self.channel
        if not self._asked and channel.active_queries == self._abandoned and not channel.closed:
            channel.cancel()


def error(number: int, message: str, about: object) -> DNSError:
    """The exception for a number of c-ares's, which names what it is about."""
    if isinstance(about, bytes):
        about = about.decode("ascii", "backslashreplace")
    said = about is None or str(about) in message
    return DNSError(number, message if said else f"{message}: {about}")
