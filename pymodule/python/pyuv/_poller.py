"""What event loops that call their own callbacks have in the extension."""

from ._pyuv import Poller

__all__ = ["Poller"]
