"""pyuv inside trio: files, DNS, processes and watching, awaited from trio's tasks with trio's cancellation.

Each ``trio.run`` has a :class:`pyuv.Loop` as soon as something of this is used: turned by trio, and closed
with it.
"""

from . import dns as dns
from . import fs as fs
from ._host import current_loop
from ._process import Process, open_process, run_process

__all__ = ["Process", "current_loop", "open_process", "run_process"]
