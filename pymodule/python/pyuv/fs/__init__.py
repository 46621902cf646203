"""libuv's filesystem operations: at once without a callback, on the loop with one."""

import math as _math

from .. import _pyuv

# libuv's UV_FS_UTIME_NOW and UV_FS_UTIME_OMIT.
UTIME_NOW = _math.inf
UTIME_OMIT = _math.nan

_fs = _pyuv.fs

globals().update({name: getattr(_fs, name) for name in _fs.__all__})
globals().update({name: getattr(_pyuv, name) for name in _pyuv.fs_constants})

__all__ = ["UTIME_NOW", "UTIME_OMIT", *_fs.__all__, *_pyuv.fs_constants]
