"""``--reactor=pyuv`` for ``twist`` and ``trial``."""

from twisted.application.reactors import Reactor

pyuv = Reactor("pyuv", "pyuv.twisted", "Twisted's reactor on libuv, by pyuv.")
