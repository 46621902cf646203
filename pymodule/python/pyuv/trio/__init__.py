"""pyuv inside trio: files, DNS and watching, awaited from trio's tasks with trio's cancellation.

Each ``trio.run`` has a :class:`pyuv.Loop` as soon as something of this is used: turned by trio, and closed
with it.
"""

from . import dns as dns
from . import fs as fs
from ._host import current_loop

__all__ = ["current_loop"]
