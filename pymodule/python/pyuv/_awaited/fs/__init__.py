"""Files, awaited: what the packages ``fs`` of ``pyuv.asyncio`` and of ``pyuv.trio`` have in common."""

from . import operations
from .binary import BinaryFile, RawFile
from .filters import BaseFilter, Change, DefaultFilter, PythonFilter
from .folders import scandir, walk
from .opening import open
from .operations import *  # noqa: F403
from .path import AsyncPath
from .text import TextFile
from .watch import awatch, watch
from .whole import read_bytes, read_text, write_bytes, write_text

__all__ = [
    *operations.__all__,
    "AsyncPath",
    "BaseFilter",
    "BinaryFile",
    "Change",
    "DefaultFilter",
    "PythonFilter",
    "RawFile",
    "TextFile",
    "awatch",
    "open",
    "read_bytes",
    "read_text",
    "scandir",
    "walk",
    "watch",
    "write_bytes",
    "write_text",
]
