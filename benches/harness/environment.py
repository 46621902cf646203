"""Set-up of a run, all of it under build/bench/: a virtual environment, pyuv in it, the C programs.

Standard library only: this is what runs before anything is installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent
ROOT = BENCHES.parent
BUILD = ROOT / "build" / "bench"
REQUIREMENTS = BENCHES / "requirements.txt"

VENDORED = {"libuv-sys2": ("LIBUV_SOURCE", "libuv"), "c-ares-sys": ("CARES_SOURCE", "c-ares")}
"""Crates whose vendored C sources pyuv links, and where cmake is told of them."""

PYPY = "pypy3.11"

PYUV_SOURCES = ("Cargo.lock", "Cargo.toml", "pyproject.toml", "src", "dns", "fs", "pymodule")


class SetupError(Exception):
    """Something that a run needs cannot be made; says what to do."""


def virtual_environment() -> Path:
    """The interpreter of the environment that holds the peers, made or refreshed as needed."""
    folder = BUILD / f"venv-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not python.exists():
        say("making a virtual environment")
        make_environment(folder)
    stamp = folder / "requirements.sha256"
    wanted = digest([REQUIREMENTS])
    if read(stamp) != wanted:
        say("installing the peers")
        run([str(python), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)], "the peers")
        stamp.write_text(wanted)
    return python


def pypy() -> Path:
    """PyPy, in an environment with pyuv alone; made or refreshed as needed."""
    sys.path.append(str(ROOT / "scripts"))
    import interpreters
    import sid_pythons

    found = {python.name: python.path for python in interpreters.find()}
    if PYPY not in found:
        found |= sid_pythons.programs({PYPY})
    if PYPY not in found:
        raise SetupError(f"not found on PATH, under pyenv or in Debian sid: {PYPY}")
    folder = BUILD / f"venv-{PYPY}"
    python = folder / "bin" / "python"
    if not python.exists():
        run([str(found[PYPY]), "-m", "venv", str(folder)], "an environment of PyPy")
    install_pyuv(python)
    return python


def make_environment(folder: Path) -> None:
    def attempt() -> bool:
        command = [sys.executable, "-m", "venv", "--clear", str(folder)]
        return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0

    if attempt():
        return
    # Debian's Python comes without ensurepip.
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", package]):
            run(["apt-get", "-qq", *command], package)
    if not attempt():
        raise SetupError(f"cannot make a virtual environment; install {package}")


def install_pyuv(python: Path) -> None:
    """Builds pyuv from this tree into the environment, unless its sources are unchanged."""
    files = [path for name in PYUV_SOURCES for path in sources(ROOT / name)]
    wanted = digest(files)
    if build_of(python) != wanted:
        say("building and installing pyuv")
        options = ["-q", "--force-reinstall", "--no-deps"]
        run([str(python), "-m", "pip", "install", *options, str(ROOT)], "pyuv")
        stamp_of(python).write_text(wanted)


def build_of(python: Path) -> str:
    """Which build of pyuv an environment has, if `install_pyuv` made it."""
    return read(stamp_of(python))


def stamp_of(python: Path) -> Path:
    return python.parent.parent / "pyuv.sha256"


def build_references(python: Path) -> Path:
    """The folder of the C programs, built from the sources that pyuv links."""
    folder = BUILD / "c"
    cmake = str(python.parent / "cmake")
    if not Path(cmake).exists():
        cmake = shutil.which("cmake") or ""
    if not cmake:
        raise SetupError("the C references need cmake")
    settings = [f"-D{name}={path}" for name, path in vendored_sources().items()]
    log = BUILD / "c.log"
    BUILD.mkdir(parents=True, exist_ok=True)
    say("building the C references")
    with open(log, "w") as output:
        for command in (
            [cmake, "-S", str(BENCHES / "c"), "-B", str(folder), *settings],
            [cmake, "--build", str(folder), "--parallel", str(os.cpu_count() or 1)],
        ):
            if subprocess.run(command, stdout=output, stderr=output).returncode != 0:
                raise SetupError(f"the C references do not build; see {log}")
    return folder / "bin"


def vendored_sources() -> dict[str, Path]:
    sys.path.append(str(ROOT / "scripts"))
    import vendored

    try:
        crates = vendored.crates()
    except FileNotFoundError:
        raise SetupError("cargo is needed to find the sources of libuv and c-ares") from None
    except subprocess.CalledProcessError:
        raise SetupError("cargo metadata failed") from None
    return {setting: crates[name].folder / folder for name, (setting, folder) in VENDORED.items()}


def sources(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    kinds = {".rs", ".toml", ".py", ".pyi", ".h", ".c"}
    return sorted(file for file in path.rglob("*") if file.suffix in kinds)


def digest(files: list[Path]) -> str:
    content = hashlib.sha256()
    for file in files:
        content.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return content.hexdigest()


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def run(command: list[str], what: str) -> None:
    if subprocess.run(command).returncode != 0:
        raise SetupError(f"cannot install {what}: {' '.join(command)}")


def say(text: str) -> None:
    print(f"benches: {text}", file=sys.stderr, flush=True)
