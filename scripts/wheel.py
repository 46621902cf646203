"""`make wheel`: a release wheel for every Python found, in dist/, each tried where nothing can be compiled.

The trial's virtual environment is empty but for the wheel, and alone on PATH: users of a wheel need no Rust,
no C compiler, no cmake and no libclang.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bootstrap
from bootstrap import BUILD, ROOT, Command, Environment, run, say
from debian import SetupError

DIST = ROOT / "dist"
TRIAL = ROOT / "scripts" / "try_wheel.py"


def build(environment: Environment) -> Path:
    """Build the wheel and put it into dist/."""
    say(f"building the wheel for Python {environment.name}")
    wheel = environment.build_wheel("release", BUILD / "wheels" / f"release-py{environment.name}")
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy2(wheel, DIST))


def install_and_try(environment: Environment, wheel: Path) -> bool:
    """Install the wheel into an empty virtual environment and run the trial with that alone on PATH."""
    with tempfile.TemporaryDirectory(prefix="pyuv-wheel-") as folder:
        venv = Path(folder, "venv")
        run([environment.interpreter.path, "-m", "venv", venv])
        python = venv / "bin" / "python"
        pip: Command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        run([*pip, "install", "--no-index", "--no-deps", wheel])
        env = {"PATH": str(venv / "bin"), "HOME": folder, "LANG": "C.UTF-8"}
        # -I: neither this tree nor the user's packages can be imported.
        return subprocess.run([python, "-I", TRIAL], cwd=folder, env=env, check=False).returncode == 0


def main() -> int:
    failures = 0
    try:
        for environment in bootstrap.prepare(profile=None):
            wheel = build(environment)
            works = install_and_try(environment, wheel)
            failures += not works
            print(f"{wheel.name}: {'works' if works else 'FAILED'}", flush=True)
    except SetupError as error:
        print(f"wheel: {error}", file=sys.stderr)
        return 1
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
