"""What tests/programs needs: the programs, in environments of their own (build/programs-py3.X) with the wheel
of pyuv that the tests have; and servers and libraries from Debian's packages.
"""

from __future__ import annotations

import ctypes.util
from collections.abc import Sequence

import debian
from beside import Beside
from bootstrap import Environment

# Where the tests run if not on every Python.
PREFERRED = "3.13"
# What the tests start, and Debian's packages that hold it.
SERVERS = {"postgres": "postgresql", "redis-server": "redis-server", "wrk": "wrk", "Xvfb": "xvfb"}
# What the tests outside of the shard start.
FURTHER = {"rabbitmq-server": "rabbitmq-server"}
# What PySide6 is linked with and does not bring.
LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "gthread-2.0": "libglib2.0-0",
    "xkbcommon": "libxkbcommon0",
}


def prepare(tests: Environment, *, whole: bool) -> Beside:
    """The environment beside that of the tests, with everything in it; the servers and libraries too."""
    servers = SERVERS | FURTHER if whole else SERVERS
    missing = [package for program, package in servers.items() if not debian.find(program)]
    missing += [package for library, package in LIBRARIES.items() if not ctypes.util.find_library(library)]
    if missing:
        debian.install(missing)
    environment = Beside(tests, "programs")
    environment.prepare()
    environment.install_extension("testing")
    return environment


def preferred(environments: Sequence[Environment]) -> Environment:
    """One of the tests' environments for the programs; those are in order."""
    named = (environment for environment in environments if environment.name == PREFERRED)
    return next(named, environments[-1])
