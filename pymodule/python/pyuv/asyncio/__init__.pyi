import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

from .. import Loop

_T = TypeVar("_T")

__all__ = ["EventLoop", "EventLoopPolicy", "install", "new_event_loop", "run"]

class EventLoop(asyncio.SelectorEventLoop):
    uv: Loop
    def __init__(self, *, resolver: Literal["c-ares"] | None = None) -> None: ...

def new_event_loop(*, resolver: Literal["c-ares"] | None = None) -> EventLoop: ...
def run(main: Coroutine[Any, Any, _T], *, debug: bool | None = None) -> _T: ...

if sys.version_info < (3, 16):
    class EventLoopPolicy(asyncio.DefaultEventLoopPolicy): ...

    def install() -> None: ...
