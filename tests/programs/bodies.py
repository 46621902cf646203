"""What is sent, and compared with what arrives."""

import asyncio
import random


def data(size, seed=1):
    """So many bytes, the same each time."""
    return random.Random(seed).randbytes(size)


async def pieces(body, size=70_000):
    """The body of a request, piece by piece; others have their turn between."""
    for offset in range(0, len(body), size):
        await asyncio.sleep(0)
        yield body[offset : offset + size]
