"""`make wheel`: release wheels in dist/, each judged and tried.

    wheel.py [--target aarch64 ...] [--python 3.13 ...]

A wheel is built against old versions of the C library (targets.py) and so runs on old systems and new ones.
auditwheel has to agree with its name, and objdump with that. The trial's virtual environment is empty but for
the wheel, and alone on PATH: users of a wheel need no Rust, no C compiler, no cmake and no libclang. Then the
tests that tests/wheel.txt names run with it. A wheel for another processor is tried in emulation, with the
demo, on the Pythons that Debian sid has for it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import bootstrap
import emulated
import licenses
import symbols
import targets
import zig
from bootstrap import BUILD, REQUIREMENTS, ROOT, Command, Environment, run, say
from debian import SetupError
from foreign import ForeignPython
from targets import Target

DIST = ROOT / "dist"
TRIAL = ROOT / "scripts" / "try_wheel.py"
TESTS = ROOT / "tests" / "wheel.txt"
DEMO: Command = ["scripts/demo.py"]
# Where pytest finds what the tests import.
WHICH = "import pyuv, sys; assert pyuv.__file__.startswith(sys.argv[1]), pyuv.__file__"


def build(environment: Environment, target: Target) -> Path:
    """Build the wheel and put it into dist/."""
    say(f"building the wheel for Python {environment.name} on {target.name}")
    folder = BUILD / "wheels" / f"release-{target.name}-{environment.interpreter.folder}"
    shutil.rmtree(folder, ignore_errors=True)
    licenses.collect()
    target.require_library()
    env = environment.cargo_environment() | target.cargo_settings()
    env["PATH"] = os.pathsep.join([str(zig.programs(environment.tools)), env["PATH"]])
    interpreter: str | Path = environment.interpreter.path
    if not target.is_here:
        # maturin knows the Pythons of other machines by name.
        interpreter = environment.interpreter.program
        del env["PYO3_PYTHON"]
    maturin: Command = [environment.tools.bin / "maturin", "build", "--locked", "--quiet", "--zig"]
    options = ["--profile", "release", "--target", target.triple, "--compatibility", target.tag]
    run([*maturin, *options, "--interpreter", interpreter, "--out", folder], env)
    (wheel,) = folder.glob("*.whl")
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy2(wheel, DIST))


def judge(environment: Environment, target: Target, wheel: Path) -> Iterator[str]:
    """What is wrong with the wheel, going by its files."""
    if not wheel.stem.endswith(f"-{target.tag}"):
        yield f"its name does not end in {target.tag}"
    auditwheel: Command = [zig.programs(environment.tools) / "auditwheel", "show", "--json", wheel]
    shown = subprocess.run(auditwheel, check=True, text=True, stdout=subprocess.PIPE)
    audit = json.loads(shown.stdout)
    if not target.admits(audit["overall_tag"]):
        yield f"auditwheel says {audit['overall_tag']}: {audit['versioned_symbols']}"
    archive = zipfile.ZipFile(wheel)
    for library in licenses.LIBRARIES:
        if not any(name.endswith(f"/licenses/bundled-licenses/{library}.txt") for name in archive.namelist()):
            yield f"it has no licence of {library}"
    (module,) = [name for name in archive.namelist() if Path(name).match("pyuv/_pyuv*.so")]
    with tempfile.TemporaryDirectory(prefix="pyuv-wheel-") as folder:
        wanted = symbols.wanted(Path(archive.extract(module, folder)))
    if not wanted:
        yield f"objdump shows nothing that {module} asks for"
    if target.glibc:
        for symbol in symbols.newer(wanted, target.glibc):
            yield f"{module} asks for {symbol.name} of {symbol.version}"
    for symbol in symbols.unwrapped(wanted):
        yield f"{module} was linked without --wrap: it asks for {symbol.name}"


def try_here(environment: Environment, wheel: Path) -> bool:
    """Install the wheel into an empty virtual environment and run the trial with that alone on PATH; then the
    tests, with what the Python's own environment has for them."""
    with tempfile.TemporaryDirectory(prefix="pyuv-wheel-") as folder:
        venv = Path(folder, "venv")
        run([environment.interpreter.path, "-m", "venv", venv])
        python = venv / "bin" / "python"
        pip: Command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        run([*pip, "install", "--no-index", "--no-deps", wheel])
        if not trial(python, folder):
            return False
        (packages,) = venv.glob("lib/*/site-packages")
        env = {**environment.run_environment(), "PYTHONPATH": str(packages)}
        return _programs(environment.python, [["-c", WHICH, packages], pytest_of_wheels()], env)


