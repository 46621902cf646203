"""Pythons that are not of this machine's kind: of another processor, or on another C library.

Their environments have no pip. The tools' own puts packages there, and looks at the tags of wheels as the
foreign one would.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bootstrap import Command, Environment, run
from targets import Target

# The version of PyPy's interface for extension modules.
PYPY_ABI = "pypy311_pp80"


@dataclass(frozen=True)
class ForeignPython:
    """One Python for a target, in an environment of its own, and where that has its packages."""

    name: str
    target: Target
    python: Path
    packages: Path

    def install(self, tools: Environment, *requirements: str | Path) -> None:
        """Have pip put these there, as it would on such a system."""
        pip: Command = [tools.python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        place: Command = ["--target", self.packages, "--only-binary", ":all:", "--no-deps"]
        run([*pip, "install", *place, *self.tags(), *requirements])

    def tags(self) -> list[str]:
        """How pip is told what to look for in the names of wheels."""
        implementation = "pp" if self.name.startswith("pypy") else "cp"
        options = ["--implementation", implementation, "--python-version", self.name.removeprefix("pypy")]
        if implementation == "pp":
            options += ["--abi", PYPY_ABI]
        for platform in (self.target.tag, f"manylinux_2_17_{self.target.machine}", "any"):
            options += ["--platform", platform]
        return options
