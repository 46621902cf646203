"""Twisted on pyuv: a reactor on a :class:`pyuv.Loop`, and a resolver on its raw DNS channel.

``pyuv.twisted.install()`` comes before anything imports ``twisted.internet.reactor``; ``--reactor=pyuv`` of
``twist`` and ``trial`` does the same.
"""

from ._reactor import UVReactor, install
from ._resolver import Resolver

__all__ = ["Resolver", "UVReactor", "install"]
