"""zig, which compiles and links for old versions of the C library, and auditwheel: packages of PyPI.

They are kept in a virtual environment outside of the checkout, in the user's cache. zig names its own headers
relative to a folder that it lies in, and cargo's build scripts run in other folders.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import sid
from bootstrap import REQUIREMENTS, Command, Environment, run, say

LOCK = REQUIREMENTS / "release.txt"


def programs(tools: Environment) -> Path:
    """The folder of `auditwheel`, `cargo-zigbuild` and a `python3` that has ziglang."""
    digest = hashlib.sha256(LOCK.read_bytes() + str(tools.interpreter).encode()).hexdigest()[:12]
    folder = sid.cache() / f"zig-{digest}"
    done = folder / "done"
    with sid.alone():
        if not done.exists():
            say(f"creating {folder} from {LOCK.name}")
            shutil.rmtree(folder, ignore_errors=True)
            run([tools.interpreter.path, "-m", "venv", folder])
            pip: Command = [folder / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
            run([*pip, "install", "--require-hashes", "-r", LOCK])
            done.touch()
    return folder / "bin"
