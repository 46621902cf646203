"""A call with a callback, of ``pyuv.fs`` or of the loop's thread pool, as something to await.

Whoever stops awaiting takes the request back if no thread has begun it. One that is under way cannot be
called back: what it then gives, a descriptor say, goes to `dispose`, so that nothing is left open that
nobody has.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from os import fsencode
from typing import Any, Protocol, TypeVar

from ..errno import strerror
from ..error import FSError
from .host import Future, abandon, running

_T = TypeVar("_T")

Dispose = Callable[[Any], object]
"""Lets go of a result that came when nobody awaited it any more, at once."""


class Request(Protocol):
    """What a call with a callback returns."""

    def cancel(self) -> bool:
        """Takes it back if it has not begun."""


def error_of(request: Any, call: str) -> FSError:
    """The error that the call would have raised without a callback."""
    path, path2, written = request.path, request.path2, request.bytes_written
    failed = getattr(request, "errors", None)
    if failed:
        # Of a tree: which of its paths it was.
        path = failed[0][0]
    named = (path,) if failed else (path, path2)
    paths = [_shown(path) for path in named if path is not None]
    if not paths and request.fd is not None:
        paths = [f"fd {request.fd}"]
    about = f": {' -> '.join(paths)}" if paths else ""
    counted = f"; {written} bytes were written" if written is not None else ""
    error = FSError(request.error, f"{strerror(request.error)}{about} ({call}){counted}")
    error.filename, error.filename2 = path, path2
    if written is not None:
        error.bytes_written = written
    return error


def _shown(path: Any) -> str:
    return fsencode(path).decode(errors="replace")


def settle(future: Future[Any], call: str, dispose: Dispose | None, request: Any) -> None:
    """Gives the future what a request of `pyuv.fs` has come to: its callback."""
    if future.done() or future.get_loop().is_closed():
        if dispose is not None and request.error is None:
            dispose(request.result)
    elif request.error is None:
        future.set_result(request.result)
    else:
        future.set_exception(error_of(request, call))


def give_up(request: Request, future: Future[Any], dispose: Dispose | None) -> None:
    """Ends a request that nobody awaits any more, if it has not failed."""
    if abandon(future):
        request.cancel()
    # It may have succeeded in the very turn in which its task was cancelled.
    elif dispose is not None and future.done() and not future.cancelled() and future.exception() is None:
        dispose(future.result())


def awaited(
    function: Callable[..., Any], dispose: Dispose | None = None, *, takes_back: bool = True
) -> Callable[..., Awaitable[Any]]:
    """A function of `pyuv.fs` as a coroutine function, without the loop before its arguments.

    What closes something is not to be taken back: whoever is cancelled has nothing left to close it by.
    """
    call = function.__name__

    async def operation(*arguments: Any, **keywords: Any) -> Any:
        host = running()
        if takes_back and host._checkpoint is not None:
            await host._checkpoint()
        future = host.create_future()
        told = partial(settle, future, call, dispose)
        request = function(host.uv, *arguments, callback=told, **keywords)
        try:
            return await future
        except BaseException:
            if takes_back:
                give_up(request, future, dispose)
            # It may have the exception, whose traceback has this frame.
            del future, told
            raise

    return operation


async def in_pool(function: Callable[..., _T], *arguments: Any, dispose: Dispose | None = None) -> _T:
    """Calls any function on a thread of libuv's pool (`uv_queue_work`), for what libuv has no request for."""
    host = running()
    if host._checkpoint is not None:
        await host._checkpoint()
    future: Future[_T] = host.create_future()
    done: list[_T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            done.append(function(*arguments))
        except BaseException as error:
            raised.append(error)

    def told(errorno: int | None) -> None:
        if future.done() or future.get_loop().is_closed():
            if dispose is not None and done:
                dispose(done[0])
        elif done:
            future.set_result(done[0])
        elif raised:
            error = raised.pop()
            if isinstance(error, StopIteration):
                # Whoever awaits would take it for an end.
                error = RuntimeError(f"{function!r} raised StopIteration")
            future.set_exception(error)
        else:
            future.cancel()

    request = host.uv.queue_work(work, told)
    try:
        return await future
    except BaseException:
        give_up(request, future, dispose)
        raise
