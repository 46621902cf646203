"""What event loops that call their own callbacks have in the extension."""

from ._pyuv import Poller

__all__ = ["Poller", "hear_signals"]


def hear_signals(poller: Poller, on: bool) -> None:
    """Has waits end when a signal comes, or no more; Python calls its handler then. For the main thread."""
    poller.listen_for_signals(_ignore if on else None)


def _ignore(_: bytes) -> None:
    """A listener for whom it is enough that the wait ends."""
