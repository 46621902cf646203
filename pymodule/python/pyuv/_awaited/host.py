"""Who runs the tasks: an event loop of asyncio's, or trio. Each has a loop of pyuv's, and this interface."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

from .. import Loop

_T = TypeVar("_T")


class Closable(Protocol):
    """What ends some time."""

    def is_closed(self) -> bool:
        """Whether it has, and nothing is run any more."""


class Future(Protocol, Generic[_T]):
    """A result that is not there yet, as asyncio has them. One task at a time awaits it."""

    def __await__(self) -> Generator[Any, Any, _T]:
        """Waits for it. A task that is cancelled meanwhile leaves it cancelled."""

    def get_loop(self) -> Closable:
        """Who has made it."""

    def done(self) -> bool:
        """Whether it has a result or an exception, or was cancelled."""

    def cancelled(self) -> bool:
        """Whether it was cancelled."""

    def cancel(self) -> bool:
        """Cancels it; False if it is done."""

    def result(self) -> _T:
        """The result, or raises the exception."""

    def exception(self) -> BaseException | None:
        """The exception, or None, of one that is done."""

    def set_result(self, result: _T, /) -> None:
        """Wakes who awaits it."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Wakes who awaits it, and raises that there."""


class Alarm(Protocol):
    """What ``call_later`` gives."""

    def cancel(self) -> None:
        """Has it not be called."""


class Host(Closable, Protocol):
    """What runs tasks, in one thread, and a loop of pyuv's beside them."""

    uv: Loop
    #: What the functions of ``dns`` ask by, once they were called.
    _resolver: Any

    @property
    def _checkpoint(self) -> Callable[[], Awaitable[None]] | None:
        """Awaited before anything begins, where a task that was cancelled before is not told by then."""

    def create_future(self) -> Future[Any]:
        """A future that tasks of this one await."""

    def call_soon(self, callback: Callable[[], object], /) -> object:
        """Calls it in the next turn."""

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> Alarm:
        """Calls it in so many seconds."""

    def time(self) -> float:
        """The clock, in seconds."""

    def _start(
        self, coroutine: Coroutine[Any, Any, object], ended: Callable[[], object]
    ) -> Callable[[], object]:
        """Runs it beside the tasks, and gives what ends it; ``ended`` is called however it ends."""

    async def _finish(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Awaits it to its end, whether or not the task is cancelled meanwhile."""


_finders: list[Callable[[], Host | None]] = []


def register(find: Callable[[], Host | None], *, guest: bool = False) -> None:
    """Has one more kind of host be looked for: before others, if it may be a guest of one of them."""
    _finders.insert(0 if guest else len(_finders), find)


def running() -> Host:
    """The host of the running task. RuntimeError without one."""
    for find in _finders:
        host = find()
        if host is not None:
            return host
    raise RuntimeError("no running event loop")


def is_running(host: Host) -> bool:
    """Whether the running task is one of this host's."""
    try:
        return running() is host
    except RuntimeError:
        return False


def abandon(future: Future[Any]) -> bool:
    """Nobody awaits it any more. Whether it has come to nothing, so that what is under way for it can end."""
    return not future.get_loop().is_closed() and (future.cancel() or future.cancelled())
