"""Find the CPythons to build for and test on: one per minor version, and only those that run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MINORS = (11, 12, 13)

_PROBE = """
import importlib.util, json, sys, sysconfig
print(json.dumps({
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "version": sys.version_info[:3],
    "cpython": sys.implementation.name == "cpython",
    "has_gil": not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "has_venv": importlib.util.find_spec("ensurepip") is not None,
    "has_test": importlib.util.find_spec("test.test_asyncio") is not None,
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython that ran, and what Debian may have left out of it."""

    path: Path
    version: tuple[int, int, int]
    has_venv: bool
    has_test: bool

    @property
    def name(self) -> str:
        """`3.12`: how this Python is called in folders, messages and results."""
        return f"{self.version[0]}.{self.version[1]}"


def find() -> list[Interpreter]:
    """The best interpreter of each supported minor version, oldest version first."""
    return best(filter(None, map(probe, candidates())))


def candidates() -> Iterator[Path]:
    """Every file that by its name and place may be one of the Pythons."""
    names = [f"python3.{minor}" for minor in MINORS]
    for folder in os.get_exec_path():
        for name in [*names, "python3"]:
            if (path := Path(folder, name)).is_file():
                yield path
    for root in _pyenv_roots():
        for name in names:
            yield from sorted(root.glob(f"versions/*/bin/{name}"))


def probe(path: Path) -> Interpreter | None:
    """Run it; None where it does not run (pyenv's shims) or is not one of the supported CPythons."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    major, minor, _ = found["version"]
    if not (found["cpython"] and found["has_gil"] and major == 3 and minor in MINORS):
        return None
    # The file may be a shim or sit in a virtual environment; what it resolves to is asked for from here on.
    return Interpreter(Path(found["path"]), tuple(found["version"]), found["has_venv"], found["has_test"])


def best(found: Iterable[Interpreter]) -> list[Interpreter]:
    """One per minor version: a complete one before Debian's trimmed one, then the newest."""
    chosen: dict[str, Interpreter] = {}
    for candidate in found:
        present = chosen.get(candidate.name)
        if present is None or _rank(candidate) > _rank(present):
            chosen[candidate.name] = candidate
    return sorted(chosen.values(), key=lambda python: python.version)


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
