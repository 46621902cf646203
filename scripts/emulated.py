"""Pythons of another processor, from Debian sid's packages, under qemu's emulation of programs.

An environment's `python` is a small script that starts the emulator, which needs no help of the kernel's:
what a test starts with `sys.executable` is emulated as well.
"""

from __future__ import annotations

from pathlib import Path

import sid
from debian import SetupError
from foreign import ForeignPython
from targets import DEBIAN, Target

# Those that sid has for every processor, by name: the package, and the program.
PYTHONS = {
    "3.13": ("python3.13", "python3.13"),
    "3.14": ("python3.14", "python3.14"),
    "3.15": ("python3.15", "python3.15"),
    "pypy3.11": ("pypy3", "pypy3.11"),
}
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


def environment(target: Target, name: str, folder: Path) -> ForeignPython:
    """A new environment in `folder`."""
    if name not in PYTHONS or not sid.available():
        raise SetupError(f"no emulated Python {name}: Debian sid has {', '.join(PYTHONS)}")
    root = sid.fetch(pythons(target)).path
    qemu = sid.fetch(emulator()).path / "usr/bin" / f"qemu-{target.machine}"
    program = root / "usr/bin" / PYTHONS[name][1]
    packages = folder / "lib" / program.name / "site-packages"
    made = ForeignPython(name, target, folder / "bin" / "python", packages)
    made.packages.mkdir(parents=True)
    made.python.parent.mkdir()
    version = name.removeprefix("pypy")
    (folder / "pyvenv.cfg").write_text(CONFIGURATION.format(home=program.parent, version=version))
    made.python.write_text(f'#!/bin/sh\nexec "{qemu}" -L "{root}" -0 "$0" "{program}" "$@"\n')
    made.python.chmod(0o755)
    return made
