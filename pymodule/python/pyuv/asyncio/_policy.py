"""The policy that makes event loops of ours, for Pythons that still have policies."""

import asyncio
import warnings
from typing import TYPE_CHECKING

from ._event_loop import EventLoop

if TYPE_CHECKING:
    _Default = asyncio.DefaultEventLoopPolicy
else:
    with warnings.catch_warnings():
        # Whoever sets a policy hears of the deprecation then.
        warnings.simplefilter("ignore", DeprecationWarning)
        _Default = asyncio.DefaultEventLoopPolicy


class EventLoopPolicy(_Default):
    """asyncio's default policy, with event loops of this module."""

    _loop_factory = EventLoop
