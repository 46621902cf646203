"""Set up what the Makefile's targets need, once: a virtual environment per Python under build/, and the
extension in it. Each part is done again only when its inputs have changed.

    bootstrap.py [--every] [--profile PROFILE] [--no-extension] [-- COMMAND ...]

COMMAND runs with the environment of the newest Python of the machine's own first on PATH and everything that
a build needs. Standard library only: this is the first thing that runs on a fresh machine.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import debian
import interpreters
import licenses
import sid_pythons
import toolchain
from debian import SetupError
from interpreters import Interpreter

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
REQUIREMENTS = ROOT / "requirements"
# What the wheel is made from.
SOURCES = ("Cargo.toml", "Cargo.lock", "build.rs", "pyproject.toml", "src", "dns", "fs", "pymodule")

Command = list[str | Path]


class Environment:
    """The virtual environment of one Python; one holds the build tools and checkers as well."""

    def __init__(
        self, python: Interpreter, *, tools: Environment | None = None, folder: str | None = None
    ) -> None:
        self.interpreter = python
        self.name = python.name
        self.path = BUILD / (folder or python.folder)
        self.bin = self.path / "bin"
        self.python = self.bin / "python"
        # Builds use the tools' libclang and cmake at one path, whichever Python they are for: cargo builds
        # libuv and c-ares again when those paths change.
        self.tools = tools or self

    def prepare(self) -> None:
        """Create the environment and install the locked requirements, unless that has been done."""
        lock = self.lock()
        stamp = Stamp(self.path / "requirements.stamp", digest([lock], str(self.interpreter)))
        if stamp.fresh():
            return
        say(f"creating {self.path.relative_to(ROOT)} from {lock.relative_to(ROOT)}")
        shutil.rmtree(self.path, ignore_errors=True)
        run([self.interpreter.path, "-m", "venv", self.path])
        self.pip("install", "--require-hashes", "-r", lock)
        stamp.write()

    def lock(self) -> Path:
        """The lock file of what is in it."""
        return REQUIREMENTS / ("tools.txt" if self.tools is self else "test.txt")

    def install_extension(self, profile: str) -> None:
        """Build the wheel with `profile` and install it, unless the sources are those of the last time."""
        sources = digest((ROOT / source for source in SOURCES), f"{profile} {rustc_version()}")
        stamp = Stamp(self.path / "extension.stamp", sources)
        if stamp.fresh():
            return
        say(f"building pyuv for Python {self.name} (profile {profile})")
        self.install_wheel(self.build_wheel(profile, self.wheels(profile)))
        stamp.write()

    def wheels(self, profile: str) -> Path:
        """The folder of the wheel that is built for it."""
        return BUILD / "wheels" / f"{profile}-{self.interpreter.folder}"

    def install_wheel(self, wheel: Path) -> None:
        """Install this wheel of pyuv, whichever was there."""
        self.pip("install", "--force-reinstall", "--no-deps", "--no-index", wheel)

    def pip(self, *arguments: str | Path) -> None:
        """Run this environment's pip."""
        run([self.python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])

    def build_wheel(self, profile: str, folder: Path) -> Path:
        """Build the wheel into `folder`, which holds nothing else afterwards."""
        shutil.rmtree(folder, ignore_errors=True)
        licenses.collect()
        maturin: Command = [self.tools.bin / "maturin", "build", "--locked", "--quiet"]
        command = [*maturin, "--profile", profile, "--interpreter", self.interpreter.path]
        run([*command, "--out", folder], self.cargo_environment())
        (wheel,) = folder.glob("*.whl")
        return wheel

    def cargo_environment(self) -> dict[str, str]:
        """The environment for cargo and maturin: this Python, and the tools' cmake and libclang."""
        env = dict(os.environ)
        env["PATH"] = os.pathsep.join([str(self.tools.bin), env.get("PATH", os.defpath)])
        env["PYO3_PYTHON"] = str(self.interpreter.path)
        env["CARGO_TARGET_DIR"] = str(target_folder())
        env.pop("PYTHONHOME", None)
        (libclang,) = self.tools.path.glob("lib/python3.*/site-packages/clang/native")
        return toolchain.environment(env, libclang)

    def run_environment(self) -> dict[str, str]:
        """The environment for a program of this Python that also calls cargo, or nothing but its tools."""
        env = self.cargo_environment()
        env["PATH"] = os.pathsep.join([str(self.bin), env["PATH"]])
        env["VIRTUAL_ENV"] = str(self.path)
        return env


