"""The Pythons that Debian sid has and most machines do not have yet: 3.14, 3.15 and PyPy.

Their C library is sid's own, newer than the machine's. So each is started by a small program that is linked
to its libpython in the unpacked folder and names the loader there: it runs as any other Python does, and what
it starts finds the machine's libraries. Extension modules built on the machine run in it, for they ask for
less.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import sid
from debian import SetupError

# By the name of the Python: its library, and the function in it that is main.
MAINS = {
    "3.14": ("libpython3.14.so.1.0", "Py_BytesMain", "python3.14"),
    "3.15": ("libpython3.15.so.1.0", "Py_BytesMain", "python3.15"),
    "pypy3.11": ("libpypy3.11-c.so", "pypy_main_startup", "pypy3.11"),
}
# Python itself, what venv needs, CPython's own tests, and headers for packages that have no wheel.
NAMES = (
    *(
        package
        for minor in ("3.14", "3.15")
        for package in (f"python{minor}-venv", f"libpython{minor}-testsuite", f"libpython{minor}-dev")
    ),
    "pypy3-venv",
    "pypy3-dev",
)
SOURCE = "int {main}(int, char **);\nint main(int argc, char **argv) {{ return {main}(argc, argv); }}\n"


def packages() -> sid.Packages:
    return sid.Packages("pythons", NAMES, sid.architecture(), finish)


def programs(wanted: Collection[str]) -> dict[str, Path]:
    """Those of the wanted Pythons that sid has, by name; none where the machine has nothing of Debian."""
    names = [name for name in MAINS if name in wanted]
    if not names or not sid.available():
        return {}
    folder = sid.fetch(packages())
    return {name: folder.path / "usr/bin" / MAINS[name][2] for name in names}


def finish(root: Path) -> None:
    """Make the folder work where it is."""
    loader, *_ = [*root.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"), None]
    if loader is None:
        raise SetupError(f"no loader of programs below {root}")
    for library, main, program in MAINS.values():
        _link(root / "usr/bin" / program, loader, library, main)
    for settings in _settings(root):
        # ensurepip's wheels are a package of their own at a path that is written down here.
        text = settings.read_text().replace("/usr/share/python-wheels", f"{root}/usr/share/python-wheels")
        settings.write_text(text)


def _link(program: Path, loader: Path, library: str, main: str) -> None:
    program.unlink(missing_ok=True)
    # rpath, and not runpath: it serves the libraries of extension modules as well.
    paths = f"--dynamic-linker={loader},--disable-new-dtags,-rpath,{loader.parent}"
    linker = f"-Wl,{paths},--allow-shlib-undefined"
    command = ["gcc", "-x", "c", "-", "-o", str(program), "-x", "none", str(loader.parent / library), linker]
    done = subprocess.run(command, input=SOURCE.format(main=main), text=True, check=False)
    if done.returncode:
        raise SetupError(f"exit status {done.returncode}: {' '.join(command)}")


def _settings(root: Path) -> Iterator[Path]:
    for folder in ("python3.14", "python3.15", "pypy3.11"):
        for path in root.glob(f"usr/lib/{folder}/_sysconfigdata*.py"):
            if not path.is_symlink():
                yield path
