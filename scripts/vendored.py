"""The crates that cargo has unpacked, for what is read from their sources: headers, versions.

Standard library only: benches/ uses it before anything is installed.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Crate:
    version: str
    folder: Path


@cache
def crates() -> dict[str, Crate]:
    """Every crate that the workspace is built from, by name."""
    done = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1"],
        cwd=ROOT,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    return {
        package["name"]: Crate(package["version"], Path(package["manifest_path"]).parent)
        for package in json.loads(done.stdout)["packages"]
    }
