"""Positions in text files, the numbers that ``tell`` gives: the same that io.TextIOWrapper has.

A decoder may be in the middle of something: it may have seen half a character, a byte order mark, or a "\\r"
that may be half the end of a line. A position therefore says where in the file a decoder has to begin, in
which state, how many bytes to feed it, and how many characters of what that gives are before the position.
"""

import codecs
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

_WORD = (1 << 64) - 1


class Cookie(NamedTuple):
    """What such a number says."""

    position: int
    flags: int = 0
    feed: int = 0
    skip: int = 0
    final: bool = False

    @classmethod
    def of(cls, number: int) -> Self:
        """Reads a number."""
        words = [number >> (64 * place) & _WORD for place in range(4)]
        return cls(words[0], words[1], words[2], words[3], bool(number >> 256))

    def number(self) -> int:
        """Writes it."""
        position, flags, feed, skip, final = self
        return position | flags << 64 | feed << 128 | skip << 192 | int(final) << 256


class Block(NamedTuple):
    """What was decoded in one go."""

    #: The decoder's state before it.
    flags: int
    #: The bytes, with those before them that the decoder had not been done with.
    data: bytes
    #: How many those are.
    pending: int
    #: How many characters came of it.
    length: int
    #: Whether that was the end of the file.
    final: bool


def cookie_of(
    end: int, blocks: Sequence[Block], unread: int, decoder: Callable[[], codecs.IncrementalDecoder]
) -> int:
    """The number for a position, `unread` characters before where the blocks end, which is at byte `end`."""
    position = end
    for block in reversed(blocks):
        position -= len(block.data) - block.pending
        if unread <= block.length:
            break
        unread -= block.length
    skip = max(0, block.length - unread)
    return _within(block, position - block.pending, skip, decoder()).number()


def _within(block: Block, position: int, skip: int, decoder: codecs.IncrementalDecoder) -> Cookie:
    """Where a decoder has to begin for the character number `skip` of a block that begins at `position`."""
    if not skip:
        return Cookie(position, block.flags)
    # The shortest piece that has so many characters; halves are fed once, from states that are remembered.
    low, high = 0, len(block.data)
    count = 0
    state = (b"", block.flags)
    while low < high:
        middle = (low + high) // 2
        decoder.setstate(state)
        more = len(decoder.decode(block.data[low:middle]))
        if count + more < skip and middle > low:
            low, count, state = middle, count + more, decoder.getstate()
        elif middle == low:
            break
        else:
            high = middle
    decoder.setstate(state)
    more = len(decoder.decode(block.data[low:high]))
    pending, flags = decoder.getstate()
    if count + more == skip and not pending:
        return Cookie(position + high, flags)
    # In the middle of something: from where nothing was pending, some bytes further.
    start = low - len(state[0])
    begun = _count(decoder, block, start)
    final = block.final and count + more < skip
    return Cookie(position + start, state[1], high - start, skip - begun, final)


def _count(decoder: codecs.IncrementalDecoder, block: Block, size: int) -> int:
    decoder.setstate((b"", block.flags))
    return len(decoder.decode(block.data[:size]))
