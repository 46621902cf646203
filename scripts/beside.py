"""An environment beside that of the tests: other packages, and the same wheel of pyuv."""

from __future__ import annotations

from pathlib import Path

from bootstrap import REQUIREMENTS, Environment, Stamp, digest


class Beside(Environment):
    """The packages of requirements/NAME.txt for one Python, in build/NAME-py3.X."""

    def __init__(self, tests: Environment, name: str) -> None:
        python = tests.interpreter
        super().__init__(python, tools=tests.tools, folder=f"{name}-{python.folder}")
        self.requirements = REQUIREMENTS / f"{name}.txt"

    def lock(self) -> Path:
        return self.requirements

    def install_extension(self, profile: str) -> None:
        """Install the wheel that was built for the tests."""
        built = [*self.wheels(profile).glob("*.whl")]
        wheel = built[0] if built else self.build_wheel(profile, self.wheels(profile))
        stamp = Stamp(self.path / "extension.stamp", digest([wheel], profile))
        if not stamp.fresh():
            self.install_wheel(wheel)
            stamp.write()
