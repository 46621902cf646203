"""Files, awaited: every operation of ``pyuv.fs`` on the running event loop of ``pyuv.asyncio``, and ``open``.

It stands on libuv's requests, not on threads of Python's: nothing waits for the interpreter but the loop's
own thread. A task that is cancelled takes its request back.

The modules ``os``, ``ospath`` and ``tempfile`` in here have aiofiles' names.
"""

import importlib as _importlib
from typing import Any as _Any

from ..._awaited import fs as _fs
from ..._awaited.fs import *  # noqa: F403
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
    *_fs.__all__,
    "WrappedFile",
    "stderr",
    "stderr_bytes",
    "stdin",
    "stdin_bytes",
    "stdout",
    "stdout_bytes",
    "wrap_file",
]


def __getattr__(name: str) -> _Any:
    if name not in ("os", "ospath", "tempfile"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _importlib.import_module(f".{name}", __name__)
