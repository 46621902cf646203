"""pyuv inside trio: files, DNS, processes and watching, awaited from trio's tasks with trio's cancellation.

Each ``trio.run`` has a :class:`pyuv.Loop` as soon as something of this is used: turned by trio, and closed
with it.
"""

from . import dns, fs
from ._host import current_loop

__all__ = ["current_loop", "dns", "fs"]
