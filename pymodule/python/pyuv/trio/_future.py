"""Results that are not there yet, for tasks of trio: as much of asyncio's futures as pyuv needs."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from trio.lowlevel import Abort, Task, checkpoint, current_task, reschedule, wait_task_rescheduled

if TYPE_CHECKING:
    from ._host import TrioHost

_T = TypeVar("_T")

_PENDING = object()
_CANCELLED = object()


class Future(Generic[_T]):
    """A result that is not there yet. One task awaits it; one that is cancelled leaves it cancelled."""

    __slots__ = ("_exception", "_host", "_result", "_task")

    def __init__(self, host: "TrioHost") -> None:
        self._host = host
        self._result: object = _PENDING
        self._exception: BaseException | None = None
        self._task: Task | None = None

    def get_loop(self) -> "TrioHost":
        """Who has made it."""
        return self._host

    def done(self) -> bool:
        """Whether it has a result or an exception, or was cancelled."""
        return self._result is not _PENDING

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._result is _CANCELLED

    def cancel(self) -> bool:
        """Cancels it; False if it is done. Who awaits it is cancelled by trio, not by this."""
        if self.done():
            return False
        self._result = _CANCELLED
        return True

    def result(self) -> _T:
        """The result, or raises the exception."""
        if self._exception is not None:
            raise self._exception
        return cast(_T, self._result)

    def exception(self) -> BaseException | None:
        """The exception, or None, of one that is done."""
        return self._exception

    def set_result(self, result: _T, /) -> None:
        """Wakes who awaits it."""
        self._result = result
        self._wake()

    def set_exception(self, exception: BaseException, /) -> None:
        """Wakes who awaits it, and raises that there."""
        self._result = None
        self._exception = exception
        self._wake()

    def _wake(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            reschedule(task)

    def _abort(self, _: object) -> Abort:
        self._task = None
        self.cancel()
        return Abort.SUCCEEDED

    async def _wait(self) -> _T:
        host = self._host
        try:
            # What was asked for begins with the loop's next turn, and may be over with it.
            host.turn()
            rounds = host.patience.rounds
            for _ in range(rounds):
                await checkpoint()
                if self.done():
                    break
                host.turn()
            host.patience.learn(slept=not self.done())
            if not self.done():
                self._task = current_task()
                await wait_task_rescheduled(self._abort)
            elif not rounds:
                await checkpoint()
            return self.result()
        finally:
            # One that is cancelled leaves it so. The traceback of what it raises has this frame.
            self.cancel()
            del self

    def __await__(self) -> Generator[Any, Any, _T]:
        return self._wait().__await__()
