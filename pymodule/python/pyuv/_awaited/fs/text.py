"""Text files: a binary file, and what decodes and encodes what goes through it."""

import codecs
import io
import os
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple, Self

from .ahead import WINDOW, Ahead, AnyEnd, LineEnd, Newline, OtherEnd
from .binary import BinaryFile, until
from .cookie import Block, Cookie, cookie_of


class Convention(NamedTuple):
    """How text is told from bytes: the encoding, errors and newline of ``open``, after all defaults."""

    encoding: str
    errors: str
    newline: str | None

    @classmethod
    def of(cls, encoding: str | None, errors: str | None, newline: str | None) -> Self:
        """What io.TextIOWrapper makes of it. ValueError, TypeError or LookupError of what makes no sense."""
        wrapper = io.TextIOWrapper(io.BytesIO(), encoding, errors, newline)
        return cls(wrapper.encoding, wrapper.errors or "strict", newline)

    def end(self) -> LineEnd[str]:
        """Where lines end, of text that was decoded."""
        if self.newline == "":
            return AnyEnd()
        return Newline("\n") if self.newline in (None, "\n") else OtherEnd(self.newline or "")

    def decoder(self) -> codecs.IncrementalDecoder:
        """A new decoder, which translates ends of lines or holds a "\\r" back that may be half of one."""
        decoder = codecs.getincrementaldecoder(self.encoding)(self.errors)
        if self.newline:
            return decoder
        return io.IncrementalNewlineDecoder(decoder, translate=self.newline is None)  # type: ignore[return-value]

    def encoder(self) -> codecs.IncrementalEncoder:
        """A new encoder."""
        return codecs.getincrementalencoder(self.encoding)(self.errors)

    def written(self, text: str) -> str:
        """The text with the ends of lines that go into the file."""
        newline = os.linesep if self.newline is None else self.newline
        return text.replace("\n", newline) if newline not in ("", "\n") else text


