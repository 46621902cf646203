"""The source distribution, built as a user's pip builds it: in an empty virtual environment, with what
pyproject.toml asks for and nothing of this tree; then tried as a wheel is.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import bootstrap
import licenses
import wheel
from bootstrap import BUILD, ROOT, Command, run
from debian import SetupError

# How variables begin that are the user's, and not those of a build of this tree.
USERS = ("CARGO_HOME", "HOME", "PATH", "PIP_", "RUSTUP_", "SSL_", "TMPDIR", "http", "no_proxy")
# What was built here is no source.
UNWANTED = ("build", "dist", "target")


def build(tools: bootstrap.Environment, folder: Path) -> Path:
    """The source distribution, in `folder`."""
    licenses.collect()
    maturin: Command = [tools.bin / "maturin", "sdist", "--out", folder]
    run([*maturin, "--manifest-path", ROOT / "pymodule" / "Cargo.toml"], tools.cargo_environment())
    (archive,) = folder.glob("*.tar.gz")
    return archive


def contents(archive: Path) -> set[str]:
    """The first parts of the paths in it, below its one folder."""
    with tarfile.open(archive) as unpacked:
        return {Path(name).parts[1] for name in unpacked.getnames() if len(Path(name).parts) > 1}


def install(tools: bootstrap.Environment, archive: Path, folder: Path) -> Path:
    """Have pip build and install it in an empty environment; the Python of that."""
    venv = folder / "venv"
    run([tools.interpreter.path, "-m", "venv", venv])
    python = venv / "bin" / "python"
    env = {name: value for name, value in os.environ.items() if name.startswith(USERS)}
    # What cargo has compiled is kept for the next time.
    env["CARGO_TARGET_DIR"] = str(BUILD / "sdist")
    run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", archive], env)
    return python


def main() -> int:
    try:
        tools = bootstrap.tools_environment()
        tools.prepare()
        with tempfile.TemporaryDirectory(prefix="pyuv-sdist-") as name:
            folder = Path(name)
            archive = build(tools, folder)
            if unwanted := contents(archive) & set(UNWANTED):
                print(f"{archive.name}: it has {', '.join(sorted(unwanted))}")
                return 1
            works = wheel.trial(install(tools, archive, folder), folder)
            wheel.DIST.mkdir(exist_ok=True)
            shutil.copy2(archive, wheel.DIST)
    except SetupError as error:
        print(f"sdist: {error}", file=sys.stderr)
        return 1
    print(f"{archive.name}: {'builds and works' if works else 'FAILED'}")
    return not works


if __name__ == "__main__":
    sys.exit(main())
