"""Binary files: buffered, and as they are."""

import io
import os
import warnings
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, Self

from ... import fs
from ..host import running
from .ahead import Ahead, Newline
from .descriptor import Descriptor

if TYPE_CHECKING:
    from typing_extensions import Buffer

SMALL_BLOCK = 8 * 1024
LARGE_BLOCK = 256 * 1024
"""How much is read at a time, in bytes: the small block at first and after a seek, twice as much each time
a whole block was there, up to the large one."""

WRITE_BUFFER = 64 * 1024
"""How many bytes are kept before they are written."""

_NEWLINE = Newline(b"\n")
_PIECES = 16
"""More pieces than this are joined before they are written: to lend each costs more."""

_MOST = 1 << 30
"""The longest read, in bytes. The system does not do much more in one call."""


class OpenFile:
    """What all files have: a descriptor, a mode, and an end."""

    def __init__(self, descriptor: Descriptor, mode: str) -> None:
        self._descriptor = descriptor
        self._mode = mode
        self._reads = "r" in mode or "+" in mode
        self._writes = mode[0] != "r" or "+" in mode
        # Of a file that is another one's, it is the other that is closed.
        self._owns = True

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} name={self.name!r} mode={self.mode!r}>"

    async def __aenter__(self) -> Self:
        self._check()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None and self._owns and descriptor.is_lost:
            warnings.warn(f"unclosed file {self!r}", ResourceWarning, stacklevel=2, source=self)
            self._save()
            descriptor.close_now()

    def _save(self) -> None:
        """Writes what is kept, when nobody can await it any more."""

    def _check(self, ability: str = "") -> None:
        """ValueError of a closed file, UnsupportedOperation of one that cannot be read, or written."""
        if self._descriptor.closed:
            raise ValueError("I/O operation on closed file.")
        if (ability == "read" and not self._reads) or (ability == "write" and not self._writes):
            raise io.UnsupportedOperation(ability)

    def _check_seekable(self) -> None:
        self._check()
        if not self._descriptor.seekable:
            raise io.UnsupportedOperation("File or stream is not seekable.")

    @property
    def name(self) -> Any:
        """The path that was given, or the number."""
        return self._descriptor.name

    @property
    def mode(self) -> str:
        """How it is open, as the io module would say it: "rb", "rb+", "wb", "xb" or "ab" and so on."""
        return self._mode

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._descriptor.closed

    def fileno(self) -> int:
        """The descriptor's number."""
        self._check()
        return self._descriptor.fd

    async def isatty(self) -> bool:
        """Whether it is a terminal."""
        self._check()
        return os.isatty(self._descriptor.fd)

    async def readable(self) -> bool:
        """Whether it can be read."""
        self._check()
        return self._reads

    async def writable(self) -> bool:
        """Whether it can be written."""
        self._check()
        return self._writes

    async def seekable(self) -> bool:
        """Whether it has a position that can be set."""
        self._check()
        return self._descriptor.seekable

    async def close(self) -> None:
        """Writes what is kept, and closes the file (`uv_fs_close`). A second time does nothing.

        It is closed whatever the error, and whether or not the task is cancelled meanwhile.
        """
        descriptor = self._descriptor
        if isinstance(descriptor, _Detached) or descriptor.closed:
            return
        if descriptor.reads_for_nobody:
            descriptor.close_later()
            return
        if descriptor.taken or self._keeps():
            await running()._finish(self._finish())
        else:
            await descriptor.close()
        self._forget()

    async def aclose(self) -> None:
        """The same as `close()`: anyio's name."""
        await self.close()

    async def _finish(self) -> None:
        async with self._descriptor:
            if self._descriptor.closed:
                return
            try:
                await self._drain()
            finally:
                await self._descriptor.close()

    def _keeps(self) -> bool:
        """Whether there is something to write."""
        return False

    def _forget(self) -> None:
        """Lets go of what was read ahead."""

    async def _drain(self) -> None:
        """Writes what is kept."""


