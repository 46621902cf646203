import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

from .. import Loop
from ._metrics import Lag as Lag
from ._metrics import Metrics as Metrics
from ._slow import SlowCallback as SlowCallback

_T = TypeVar("_T")

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

class EventLoop(asyncio.SelectorEventLoop):
    uv: Loop
    slow_callback_hook: Callable[[SlowCallback], object] | None
    def __init__(self, *, resolver: Literal["c-ares"] | None = None) -> None: ...
    def metrics(self) -> Metrics: ...

def new_event_loop(*, resolver: Literal["c-ares"] | None = None) -> EventLoop: ...
def run(main: Coroutine[Any, Any, _T], *, debug: bool | None = None) -> _T: ...

if sys.version_info < (3, 16):
    class EventLoopPolicy(asyncio.DefaultEventLoopPolicy): ...

    def install() -> None: ...
