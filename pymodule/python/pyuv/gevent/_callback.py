"""What ``loop.run_callback`` gives."""

from collections.abc import Callable
from typing import Any

from gevent._interfaces import ICallback  # type: ignore[import-untyped]
from zope.interface import implementer  # type: ignore[import-untyped]


@implementer(ICallback)
class callback:
    """A function that the loop calls in its next iteration. It is true until that is over."""

    __slots__ = ("args", "callback")

    def __init__(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., object] | None = function
        self.args: tuple[Any, ...] | None = args

    def stop(self) -> None:
        """Has it not be called."""
        self.callback = self.args = None

    close = stop

    def __bool__(self) -> bool:
        return self.args is not None

    @property
    def pending(self) -> bool:
        """Whether it is still to be called."""
        return self.callback is not None

    def __repr__(self) -> str:
        about = " pending" if self.pending else " stopped"
        if self.callback is not None:
            about += f" callback={self.callback!r} args={self.args!r}"
        return f"<callback at {id(self):#x}{about}>"
