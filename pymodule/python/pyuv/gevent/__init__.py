"""gevent on pyuv: ``GEVENT_LOOP=pyuv.gevent.loop`` has every hub run on a :class:`pyuv.Loop`."""

from ._loop import loop

__all__ = ["loop"]
