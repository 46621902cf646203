"""Files that are open already, as the io module has them: their methods on a thread of libuv's pool."""

import sys
from collections.abc import Callable
from typing import Any, Self

from ..._awaited.requests import in_pool

_BLOCKING = frozenset(
    (
        *("close", "flush", "isatty", "readable", "seek", "seekable", "tell", "truncate", "writable"),
        *("peek", "read", "read1", "readall", "readinto", "readinto1", "readline", "readlines"),
        *("write", "writelines"),
    )
)


class WrappedFile:
    """A file of the io module, or what is like one: what may block is awaited, the rest is its own."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._find(), name)
        if name not in _BLOCKING:
            return found

        async def method(*arguments: Any, **keywords: Any) -> Any:
            return await in_pool(lambda: found(*arguments, **keywords))

        return method

    def __repr__(self) -> str:
        return f"<pyuv.asyncio.fs.WrappedFile of {self._find()!r}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if line := await in_pool(self._find().readline):
            return line
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def aclose(self) -> None:
        """The same as `close()`: anyio's name."""
        await self.close()

    @property
    def wrapped(self) -> Any:
        """The file."""
        return self._find()


def wrap_file(file: Any) -> WrappedFile:
    """A file that is open already, such as one of another library's, to be awaited."""
    return WrappedFile(lambda: file)


# Whatever sys.stdin and its like are when they are used.
stdin = WrappedFile(lambda: sys.stdin)
stdout = WrappedFile(lambda: sys.stdout)
stderr = WrappedFile(lambda: sys.stderr)
stdin_bytes = WrappedFile(lambda: sys.stdin.buffer)
stdout_bytes = WrappedFile(lambda: sys.stdout.buffer)
stderr_bytes = WrappedFile(lambda: sys.stderr.buffer)
