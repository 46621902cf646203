"""An asyncio event loop on libuv.

``run(main())`` runs a program on it, as ``asyncio.run`` does on asyncio's own. Whatever takes a loop factory
takes :func:`new_event_loop`::

    asyncio.run(main(), loop_factory=pyuv.asyncio.new_event_loop)      # Python 3.12 and later
    asyncio.Runner(loop_factory=pyuv.asyncio.new_event_loop)

and ``python -m pyuv.asyncio script.py`` runs a script that knows nothing of it.
"""

import asyncio as _asyncio
import sys as _sys
from collections.abc import Coroutine as _Coroutine
from typing import Any as _Any
from typing import Literal as _Literal
from typing import TypeVar as _TypeVar

from . import _host as _host
from ._event_loop import EventLoop
from ._metrics import Lag, Metrics
from ._slow import SlowCallback

_T = _TypeVar("_T")

__all__ = [
    "EventLoop",
    "EventLoopPolicy",
    "Lag",
    "Metrics",
    "SlowCallback",
    "install",
    "new_event_loop",
    "run",
]


def new_event_loop(*, resolver: _Literal["c-ares"] | None = None) -> EventLoop:
    """A new event loop: the loop factory of this module. ``resolver`` is as for :class:`EventLoop`."""
    return EventLoop(resolver=resolver)


def run(main: _Coroutine[_Any, _Any, _T], *, debug: bool | None = None) -> _T:
    """Runs a coroutine on a new event loop and gives its result, as ``asyncio.run`` does."""
    with _asyncio.Runner(debug=debug, loop_factory=new_event_loop) as runner:
        return runner.run(main)


def install() -> None:
    """Has asyncio make its event loops here from now on, by its policy.

    Python 3.14 deprecates policies; what takes a loop factory needs none.
    """
    _asyncio.set_event_loop_policy(__getattr__("EventLoopPolicy")())


def __getattr__(name: str) -> _Any:
    if name != "EventLoopPolicy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._policy import EventLoopPolicy

    return EventLoopPolicy


if _sys.version_info >= (3, 16):
    __all__.remove("EventLoopPolicy")
    __all__.remove("install")
