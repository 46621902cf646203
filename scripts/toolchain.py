"""What a build of the extension needs besides cargo: a C compiler, make, cmake, and libclang for bindgen.

cmake and libclang come as wheels. The libclang wheel has no C headers of its own, so bindgen borrows gcc's.
This module is used inside pip's isolated build environment too: standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

TOOLS = {
    "cargo": "the Rust toolchain (rustup)",
    "rustc": "the Rust toolchain (rustup)",
    "gcc": "a C compiler (Debian's packages gcc and libc6-dev)",
    "make": "make (Debian's package make)",
}


def missing_tools() -> str | None:
    """One line that names what has to be installed by hand, or None."""
    missing = [f"{tool}: install {hint}" for tool, hint in TOOLS.items() if not _runs(tool)]
    return f"not found: {'; '.join(missing)}" if missing else None


def environment(base: Mapping[str, str], libclang: Path) -> dict[str, str]:
    """`base` with what cargo's build scripts look for; `libclang` is the folder of the library."""
    env = dict(base)
    env.setdefault("LIBCLANG_PATH", str(libclang))
    if "BINDGEN_EXTRA_CLANG_ARGS" not in env:
        headers = _output(["gcc", "-print-file-name=include"])
        env["BINDGEN_EXTRA_CLANG_ARGS"] = f"-I{headers}"
    return env


def _runs(tool: str) -> bool:
    # rustup leaves shims on PATH that fail when no toolchain is chosen, so finding the file is not enough.
    found = shutil.which(tool)
    if found is None:
        return False
    return subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0


def _output(command: list[str]) -> str:
    return subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, env=os.environ
    ).stdout.strip()
