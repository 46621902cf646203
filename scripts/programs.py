"""What tests/programs needs: the programs, in environments of their own (build/programs-py3.X) with the wheel
of pyuv that the tests have; and servers from Debian's packages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import debian
from bootstrap import REQUIREMENTS, Environment, Stamp, digest

# Where the tests run if not on every Python.
PREFERRED = "3.13"
# What the tests start, and Debian's packages that hold it.
SERVERS = {"postgres": "postgresql", "redis-server": "redis-server", "wrk": "wrk"}


class ProgramsEnvironment(Environment):
    """The virtual environment of the programs for one Python."""

    def __init__(self, tests: Environment) -> None:
        python = tests.interpreter
        super().__init__(python, tools=tests.tools, folder=f"programs-{python.folder}")

    def lock(self) -> Path:
        return REQUIREMENTS / "programs.txt"

    def install_extension(self, profile: str) -> None:
        """Install the wheel that was built for the tests."""
        built = [*self.wheels(profile).glob("*.whl")]
        wheel = built[0] if built else self.build_wheel(profile, self.wheels(profile))
        stamp = Stamp(self.path / "extension.stamp", digest([wheel], profile))
        if not stamp.fresh():
            self.install_wheel(wheel)
            stamp.write()


def prepare(tests: Environment) -> ProgramsEnvironment:
    """The environment beside that of the tests, with everything in it; the servers too."""
    missing = [package for program, package in SERVERS.items() if not debian.find(program)]
    if missing:
        debian.install(missing)
    environment = ProgramsEnvironment(tests)
    environment.prepare()
    environment.install_extension("testing")
    return environment


def preferred(environments: Sequence[Environment]) -> Environment:
    """One of the tests' environments for the programs; those are in order."""
    named = (environment for environment in environments if environment.name == PREFERRED)
    return next(named, environments[-1])
