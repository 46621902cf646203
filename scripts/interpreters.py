"""Find the Pythons to build for and test on: one of each kind that pyuv supports, and only those that run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CPYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
SUPPORTED = (*CPYTHONS, "pypy3.11")
# Nobody packages these yet; one that is found, or named in `PYUV_PYTHONS`, is tested.
FREE_THREADED = ("3.14t", "3.15t")
KNOWN = (*SUPPORTED, *FREE_THREADED)

_PROBE = """
import importlib.util, json, sys, sysconfig
print(json.dumps({
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "version": sys.version_info[:3],
    "implementation": sys.implementation.name,
    "has_gil": not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "has_venv": importlib.util.find_spec("ensurepip") is not None,
    "has_test": importlib.util.find_spec("test.test_asyncio") is not None,
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that ran, and what Debian may have left out of it."""

    path: Path
    version: tuple[int, int, int]
    has_venv: bool = True
    has_test: bool = True
    implementation: str = field(default="cpython", repr=False)
    has_gil: bool = field(default=True, repr=False)

    @property
    def name(self) -> str:
        """`3.12`, `3.14t`, `pypy3.11`: how this Python is called in messages and results."""
        prefix = "" if self.is_cpython else self.implementation
        return f"{prefix}{self.version[0]}.{self.version[1]}{'' if self.has_gil else 't'}"

    @property
    def program(self) -> str:
        """`python3.12`, `pypy3.11`: what the program is called."""
        return f"python{self.name}" if self.is_cpython else self.name

    @property
    def folder(self) -> str:
        """`py3.12`, `pypy3.11`: how folders for it are called."""
        return f"py{self.name}" if self.is_cpython else self.name

    @property
    def is_cpython(self) -> bool:
        return self.implementation == "cpython"

    @property
    def is_usual(self) -> bool:
        """CPython as everybody has it."""
        return self.is_cpython and self.has_gil

    @property
    def is_complete(self) -> bool:
        """Whether the tests can run on it; PyPy comes without CPython's own tests."""
        return self.has_venv and (self.has_test or not self.is_cpython)

    @property
    def order(self) -> tuple[bool, bool, tuple[int, int, int]]:
        """CPython first, each kind from the oldest to the newest."""
        return not self.is_cpython, not self.has_gil, self.version


def find() -> list[Interpreter]:
    """The best interpreter of each kind, in order."""
    return best(filter(None, map(probe, candidates())))


def candidates() -> Iterator[Path]:
    """Every file that is named in `PYUV_PYTHONS`, or by its name and place may be one of the Pythons."""
    for named in filter(None, os.environ.get("PYUV_PYTHONS", "").split(os.pathsep)):
        yield Path(named)
    names = [*(f"python{name}" for name in (*CPYTHONS, *FREE_THREADED)), "pypy3.11"]
    for folder in os.get_exec_path():
        for name in [*names, "python3", "pypy3"]:
            if (path := Path(folder, name)).is_file():
                yield path
    for root in _pyenv_roots():
        for name in names:
            yield from sorted(root.glob(f"versions/*/bin/{name}"))


def probe(path: Path) -> Interpreter | None:
    """Run it; None where it does not run (pyenv's shims) or is not one of the Pythons that pyuv is for."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    # The file may be a shim or sit in a virtual environment; what it resolves to is asked for from here on.
    found |= {"path": Path(found["path"]), "version": tuple(found["version"])}
    interpreter = Interpreter(**found)
    return interpreter if interpreter.name in KNOWN else None


def best(found: Iterable[Interpreter]) -> list[Interpreter]:
    """One of each kind: a complete one before Debian's trimmed one, then the newest."""
    chosen: dict[str, Interpreter] = {}
    for candidate in found:
        present = chosen.get(candidate.name)
        if present is None or _rank(candidate) > _rank(present):
            chosen[candidate.name] = candidate
    return sorted(chosen.values(), key=lambda python: python.order)


def _rank(python: Interpreter) -> tuple[bool, bool, tuple[int, int, int]]:
    return python.has_venv, python.has_test, python.version


def _pyenv_roots() -> Iterator[Path]:
    if root := os.environ.get("PYENV_ROOT"):
        yield Path(root)
    elif pyenv := shutil.which("pyenv"):
        done = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            yield Path(done.stdout.strip())
    else:
        yield Path.home() / ".pyenv"
