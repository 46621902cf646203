"""gevent on pyuv: ``GEVENT_LOOP=pyuv.gevent.loop`` has every hub run on a :class:`pyuv.Loop`.

``GEVENT_RESOLVER=pyuv.gevent.Resolver`` has names looked up by c-ares on the same loop.
"""

from ._loop import loop
from ._resolver import Resolver

__all__ = ["Resolver", "loop"]
