"""Files, awaited: every operation of ``pyuv.fs`` on the running event loop of ``pyuv.asyncio``.

It stands on libuv's requests, not on threads of Python's: nothing waits for the interpreter but the loop's
own thread. A task that is cancelled takes its request back.
"""

from . import _operations
from ._binary import BinaryFile, RawFile
from ._folders import scandir, walk
from ._open import open
from ._operations import *  # noqa: F403
from ._text import TextFile

__all__ = [*_operations.__all__, "BinaryFile", "RawFile", "TextFile", "open", "scandir", "walk"]
