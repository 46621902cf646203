"""libuv's error codes: ``UV_ENOENT`` and its kin, ``errorcode`` and ``strerror``."""

from ._pyuv import errorcode, strerror

globals().update({name: code for code, name in errorcode.items()})

__all__ = ["errorcode", "strerror", *errorcode.values()]
