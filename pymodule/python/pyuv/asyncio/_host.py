"""The running event loop, for what is awaited on any host."""

from asyncio import get_running_loop

from .._awaited import host
from ._event_loop import EventLoop


def find() -> EventLoop | None:
    """The running event loop, or None without one. RuntimeError for one that is not of ``pyuv.asyncio``."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        return None
    if isinstance(loop, EventLoop):
        return loop
    raise RuntimeError(
        f"this needs an event loop of pyuv.asyncio, not {type(loop).__name__}: "
        "run the program with pyuv.asyncio.run"
    )


host.register(find)
