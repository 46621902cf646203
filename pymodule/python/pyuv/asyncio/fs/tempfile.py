"""``tempfile``, awaited: aiofiles.tempfile's names."""

import asyncio as _asyncio
import contextlib as _contextlib
import inspect as _inspect
import io as _io
import os as _os
import sys as _sys
import tempfile as _tempfile
import weakref as _weakref
from collections.abc import Generator as _Generator
from collections.abc import Iterable as _Iterable
from typing import Any, Self

from ..._awaited.fs.opening import Mode as _Mode
from ..._awaited.fs.opening import Opening as _Opening
from ..._awaited.fs.opening import check_arguments as _check_arguments
from ..._awaited.fs.opening import file_of as _file_of
from ..._awaited.fs.text import Convention as _Convention
from ..._awaited.requests import in_pool as _in_pool

__all__ = ["NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryDirectory", "TemporaryFile"]


def _remove(made: tuple[int, Any]) -> None:
    _os.close(made[0])
    _unlink(made[1])


def _unlink(path: Any) -> None:
    with _contextlib.suppress(OSError):
        _os.unlink(path)


async def _made(
    mode: str,
    buffering: int,
    encoding: str | None,
    newline: str | None,
    errors: str | None,
    suffix: Any,
    prefix: Any,
    folder: Any,
    *,
    named: bool,
) -> Any:
    """A new file of a name that nobody has."""
    parsed = _Mode(mode)
    _check_arguments(parsed, buffering, encoding, errors, newline)
    convention = _Convention.of(encoding, errors, newline) if parsed.text else None
    fd, path = await _in_pool(_tempfile.mkstemp, suffix, prefix, folder, dispose=_remove)
    if not named:
        _unlink(path)
    try:
        return _file_of(fd, path if named else fd, parsed, mode, buffering, convention, closes=True)
    except BaseException:
        _unlink(path)
        raise


def NamedTemporaryFile(  # noqa: N802
    mode: str = "w+b",
    buffering: int = -1,
    encoding: str | None = None,
    newline: str | None = None,
    suffix: Any = None,
    prefix: Any = None,
    dir: Any = None,
    delete: bool = True,
    delete_on_close: bool = True,
    *,
    errors: str | None = None,
    loop: object = None,
    executor: object = None,
) -> _Opening[Any]:
    """A new file, of a name of its own, which is removed when it is closed; with ``delete_on_close=False``
    when ``async with`` is left, or when nobody has it any more.
    """

    async def opens() -> Any:
        file = await _made(mode, buffering, encoding, newline, errors, suffix, prefix, dir, named=True)
        file.delete = delete
        if delete and delete_on_close:
            descriptor = file._descriptor if hasattr(file, "_descriptor") else file._turn
            descriptor.removes = file.name
        elif delete:
            file.remove = _weakref.finalize(file, _unlink, file.name)
        return file

    return _Named(opens)


class _Named(_Opening[Any]):
    async def __aexit__(self, *exception: object) -> None:
        file = self._file
        await super().__aexit__(*exception)
        if file is not None and hasattr(file, "remove"):
            await _in_pool(file.remove)


def TemporaryFile(  # noqa: N802
    mode: str = "w+b",
    buffering: int = -1,
    encoding: str | None = None,
    newline: str | None = None,
    suffix: Any = None,
    prefix: Any = None,
    dir: Any = None,
    *,
    errors: str | None = None,
    loop: object = None,
    executor: object = None,
) -> _Opening[Any]:
    """A new file without a name, which is gone when it is closed."""
    arguments = (mode, buffering, encoding, newline, errors, suffix, prefix, dir)
    return _Opening(lambda: _made(*arguments, named=False))