class RawFile(OpenFile):
    """A binary file without a buffer (``buffering=0``): a call is one request, and may do less than asked."""

    async def _read(self, size: int) -> bytes:
        """At most so many bytes, once. What comes for nobody is put back."""
        arrived: list[bytes] = []
        wanted = True

        def told(block: bytes) -> None:
            if wanted:
                arrived.append(block)
            else:
                self._put_back(len(block))

        try:
            await self._descriptor.ask(fs.read, size, told=told)
        except BaseException:
            wanted = False
            self._put_back(sum(map(len, arrived)))
            raise
        return arrived[0]

    def _put_back(self, count: int) -> None:
        if count and self._descriptor.seekable:
            self._descriptor.move(-count, os.SEEK_CUR)

    async def read(self, size: int | None = -1) -> bytes:
        """At most `size` bytes, b"" at the end of the file; everything with -1."""
        if size is None or size < 0:
            return await self.readall()
        async with self._descriptor:
            self._check("read")
            return await self._read(size)

    async def readall(self) -> bytes:
        """Everything up to the end of the file."""
        async with self._descriptor:
            self._check("read")
            blocks: list[bytes] = []
            size = max(SMALL_BLOCK, min(self._descriptor.size + 1, _MOST))
            try:
                while block := await self._read(size):
                    blocks.append(block)
            except BaseException:
                self._put_back(sum(map(len, blocks)))
                raise
            return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    async def readinto(self, buffer: "Buffer") -> int:
        """Reads once into writable memory, and gives how many bytes arrived: 0 at the end of the file."""
        memory = memoryview(buffer).cast("B")
        block = await self.read(len(memory))
        memory[: len(block)] = block
        return len(block)

    async def readline(self, size: int | None = -1) -> bytes:
        """A line with its end, at most `size` bytes of it; b"" at the end of the file."""
        limit = -1 if size is None else size
        async with self._descriptor:
            self._check("read")
            line = bytearray()
            # What is read too much is put back, and of a pipe nothing can be.
            size = SMALL_BLOCK if self._descriptor.seekable else 1
            try:
                while (limit < 0 or len(line) < limit) and (block := await self._read(size)):
                    end = block.find(b"\n") + 1 or len(block)
                    if limit >= 0:
                        end = min(end, limit - len(line))
                    line += block[:end]
                    self._put_back(len(block) - end)
                    if line.endswith(b"\n"):
                        break
            except BaseException:
                self._put_back(len(line))
                raise
            return bytes(line)

    async def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Lines, all of them or until they have `hint` bytes."""
        return [line async for line in until(self, hint)]

    def __aiter__(self) -> Self:
        self._check()
        return self

    async def __anext__(self) -> bytes:
        if line := await self.readline():
            return line
        raise StopAsyncIteration

    async def write(self, data: "Buffer") -> int:
        """Writes a bytes-like object once, and gives how many bytes went out (`uv_fs_write`)."""
        async with self._descriptor:
            self._check("write")
            count: list[int] = []
            await self._descriptor.ask(fs.write, data, told=count.append)
            return count[0]

    async def writelines(self, lines: Iterable["Buffer"]) -> None:
        """Writes one after the other."""
        self._check()
        for line in lines:
            await self.write(line)

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to so many bytes from the start, from here or from the end; gives the position."""
        async with self._descriptor:
            self._check_seekable()
            return self._descriptor.move(offset, whence)

    async def tell(self) -> int:
        """The position, in bytes."""
        async with self._descriptor:
            self._check_seekable()
            return self._descriptor.position()

    async def truncate(self, size: int | None = None) -> int:
        """Cuts the file, or fills it up with zeros, to `size` bytes, or to where it stands.

        Gives the length (`uv_fs_ftruncate`).
        """
        async with self._descriptor:
            self._check("write")
            wanted = self._descriptor.position() if size is None else size
            await self._descriptor.ask(fs.ftruncate, wanted, told=_nothing)
            return wanted

    async def flush(self) -> None:
        """Nothing is kept."""
        self._check()


