"""libuv and c-ares for Python: one loop for sockets, timers, processes, files and DNS."""

from . import _pyuv, dns, errno, error, fs, thread, util
from ._pyuv import (
    ARES_VERSION,
    LIBUV_VERSION,
    Async,
    Check,
    Handle,
    Idle,
    Loop,
    LoopMetrics,
    Poll,
    Prepare,
    Signal,
    Timer,
    WorkRequest,
    __version__,
)

globals().update({name: getattr(_pyuv, name) for name in _pyuv.constants})

__all__ = [
    "ARES_VERSION",
    "LIBUV_VERSION",
    "Async",
    "Check",
    "Handle",
    "Idle",
    "Loop",
    "LoopMetrics",
    "Poll",
    "Prepare",
    "Signal",
    "Timer",
    "WorkRequest",
    "__version__",
    "dns",
    "errno",
    "error",
    "fs",
    "thread",
    "util",
    *_pyuv.constants,
]