class SpooledFile:
    """A file in memory, which becomes one of the system's when it is longer than `max_size`."""

    def __init__(self, max_size: int, arguments: tuple[Any, ...]) -> None:
        mode, buffering, encoding, newline, errors = arguments[:5]
        parsed = _Mode(mode)
        _check_arguments(parsed, buffering, encoding, errors, newline)
        self._max_size = max_size
        self._arguments = arguments
        self._turn = _asyncio.Lock()
        self._mode = mode
        memory = _io.BytesIO()
        self._memory: Any = memory
        if parsed.text:
            self._memory = _io.TextIOWrapper(memory, encoding, errors, newline)
        self._file: Any = None

    @property
    def _now(self) -> Any:
        return self._memory if self._file is None else self._file

    async def _call(self, name: str, *arguments: Any) -> Any:
        async with self._turn:
            result = getattr(self._now, name)(*arguments)
            if _inspect.isawaitable(result):
                result = await result
            if self._file is None and self._max_size and name in ("write", "writelines", "truncate"):
                memory = self._memory
                if isinstance(memory, _io.TextIOWrapper):
                    memory.flush()
                    memory = memory.buffer
                if memory.tell() > self._max_size:
                    await self._roll()
            return result

    async def _roll(self) -> None:
        if self._file is not None:
            return
        memory = self._memory
        position = memory.tell()
        text = isinstance(memory, _io.TextIOWrapper)
        content = (memory.buffer if text else memory).getvalue()
        file = await _made(*self._arguments, named=False)
        below = file.buffer if text else file
        await below.write(content)
        await file.seek(position)
        self._file = file
        memory.close()

    async def rollover(self) -> None:
        """Makes it a file of the system's now."""
        async with self._turn:
            await self._roll()

    async def fileno(self) -> int:
        """The descriptor's number, for which it has to be a file of the system's."""
        await self.rollover()
        return int(self._file.fileno())

    async def close(self) -> None:
        """Closes it, and it is gone."""
        async with self._turn:
            if self._file is None:
                self._memory.close()
            else:
                await self._file.close()

    async def flush(self) -> None:
        """Writes what is kept."""
        await self._call("flush")

    async def isatty(self) -> bool:
        """Whether it is a terminal: never."""
        return bool(await self._call("isatty"))

    async def readable(self) -> bool:
        """Whether it can be read."""
        return bool(await self._call("readable"))

    async def writable(self) -> bool:
        """Whether it can be written."""
        return bool(await self._call("writable"))

    async def seekable(self) -> bool:
        """Whether it has a position that can be set: always."""
        return bool(await self._call("seekable"))

    async def read(self, *arguments: Any) -> Any:
        """As of any file."""
        return await self._call("read", *arguments)

    async def readline(self, *arguments: Any) -> Any:
        """As of any file."""
        return await self._call("readline", *arguments)

    async def readlines(self, *arguments: Any) -> Any:
        """As of any file."""
        return await self._call("readlines", *arguments)

    async def seek(self, *arguments: Any) -> Any:
        """As of any file."""
        return await self._call("seek", *arguments)

    async def tell(self) -> Any:
        """As of any file."""
        return await self._call("tell")

    async def truncate(self, size: int | None = None) -> Any:
        """As of any file."""
        return await self._call("truncate", size)

    async def write(self, data: Any) -> int:
        """As of any file."""
        return int(await self._call("write", data))

    async def writelines(self, lines: _Iterable[Any]) -> None:
        """As of any file."""
        await self._call("writelines", list(lines))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if line := await self.readline():
            return line
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._now.closed)

    @property
    def mode(self) -> str:
        """What it was opened with."""
        return str(self._mode)

    @property
    def name(self) -> Any:
        """The descriptor's number, or None while it is in memory."""
        return None if self._file is None else self._file.name

    @property
    def encoding(self) -> Any:
        """The name of the encoding of text."""
        return self._now.encoding

    @property
    def errors(self) -> Any:
        """What becomes of what cannot be encoded."""
        return self._now.errors

    @property
    def newlines(self) -> Any:
        """Which ends of lines were seen."""
        return self._now.newlines


def SpooledTemporaryFile(  # noqa: N802
    max_size: int = 0,
    mode: str = "w+b",
    buffering: int = -1,
    encoding: str | None = None,
    newline: str | None = None,
    suffix: Any = None,
    prefix: Any = None,
    dir: Any = None,
    *,
    errors: str | None = None,
    loop: object = None,
    executor: object = None,
) -> _Opening[Any]:
    """A file in memory until it is longer than `max_size` bytes, or for ever with 0."""
    arguments = (mode, buffering, encoding, newline, errors, suffix, prefix, dir)

    async def opens() -> SpooledFile:
        return SpooledFile(max_size, arguments)

    return _Opening(opens)


class Folder:
    """A folder that is going to be removed with what it holds."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def __repr__(self) -> str:
        return f"<pyuv.asyncio.fs.tempfile.Folder {self.name!r}>"

    @property
    def name(self) -> Any:
        """Its path."""
        return self._made.name

    async def cleanup(self) -> None:
        """Removes it."""
        await _in_pool(self._made.cleanup)

    async def close(self) -> None:
        """The same as `cleanup()`."""
        await self.cleanup()


class _TemporaryFolder:
    """A folder that is to be made: by ``await``, or by ``async with``, which gives its path."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        self._folder: Folder | None = None

    async def _make(self) -> Folder:
        # One that nobody waits for any more is removed.
        return Folder(
            await _in_pool(
                lambda: _tempfile.TemporaryDirectory(**self._arguments), dispose=lambda made: made.cleanup()
            )
        )

    def __await__(self) -> _Generator[Any, None, Folder]:
        return self._make().__await__()

    async def __aenter__(self) -> Any:
        self._folder = await self._make()
        return self._folder.name

    async def __aexit__(self, *exception: object) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            await folder.cleanup()


def TemporaryDirectory(  # noqa: N802
    suffix: Any = None,
    prefix: Any = None,
    dir: Any = None,
    ignore_cleanup_errors: bool = False,
    *,
    delete: bool = True,
    loop: object = None,
    executor: object = None,
) -> _TemporaryFolder:
    """A new folder: ``async with`` gives its path, and removes it with everything in it in the end."""
    arguments = {
        "suffix": suffix,
        "prefix": prefix,
        "dir": dir,
        "ignore_cleanup_errors": ignore_cleanup_errors,
    }
    if _sys.version_info >= (3, 12):
        arguments["delete"] = delete
    return _TemporaryFolder(arguments)
