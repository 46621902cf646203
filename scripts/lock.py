"""`make lock`: compile requirements/*.in into pinned and hashed *.txt, the newest versions that fit.

requirements/sid-*.txt record the versions of the packages that are taken from Debian sid.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import emulated
import sid
import sid_pythons
import targets
from bootstrap import REQUIREMENTS, ROOT, Command

UV = "uv==0.13.9"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="pyuv-lock-") as folder:
        venv.create(folder, with_pip=True)
        scripts = Path(folder, "bin")
        subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", UV], check=True)
        for source in sorted(REQUIREMENTS.glob("*.in")):
            resolve: Command = [scripts / "uv", "pip", "compile", "--upgrade", "--generate-hashes", "--quiet"]
            every = ["--universal", "--python-version", "3.11"]
            # The lock file names packages, not the hosts that they came from.
            header = ["--no-emit-index-url", "--no-emit-find-links"]
            header += ["--custom-compile-command", "make lock"]
            files: Command = [source, "--output-file", source.with_suffix(".txt")]
            subprocess.run([*resolve, *every, *header, *files], cwd=ROOT, check=True)
    if sid.available():
        pythons = emulated.pythons(targets.TARGETS["aarch64"])
        for packages in (sid_pythons.packages(), emulated.emulator(), pythons):
            packages.write_record(sid.fetch(packages, newest=True).versions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
