"""What a result was measured with: the commit, the versions of everything, the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vendored
from bootstrap import ROOT, Environment

# Crates whose versions say what was tested; their build numbers hold the C library's version.
CRATES = ("pyo3", "libuv-sys2", "c-ares", "c-ares-sys")


def describe(environments: Sequence[Environment]) -> dict[str, Any]:
    """`commit`, `versions` and `machine`, ready for JSON."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _output("git", "rev-parse", "HEAD"),
        "uncommitted_changes": bool(_output("git", "status", "--porcelain", "--", ":!tests/results")),
        "versions": {
            "rustc": _output("rustc", "--version"),
            "cargo": _output("cargo", "--version"),
            "gcc": _output("gcc", "-dumpfullversion"),
            "libc": " ".join(platform.libc_ver()),
            "pythons": [_dotted(environment.interpreter.version) for environment in environments],
            "crates": _crates(),
            "packages": _packages(environments[0].tools) if environments else {},
        },
        "machine": {
            "system": platform.platform(),
            "processor": _field(Path("/proc/cpuinfo"), "model name"),
            "cores": os.cpu_count(),
            "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        },
    }


def _crates() -> dict[str, str]:
    return {name: crate.version for name, crate in vendored.crates().items() if name in CRATES}


def _packages(tools: Environment) -> dict[str, str]:
    rows = json.loads(_output(str(tools.python), "-m", "pip", "list", "--format", "json"))
    return {row["name"]: row["version"] for row in rows}


def _field(path: Path, name: str) -> str:
    if path.exists():
        for line in path.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "unknown"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