class BinaryFile(OpenFile):
    """A buffered binary file. Several tasks may use it at once: each call is done as a whole, in turn."""

    def __init__(self, descriptor: Descriptor, mode: str, buffer_size: int) -> None:
        super().__init__(descriptor, mode)
        self._ahead = Ahead(b"", _NEWLINE)
        self._block = SMALL_BLOCK
        self._kept: list[bytes] = []
        self._kept_size = 0
        self._buffer_size = buffer_size

    # Reading, by whose turn it is

    async def _fill(self, least: int = 0) -> bool:
        """Reads a block ahead, of `least` bytes or more; whether there was anything."""
        asked = min(max(least, self._block), _MOST)
        # Of a small file all of it, and where it ends.
        whole = max(self._descriptor.size + 1, SMALL_BLOCK)
        if least < whole < asked:
            asked = whole
        before = len(self._ahead)
        await self._descriptor.ask(fs.read, asked, told=self._ahead.feed)
        count = len(self._ahead) - before
        if count == asked:
            self._block = min(self._block * 2, LARGE_BLOCK)
        return count > 0

    async def _fill_all(self) -> None:
        """Reads everything ahead."""
        size = self._descriptor.size
        if size:
            left = size - self._descriptor.position()
            if 0 <= left < _MOST:
                before = len(self._ahead)
                # A read that ends where the file did when it was opened, and could go on, was the last.
                await self._descriptor.ask(fs.read, left + 1, told=self._ahead.feed)
                if len(self._ahead) - before == left:
                    return
        while await self._fill(len(self._ahead)):
            pass

    async def _begin_reading(self) -> None:
        self._check("read")
        if self._kept:
            await self._drain()

    async def _read_line(self, limit: int) -> bytes:
        while (line := self._ahead.take_line(limit)) is None:
            if not await self._fill(len(self._ahead)):
                return self._ahead.take_all()
        return line

    async def _split(self) -> bool:
        """Has the buffer hold complete lines, or what is at the end of the file without one."""
        while not self._ahead.split():
            if not await self._fill(len(self._ahead)):
                return False
        return True

    # Reading

    async def read(self, size: int | None = -1) -> bytes:
        """`size` bytes, fewer only at the end of the file; everything with -1."""
        async with self._descriptor:
            await self._begin_reading()
            if size is None or size < 0:
                await self._fill_all()
                return self._ahead.take_all()
            while (missing := size - len(self._ahead)) > 0 and await self._fill(missing):
                pass
            return self._ahead.take(size)

    async def read1(self, size: int = -1) -> bytes:
        """What is in memory, or else what one read gives, at most `size` bytes."""
        async with self._descriptor:
            await self._begin_reading()
            if size and not self._ahead:
                await self._fill(max(size, 0))
            return self._ahead.take_all() if size < 0 else self._ahead.take(size)

    async def readinto(self, buffer: "Buffer") -> int:
        """Fills writable memory, and gives how many bytes: fewer only at the end of the file."""
        memory = memoryview(buffer).cast("B")
        block = await self.read(len(memory))
        memory[: len(block)] = block
        return len(block)

    async def readinto1(self, buffer: "Buffer") -> int:
        """As `readinto`, with at most one read."""
        memory = memoryview(buffer).cast("B")
        block = await self.read1(len(memory))
        memory[: len(block)] = block
        return len(block)

    async def readall(self) -> bytes:
        """Everything up to the end of the file."""
        return await self.read()

    async def readline(self, size: int | None = -1) -> bytes:
        """A line with its end, at most `size` bytes of it; b"" at the end of the file."""
        async with self._descriptor:
            await self._begin_reading()
            return await self._read_line(-1 if size is None else size)

    async def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Lines, all of them or until they have `hint` bytes."""
        if hint is None or hint <= 0:
            return list(_NEWLINE.lines(await self.read()))
        return [line async for line in until(self, hint)]

    async def peek(self, size: int = 0) -> bytes:
        """What is in memory, or else what one read gives; it stays there."""
        async with self._descriptor:
            await self._begin_reading()
            if not self._ahead:
                await self._fill()
            return self._ahead.peek()

    def __aiter__(self) -> Self:
        self._check()
        return self

    async def __anext__(self) -> bytes:
        # Nearly always there is one.
        for line in self._ahead.lines:
            return line
        return await self._next_line()

    async def _next_line(self) -> bytes:
        async with self._descriptor:
            await self._begin_reading()
            if await self._split():
                return next(self._ahead.lines)
            if rest := self._ahead.take_all():
                return rest
        raise StopAsyncIteration

    async def batches(self) -> AsyncIterator[list[bytes]]:
        """Lines, many at a time: as lists of those that are in memory."""
        while True:
            async with self._descriptor:
                await self._begin_reading()
                lines = list(self._ahead.lines) if await self._split() else [self._ahead.take_all()]
            if lines == [b""]:
                return
            yield lines

    # Writing, by whose turn it is

    def _keep(self, data: bytes) -> None:
        if self._ahead:
            self._rewind()
        self._kept.append(data)
        self._kept_size += len(data)

    def _rewind(self) -> None:
        """Has the file stand where it seems to."""
        if self._descriptor.seekable and (count := len(self._ahead)):
            self._descriptor.move(-count, os.SEEK_CUR)
        self._ahead.clear()

    def _went_out(self, count: int) -> None:
        self._kept_size -= count
        whole = 0
        while count and count >= len(self._kept[whole]):
            count -= len(self._kept[whole])
            whole += 1
        del self._kept[:whole]
        if count:
            self._kept[0] = self._kept[0][count:]

    async def _drain(self) -> None:
        while self._kept:
            if len(self._kept) > _PIECES:
                self._kept = [b"".join(self._kept)]
            await self._descriptor.ask(fs.write, self._kept.copy(), told=self._went_out)

    def _keeps(self) -> bool:
        return bool(self._kept)

    def _forget(self) -> None:
        self._ahead.clear()

    def _save(self) -> None:
        try:
            data = memoryview(b"".join(self._kept))
            while data:
                data = data[os.write(self._descriptor.fd, data) :]
        except OSError as error:
            warnings.warn(f"{self!r} was not written whole: {error}", ResourceWarning, stacklevel=3)

    # Writing

    async def write(self, data: "Buffer") -> int:
        """Writes a bytes-like object: to memory, and from there to the file when enough has come together."""
        piece = data if type(data) is bytes else bytes(memoryview(data))
        async with self._descriptor:
            self._check("write")
            if piece:
                self._keep(piece)
                if self._kept_size > self._buffer_size:
                    await self._drain()
        return len(piece)

    async def writelines(self, lines: Iterable["Buffer"]) -> None:
        """Writes one after the other."""
        self._check()
        for line in lines:
            await self.write(line)

    async def flush(self) -> None:
        """Writes what is in memory to the file (`uv_fs_write`). To the disk it goes by `fs.fsync`."""
        async with self._descriptor:
            self._check()
            await self._drain()
            if self._writes:
                self._rewind()

    # The position, and the length

    def _tell(self) -> int:
        return self._descriptor.position() - len(self._ahead) + self._kept_size

    async def _seek(self, offset: int, whence: int) -> int:
        await self._drain()
        if whence == os.SEEK_CUR:
            offset -= len(self._ahead)
        position = self._descriptor.move(offset, whence)
        self._ahead.clear()
        self._block = SMALL_BLOCK
        return position

    async def _truncate(self, size: int | None) -> int:
        await self._drain()
        self._rewind()
        wanted = self._tell() if size is None else size
        await self._descriptor.ask(fs.ftruncate, wanted, told=_nothing)
        return wanted

    async def tell(self) -> int:
        """The position, in bytes."""
        async with self._descriptor:
            self._check_seekable()
            return self._tell()

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to so many bytes from the start, from here or from the end; gives the position."""
        if whence not in _WHENCES:
            raise ValueError(f"whence value {whence} unsupported")
        async with self._descriptor:
            self._check_seekable()
            return await self._seek(offset, whence)

    async def truncate(self, size: int | None = None) -> int:
        """Cuts the file, or fills it up with zeros, to `size` bytes, or to where it stands.

        The position stays. Gives the length (`uv_fs_ftruncate`).
        """
        async with self._descriptor:
            self._check("write")
            return await self._truncate(size)

    # What is below

    @property
    def raw(self) -> RawFile:
        """The same file without a buffer. What is in this one's memory it does not know of."""
        self._check()
        file = RawFile(self._descriptor, self._mode)
        file._owns = False
        return file

    def detach(self) -> RawFile:
        """Gives the file without the buffer, which is of no use any more. To be flushed before."""
        self._check()
        if self._kept:
            raise ValueError("there is something to be written: flush() first")
        self._rewind()
        file = RawFile(self._descriptor, self._mode)
        self._descriptor = _Detached()  # type: ignore[assignment]
        return file


_WHENCES = {
    os.SEEK_SET,
    os.SEEK_CUR,
    os.SEEK_END,
    *(getattr(os, name, 0) for name in ("SEEK_DATA", "SEEK_HOLE")),
}


class _Detached:
    """In the place of the descriptor of a file that has been detached."""

    is_lost = False

    def __getattr__(self, name: str) -> Any:
        raise ValueError("raw stream has been detached")

    async def __aenter__(self) -> None:
        raise ValueError("raw stream has been detached")

    async def __aexit__(self, *exception: object) -> None:
        pass


def _nothing(_: object) -> None:
    pass


async def until(file: Any, hint: int | None) -> AsyncIterator[Any]:
    """A file's lines, until they are so long together."""
    total = 0
    async for line in file:
        yield line
        total += len(line)
        if hint is not None and 0 < hint < total:
            return
