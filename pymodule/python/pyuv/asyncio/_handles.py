"""What the event loop makes its handles of."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

import asyncio
import sys

from ._scheduler import use_handles

__all__ = ["Handle", "ThreadSafeHandle", "TimerHandle"]


class Handle(asyncio.Handle):
    """``asyncio.Handle``, made and called without a line of Python."""

    __slots__ = ()


class TimerHandle(asyncio.TimerHandle):
    """``asyncio.TimerHandle``, in the same way."""

    __slots__ = ()


if sys.version_info >= (3, 14):

    class ThreadSafeHandle(asyncio.events._ThreadSafeHandle):
        """What ``call_soon_threadsafe`` gives."""

        __slots__ = ()
else:
    ThreadSafeHandle = None

use_handles(Handle, TimerHandle, ThreadSafeHandle)