class TextFile:
    """A text file. Several tasks may use it at once: each call is done as a whole, in turn."""

    def __init__(
        self, buffer: BinaryFile, mode: str, convention: Convention, *, line_buffering: bool
    ) -> None:
        self._buffer: BinaryFile = buffer
        self._turn = buffer._descriptor
        self._mode = mode
        self._convention = convention
        self._line_buffering = line_buffering
        self._ahead = Ahead("", convention.end())
        self._decoder = convention.decoder()
        self._encoder = convention.encoder()
        # What the unread text was decoded from.
        self._blocks: deque[Block] = deque()
        if buffer._writes and self._turn.seekable and self._turn.position():
            # A byte order mark is for the start of a file.
            self._encoder.setstate(0)

    def __repr__(self) -> str:
        encoding = f"encoding={self.encoding!r}"
        return f"<TextFile name={self.name!r} mode={self.mode!r} {encoding}>"

    async def __aenter__(self) -> Self:
        self._check()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def _check(self, ability: str = "") -> None:
        if self._buffer is None:
            raise ValueError("underlying buffer has been detached")
        self._buffer._check(ability)

    # Reading, by whose turn it is

    async def _begin_reading(self) -> None:
        self._check("read")
        await self._buffer._begin_reading()

    async def _fill(self, least: int) -> bool:
        """Decodes a piece of so many bytes or more, if there are; whether there was anything to decode."""
        buffer = self._buffer
        there = bool(buffer._ahead) or await buffer._fill(least)
        self._decode(buffer._ahead.take(max(WINDOW, least)), final=not there)
        return there

    def _decode(self, data: bytes, *, final: bool) -> None:
        pending, flags = self._decoder.getstate()
        text = self._decoder.decode(data, final)
        unread = len(self._ahead)
        blocks = self._blocks
        while len(blocks) > 1 and sum(block.length for block in blocks) - blocks[0].length >= unread:
            blocks.popleft()
        blocks.append(Block(flags, pending + data, len(pending), len(text), final))
        if text:
            self._ahead.feed(text)

    async def _read_line(self, limit: int) -> str:
        while (line := self._ahead.take_line(limit)) is None:
            if not await self._fill(len(self._ahead)):
                # What was held back may have an end.
                line = self._ahead.take_line(limit)
                return self._take_rest() if line is None else line
        return line

    def _take_rest(self) -> str:
        """What is behind the last end of a line. A position there is one of the file's."""
        self._blocks.clear()
        return self._ahead.take_all()

    async def _split(self) -> bool:
        while not self._ahead.split():
            if not await self._fill(len(self._ahead)):
                return self._ahead.split()
        return True

    def _forget_unread(self) -> None:
        self._ahead.clear()
        self._blocks.clear()

    # Reading

    async def read(self, size: int | None = -1) -> str:
        """`size` characters, fewer only at the end of the file; everything with -1."""
        async with self._turn:
            await self._begin_reading()
            if size is None or size < 0:
                await self._buffer._fill_all()
                data = self._buffer._ahead.take_all()
                text = self._decoder.decode(data, final=True)
                ahead = self._ahead.take_all()
                self._blocks.clear()
                return ahead + text
            while (missing := size - len(self._ahead)) > 0 and await self._fill(missing):
                pass
            return self._ahead.take(size)

    async def readline(self, size: int | None = -1) -> str:
        """A line with its end, at most `size` characters of it; "" at the end of the file."""
        async with self._turn:
            await self._begin_reading()
            return await self._read_line(-1 if size is None else size)

    async def readlines(self, hint: int | None = -1) -> list[str]:
        """Lines, all of them or until they have `hint` characters."""
        if hint is None or hint <= 0:
            return list(self._convention.end().lines(await self.read()))
        return [line async for line in until(self, hint)]

    def __aiter__(self) -> Self:
        self._check()
        return self

    async def __anext__(self) -> str:
        # Nearly always there is one.
        for line in self._ahead.lines:
            return line
        return await self._next_line()

    async def _next_line(self) -> str:
        async with self._turn:
            await self._begin_reading()
            if await self._split():
                return next(self._ahead.lines)
            if rest := self._take_rest():
                return rest
        raise StopAsyncIteration

    async def batches(self) -> AsyncIterator[list[str]]:
        """Lines, many at a time: as lists of those that are in memory."""
        while True:
            async with self._turn:
                await self._begin_reading()
                lines = list(self._ahead.lines) if await self._split() else [self._take_rest()]
            if lines == [""]:
                return
            yield lines

    # Writing

    async def write(self, text: str) -> int:
        """Writes text: to memory, and from there to the file when enough has come together.

        Gives how many characters that are.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        async with self._turn:
            self._check("write")
            buffer = self._buffer
            data = self._encoder.encode(self._convention.written(text))
            if self._blocks:
                self._forget_unread()
                self._decoder.reset()
            if data:
                buffer._keep(data)
            if buffer._kept_size > buffer._buffer_size or (
                self._line_buffering and ("\n" in text or "\r" in text)
            ):
                await buffer._drain()
        return len(text)

    async def writelines(self, lines: Iterable[str]) -> None:
        """Writes one after the other. Ends of lines are up to them."""
        self._check()
        for line in lines:
            await self.write(line)

    async def flush(self) -> None:
        """Writes what is in memory to the file."""
        self._check()
        await self._buffer.flush()

    # The position, and the length

    def _check_seekable(self) -> None:
        self._check()
        if not self._turn.seekable:
            raise io.UnsupportedOperation("underlying stream is not seekable")

    async def tell(self) -> int:
        """The position, for `seek`: a number of bytes, or more than that where a decoder has a state."""
        async with self._turn:
            self._check_seekable()
            await self._buffer._drain()
            position = self._buffer._tell()
            if not self._blocks:
                return position
            return cookie_of(position, self._blocks, len(self._ahead), self._convention.decoder)

    async def seek(self, cookie: int, whence: int = os.SEEK_SET) -> int:
        """Moves to where `tell` was called, to the start (0), or to the end (0, os.SEEK_END)."""
        if whence == os.SEEK_CUR:
            if cookie:
                raise io.UnsupportedOperation("can't do nonzero cur-relative seeks")
            cookie = await self.tell()
        elif whence == os.SEEK_END:
            if cookie:
                raise io.UnsupportedOperation("can't do nonzero end-relative seeks")
        elif whence != os.SEEK_SET:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        elif cookie < 0:
            raise ValueError(f"negative seek position {cookie}")
        async with self._turn:
            self._check_seekable()
            buffer = self._buffer
            if whence == os.SEEK_END:
                end = await buffer._seek(0, os.SEEK_END)
                self._start_anew(end)
                return end
            wanted = Cookie.of(cookie)
            await buffer._seek(wanted.position, os.SEEK_SET)
            self._start_anew(cookie)
            if cookie:
                # Behind the start no byte order mark is looked for.
                self._decoder.setstate((b"", wanted.flags))
                self._blocks.append(Block(wanted.flags, b"", 0, 0, final=False))
            if wanted.skip or wanted.feed:
                while len(buffer._ahead) < wanted.feed and await buffer._fill(wanted.feed):
                    pass
                self._decode(buffer._ahead.take(wanted.feed), final=wanted.final)
                if len(self._ahead) < wanted.skip:
                    raise OSError("can't restore logical file position")
                self._ahead.take(wanted.skip)
            return cookie

    def _start_anew(self, cookie: int) -> None:
        self._forget_unread()
        self._decoder.reset()
        self._encoder.setstate(0) if cookie else self._encoder.reset()

    async def truncate(self, size: int | None = None) -> int:
        """Cuts the file, or fills it up with zeros, to `size` bytes, or to where its buffer stands."""
        self._check()
        return await self._buffer.truncate(size)

    # What is below

    @property
    def buffer(self) -> BinaryFile:
        """The binary file. What is in this one's memory it does not know of."""
        self._check()
        return self._buffer

    def detach(self) -> BinaryFile:
        """Gives the binary file, and is of no use any more."""
        self._check()
        buffer, self._buffer = self._buffer, None  # type: ignore[assignment]
        return buffer

    @property
    def encoding(self) -> str:
        """The name of the encoding."""
        return self._convention.encoding

    @property
    def errors(self) -> str:
        """What becomes of what cannot be decoded or encoded."""
        return self._convention.errors

    @property
    def newlines(self) -> Any:
        """Which ends of lines were seen, of "\\n", "\\r" and "\\r\\n": None, one, or several in a tuple."""
        return getattr(self._decoder, "newlines", None)

    @property
    def line_buffering(self) -> bool:
        """Whether the end of a line flushes, as of a terminal."""
        return self._line_buffering

    @property
    def write_through(self) -> bool:
        """Whether nothing is kept in memory: never so."""
        return False

    @property
    def name(self) -> Any:
        """The path that was given, or the number."""
        return self._turn.name

    @property
    def mode(self) -> str:
        """What it was opened with."""
        return self._mode

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._turn.closed

    def fileno(self) -> int:
        """The descriptor's number."""
        self._check()
        return self._buffer.fileno()

    async def isatty(self) -> bool:
        """Whether it is a terminal."""
        self._check()
        return await self._buffer.isatty()

    async def readable(self) -> bool:
        """Whether it can be read."""
        self._check()
        return await self._buffer.readable()

    async def writable(self) -> bool:
        """Whether it can be written."""
        self._check()
        return await self._buffer.writable()

    async def seekable(self) -> bool:
        """Whether it has a position that can be set."""
        self._check()
        return await self._buffer.seekable()

    async def close(self) -> None:
        """Writes what is kept, and closes the file. A second time does nothing."""
        if self._buffer is not None:
            await self._buffer.close()
            self._ahead.clear()

    async def aclose(self) -> None:
        """The same as `close()`: anyio's name."""
        await self.close()
