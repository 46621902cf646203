"""What ``pyuv.asyncio`` has in the extension."""

import sys

if sys.implementation.name == "pypy":
    raise ImportError("pyuv.asyncio is not supported on PyPy")

from .._pyuv.asyncio import (
    DatagramCore,
    Scheduler,
    StreamCore,
    TLSCore,
    use_datagrams,
    use_handles,
    use_tls,
    use_transport,
)

__all__ = [
    "DatagramCore",
    "Scheduler",
    "StreamCore",
    "TLSCore",
    "use_datagrams",
    "use_handles",
    "use_tls",
    "use_transport",
]
