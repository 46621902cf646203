"""Files, awaited: every operation of ``pyuv.fs`` on the running event loop of ``pyuv.asyncio``.

It stands on libuv's requests, not on threads of Python's: nothing waits for the interpreter but the loop's
own thread. A task that is cancelled takes its request back.
"""

from . import _operations
from ._folders import scandir, walk
from ._operations import *  # noqa: F403

__all__ = [*_operations.__all__, "scandir", "walk"]
