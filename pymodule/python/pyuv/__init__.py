"""libuv and c-ares for Python: one loop for sockets, timers, processes, files and DNS."""

from . import errno, error
from ._pyuv import __version__

__all__ = ["__version__", "errno", "error"]
