"""What ``pyuv.asyncio`` has in the extension."""

import sys

if sys.implementation.name == "pypy":
    raise ImportError("pyuv.asyncio is not supported on PyPy")

from .._pyuv.asyncio import Scheduler, StreamCore, use_handles, use_transport

__all__ = ["Scheduler", "StreamCore", "use_handles", "use_transport"]