class Stamp:
    """A file that remembers what a step was made from."""

    def __init__(self, path: Path, digest: str) -> None:
        self.path = path
        self.digest = digest

    def fresh(self) -> bool:
        return self.path.exists() and self.path.read_text() == self.digest

    def write(self) -> None:
        self.path.write_text(self.digest)


def prepare(only: Sequence[str] = (), *, profile: str | None = "testing") -> list[Environment]:
    """Environments of all Pythons, or of those named, in order; the extension too if `profile`."""
    environments = environments_found(only)
    for environment in dict.fromkeys([environments[0].tools, *environments]):
        environment.prepare()
    if profile:
        for environment in environments:
            environment.install_extension(profile)
    return environments


def environments_found(only: Sequence[str] = ()) -> list[Environment]:
    """The environments as objects, after a look at what the machine lacks; nothing is created yet."""
    own = own_pythons()
    tools = _tools_environment(own)
    found = {python.name: python for python in own}
    if wanted := set(only or interpreters.SUPPORTED) - found.keys():
        for name, program in sid_pythons.programs(wanted).items():
            if python := interpreters.probe(program):
                found[name] = python
    if unknown := set(only) - found.keys():
        raise SetupError(f"not found: Python {', '.join(sorted(unknown))}")
    pythons = sorted(found.values(), key=lambda python: python.order)
    every = [tools if python == tools.interpreter else Environment(python, tools=tools) for python in pythons]
    return [environment for environment in every if not only or environment.name in only]


def tools_environment() -> Environment:
    """Where the build tools and checkers are: the newest CPython of the machine's own."""
    return _tools_environment(own_pythons())


def own_pythons() -> list[Interpreter]:
    """The machine's Pythons, completed from Debian's packages."""
    if problem := toolchain.missing_tools():
        raise SetupError(problem)
    pythons = interpreters.find()
    if incomplete := [python for python in pythons if not python.is_complete]:
        debian.install(
            package
            for python in incomplete
            for package in (f"python{python.name}-venv", f"libpython{python.name}-testsuite")
        )
        pythons = interpreters.find()
    return pythons


def _tools_environment(pythons: Sequence[Interpreter]) -> Environment:
    usual = [python for python in pythons if python.is_usual]
    if not usual:
        raise SetupError(f"not found on PATH or under pyenv: a CPython of {', '.join(interpreters.CPYTHONS)}")
    return Environment(usual[-1])


def target_folder() -> Path:
    """Where cargo builds: `CARGO_TARGET_DIR` if the user set one, else `target/`."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def rustc_version() -> str:
    done = subprocess.run(["rustc", "--version"], check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.strip()


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
    """Run a command of the set-up from the root of the tree; its failure is a `SetupError`."""
    done = subprocess.run(command, cwd=ROOT, env=env, check=False)
    if done.returncode:
        raise SetupError(f"exit status {done.returncode}: {' '.join(map(str, command))}")


def say(message: str) -> None:
    print(f"bootstrap: {message}", file=sys.stderr, flush=True)


def digest(paths: Iterable[Path], extra: str) -> str:
    """A hash of the contents of files and folders, their names included."""
    digest = hashlib.sha256(extra.encode())
    for file in sorted(file for path in paths for file in _files(path)):
        digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in path.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".so":
            yield file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument("--every", action="store_true", help="all Pythons, not the one of the tools alone")
    parser.add_argument("--profile", default="testing", help="cargo profile of the extension")
    parser.add_argument("--no-extension", action="store_true", help="the tools only")
    parser.add_argument("command", nargs="*", help="what to run, after --")
    chosen = parser.parse_args()
    try:
        tools = tools_environment()
        only = [] if chosen.every else [tools.name]
        prepare(only, profile=None if chosen.no_extension else chosen.profile)
    except SetupError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    if not chosen.command:
        return 0
    env = tools.run_environment()
    return subprocess.run(chosen.command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
