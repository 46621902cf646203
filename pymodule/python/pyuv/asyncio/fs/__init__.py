"""Files, awaited: every operation of ``pyuv.fs`` on the running event loop of ``pyuv.asyncio``, and ``open``.

It stands on libuv's requests, not on threads of Python's: nothing waits for the interpreter but the loop's
own thread. A task that is cancelled takes its request back.

The modules ``os``, ``ospath`` and ``tempfile`` in here have aiofiles' names.
"""

import importlib as _importlib
from typing import Any as _Any

from ..._awaited.fs import operations as _operations
from ..._awaited.fs.binary import BinaryFile, RawFile
from ..._awaited.fs.filters import BaseFilter, Change, DefaultFilter, PythonFilter
from ..._awaited.fs.folders import scandir, walk
from ..._awaited.fs.opening import open
from ..._awaited.fs.operations import *  # noqa: F403
from ..._awaited.fs.path import AsyncPath
from ..._awaited.fs.text import TextFile
from ..._awaited.fs.watch import awatch, watch
from ..._awaited.fs.whole import read_bytes, read_text, write_bytes, write_text
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
