"""Files, awaited from trio's tasks: every operation of ``pyuv.fs``, ``open``, trees, paths, and ``watch``.

What :mod:`pyuv.asyncio.fs` is for asyncio. It stands on libuv's requests, not on threads of Python's. A task
that is cancelled takes its request back; one that has begun is not waited for, and what it opens is closed.
"""

from .._awaited import fs as _fs
from .._awaited.fs import *  # noqa: F403
from . import _host as _host

__all__ = _fs.__all__
