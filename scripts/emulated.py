"""Pythons of another processor, from Debian sid's packages, under qemu's emulation of programs.

An environment's `python` is a small script that starts the emulator, which needs no help of the kernel's:
what a test starts with `sys.executable` is emulated as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sid
from debian import SetupError
from targets import DEBIAN, Target

# Those that sid has for every processor, by name: the package, and the program.
PYTHONS = {
    "3.13": ("python3.13", "python3.13"),
    "3.14": ("python3.14", "python3.14"),
    "3.15": ("python3.15", "python3.15"),
    "pypy3.11": ("pypy3", "pypy3.11"),
}
# The version of PyPy's interface for extension modules.
PYPY_ABI = "pypy311_pp80"
CONFIGURATION = """\
home = {home}
include-system-site-packages = false
version = {version}
"""


def emulator() -> sid.Packages:
    return sid.Packages("emulator", ("qemu-user",), sid.architecture())


def pythons(target: Target) -> sid.Packages:
    packages = tuple(package for package, _ in PYTHONS.values())
    return sid.Packages(target.name, packages, DEBIAN[target.machine])


@dataclass(frozen=True)
class EmulatedPython:
    """One Python of a target, in an environment of its own without pip."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Where what is installed goes."""
        program = PYTHONS[self.name][1]
        return self.folder / "lib" / program / "site-packages"


def environment(target: Target, name: str, folder: Path) -> EmulatedPython:
    """A new environment in `folder`."""
    if name not in PYTHONS or not sid.available():
        raise SetupError(f"no emulated Python {name}: Debian sid has {', '.join(PYTHONS)}")
    root = sid.fetch(pythons(target)).path
    qemu = sid.fetch(emulator()).path / "usr/bin" / f"qemu-{target.machine}"
    made = EmulatedPython(name, folder)
    made.packages.mkdir(parents=True)
    made.python.parent.mkdir()
    program = root / "usr/bin" / PYTHONS[name][1]
    version = name.removeprefix("pypy")
    (folder / "pyvenv.cfg").write_text(CONFIGURATION.format(home=program.parent, version=version))
    made.python.write_text(f'#!/bin/sh\nexec "{qemu}" -L "{root}" -0 "$0" "{program}" "$@"\n')
    made.python.chmod(0o755)
    return made


def tags(target: Target, name: str) -> list[str]:
    """How pip is told what to look for in the name of that Python."""
    implementation = "pp" if name.startswith("pypy") else "cp"
    options = ["--implementation", implementation, "--python-version", name.removeprefix("pypy")]
    if implementation == "pp":
        options += ["--abi", PYPY_ABI]
    for platform in (target.tag, f"manylinux_2_17_{target.machine}", "any"):
        options += ["--platform", platform]
    return options