def try_foreign(tools: Environment, made: ForeignPython, wheel: Path, programs: Sequence[Command]) -> bool:
    """The same in the environment of a foreign Python, with these programs for the tests."""
    made.install(tools, "--no-index", wheel)
    if not trial(made.python, made.packages):
        return False
    for lock in ("test.txt", "demo.txt"):
        made.install(tools, "--upgrade", "--require-hashes", "-r", REQUIREMENTS / lock)
    which: Command = ["-c", WHICH, made.packages]
    return _programs(made.python, [which, *programs], dict(os.environ))


def try_emulated(environment: Environment, target: Target, wheel: Path) -> bool:
    """The same in emulation, with the demo alone: under emulation tests take longer than they may."""
    with tempfile.TemporaryDirectory(prefix="pyuv-wheel-") as folder:
        made = emulated.environment(target, environment.name, Path(folder, "venv"))
        return try_foreign(environment.tools, made, wheel, [DEMO])


def trial(python: Path, folder: str | Path) -> bool:
    """Run the trial with that Python alone on PATH."""
    env = {"PATH": str(python.parent), "HOME": str(folder), "LANG": "C.UTF-8"}
    # -I: neither this tree nor the user's packages can be imported.
    return subprocess.run([python, "-I", TRIAL], cwd=folder, env=env, check=False).returncode == 0


def pytest_of_wheels(*, without: str | None = None) -> Command:
    """What a Python is told that runs the tests of wheels, but for files that speak of what it is without."""
    files = TESTS.read_text().split()
    return ["-m", "pytest", "-q", "-n", "2", *(file for file in files if not _speaks(ROOT / file, without))]


def _speaks(file: Path, name: str | None) -> bool:
    return name is not None and name in file.read_text()


def _programs(python: Path, programs: Sequence[Command], env: dict[str, str]) -> bool:
    """Run one after the other, from the root of the tree, until one fails."""
    return all(
        subprocess.run([python, *program], cwd=ROOT, env=env, check=False).returncode == 0
        for program in programs
    )


def is_good(environment: Environment, target: Target) -> bool:
    """Build, judge and try one wheel, and say what came of it."""
    wheel = build(environment, target)
    problems = list(judge(environment, target, wheel))
    if target.is_here:
        verdict = "works" if try_here(environment, wheel) else "FAILED"
    elif target.is_emulated and environment.name in emulated.PYTHONS:
        verdict = "works in emulation" if try_emulated(environment, target, wheel) else "FAILED"
    else:
        verdict = "was built, and not tried"
    for problem in problems:
        print(f"{wheel.name}: {problem}")
    print(f"{wheel.name}: {verdict}", flush=True)
    return not problems and verdict != "FAILED"


def main() -> int:
    parser = argparse.ArgumentParser(description="release wheels in dist/")
    parser.add_argument("--target", action="append", default=[], choices=targets.TARGETS, help="only these")
    parser.add_argument("--python", action="append", default=[], metavar="3.X", help="only these")
    options = parser.parse_args()
    try:
        chosen = [targets.TARGETS[name] for name in options.target] or [targets.here()]
        environments = bootstrap.prepare(options.python, profile=None)
        good = [is_good(environment, target) for target in chosen for environment in environments]
    except SetupError as error:
        print(f"wheel: {error}", file=sys.stderr)
        return 1
    return not all(good)


if __name__ == "__main__":
    sys.exit(main())
