"""What folders hold: ``scandir`` and ``walk``, to be awaited as a whole or gone through as it comes."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from os import PathLike
from typing import Any, AnyStr, Generic, Literal

from ... import fs
from ..host import Future, running
from ..requests import awaited, settle
from .operations import opendir, readdir

_scandir = awaited(fs.scandir)
_walk = awaited(fs.walk)


class Scan(Generic[AnyStr]):
    """A folder's entries: ``await`` gives a sorted list, ``async for`` one after the other, unsorted."""

    def __init__(self, path: AnyStr | PathLike[AnyStr]) -> None:
        self._path: AnyStr | PathLike[AnyStr] = path

    def __await__(self) -> Generator[Any, None, list[fs.Dirent[AnyStr]]]:
        return _scandir(self._path).__await__()

    async def __aiter__(self) -> AsyncIterator[fs.Dirent[AnyStr]]:
        opened = await opendir(self._path)
        try:
            while batch := await readdir(opened):
                for entry in batch:
                    yield entry
        finally:
            opened.close()


def scandir(path: AnyStr | PathLike[AnyStr]) -> Scan[AnyStr]:
    """What a folder holds, as Dirent, without "." and "..": bytes names if path is bytes, otherwise str.

    ``await scandir(path)`` gives a list in the order of the names' bytes (`uv_fs_scandir`). ``async for``
    reads a thousand entries at a time, in the filesystem's order (`uv_fs_readdir`), when they are asked for.
    """
    return Scan(path)


class Walk:
    """A tree's folders: ``await`` gives a walk_result, ``async for`` each walk_folder as it is found."""

    def __init__(self, path: Any, options: dict[str, Any]) -> None:
        self._path = path
        self._options = options
        #: The paths that failed, as (path, code of pyuv.errno), once ``async for`` has ended.
        self.errors: list[tuple[Any, int]] = []

    def __await__(self) -> Generator[Any, None, fs.walk_result]:
        return _walk(self._path, **self._options).__await__()

    async def __aiter__(self) -> AsyncIterator[fs.walk_folder]:
        found: deque[fs.walk_folder] = deque()
        host = running()
        news: Future[None] = host.create_future()
        ended: Future[fs.walk_result] = host.create_future()

        def wake(_: object = None) -> None:
            if not news.done() and not host.is_closed():
                news.set_result(None)

        def arrived(batch: list[fs.walk_folder]) -> None:
            found.extend(batch)
            wake()

        def told(request: fs.TreeRequest[fs.walk_result]) -> None:
            settle(ended, "walk", None, request)
            wake()

        request = fs.walk(host.uv, self._path, on_batch=arrived, callback=told, **self._options)
        try:
            while True:
                while found:
                    yield found.popleft()
                if ended.done():
                    break
                await news
                news = host.create_future()
            ended.result()
        finally:
            request.cancel()
            ended.cancel()
            self.errors = request.errors


def walk(
    path: str | bytes | PathLike[str] | PathLike[bytes],
    *,
    on_error: Literal["stop", "continue"] = "stop",
    concurrency: int | None = None,
    progress: Callable[[fs.tree_progress], object] | None = None,
) -> Walk:
    """Goes through a tree, as ``pyuv.fs.walk`` does: with several threads of libuv's pool, in no order but
    that a folder comes before those in it. Symbolic links are entries, and never followed.

    ``await walk(path)`` gives a walk_result. ``async for folder in walk(path)`` gives each walk_folder when
    it is found; the walk does not wait for a slower consumer, and ends when the iterator is closed. With
    ``on_error="continue"``, the `errors` of what this returns are the paths that failed.
    """
    return Walk(path, {"on_error": on_error, "concurrency": concurrency, "progress": progress})
