"""Files, awaited: every operation of ``pyuv.fs`` on the running event loop of ``pyuv.asyncio``, and ``open``.

It stands on libuv's requests, not on threads of Python's: nothing waits for the interpreter but the loop's
own thread. A task that is cancelled takes its request back.

The modules ``os``, ``ospath`` and ``tempfile`` in here have aiofiles' names.
"""

import importlib as _importlib
from typing import Any as _Any

from . import _operations
from ._binary import BinaryFile, RawFile
from ._filters import BaseFilter, Change, DefaultFilter, PythonFilter
from ._folders import scandir, walk
from ._open import open
from ._operations import *  # noqa: F403
from ._path import AsyncPath
from ._text import TextFile
from ._watch import awatch, watch
from ._whole import read_bytes, read_text, write_bytes, write_text
from ._wrapped import (
    WrappedFile,
    stderr,
    stderr_bytes,
    stdin,
    stdin_bytes,
    stdout,
    stdout_bytes,
    wrap_file,
)

__all__ = [
    *_operations.__all__,
    "AsyncPath",
    "BaseFilter",
    "Change",
    "DefaultFilter",
    "PythonFilter",
    "awatch",
    "watch",
    "BinaryFile",
    "RawFile",
    "TextFile",
    "WrappedFile",
    "open",
    "read_bytes",
    "read_text",
    "scandir",
    "stderr",
    "stderr_bytes",
    "stdin",
    "stdin_bytes",
    "stdout",
    "stdout_bytes",
    "walk",
    "wrap_file",
    "write_bytes",
    "write_text",
]


def __getattr__(name: str) -> _Any:
    if name not in ("os", "ospath", "tempfile"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _importlib.import_module(f".{name}", __name__)
