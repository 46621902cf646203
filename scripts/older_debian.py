"""The wheel for Python 3.11 on an older Debian than any that has this Python: on Debian 11's C library.

No system has both, so this puts them together. Python is compiled from Debian 12's source as the wheels are,
by zig and for glibc 2.28, and started by the loader of Debian 11 with its libraries (glibc 2.31). It takes
some minutes, once: the Python is kept in the user's cache. It has what needs no further library, and so no
zlib, without which hypothesis does not go. The wheel is that of `make wheel`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import bootstrap
import sid
import targets
import wheel
import zig
from bootstrap import Command, Environment, run, say
from debian import SetupError
from foreign import ForeignPython

PYTHON = "3.11"
SUITE = "bullseye"
SOURCE_SUITE = "bookworm"
LIBRARIES = ("libc6",)
# Of the Python that is made; to be raised when it is made in another way.
FORMAT = 1
WHICH_LIBC = "import os; print(os.confstr('CS_GNU_LIBC_VERSION'))"
NOT_RUN = 77
# Of ELF, 64 bits: sizes in bytes, and numbers.
PROGRAM_HEADER, DYNAMIC_ENTRY = 56, 16
PT_DYNAMIC, DT_RPATH, DT_RUNPATH = 2, 15, 29
SCRIPT = """\
#!/bin/sh
for argument; do
    shift
    case $argument in -[IL]/usr/*) ;; *) set -- "$@" "$argument" ;; esac
done
exec {program} "$@"
"""


def libraries() -> sid.Packages:
    return sid.Packages("libraries", LIBRARIES, sid.architecture(), suite=SUITE)


def python(tools: Environment) -> Path:
    """The program, compiled unless that has been done."""
    root = sid.fetch(libraries())
    inputs = json.dumps([FORMAT, PYTHON, str(root.path), zig.LOCK.read_text()])
    folder = sid.cache() / f"python{PYTHON}-{SUITE}-{hashlib.sha256(inputs.encode()).hexdigest()[:12]}"
    done = folder / "done"
    programs = zig.programs(tools)
    with sid.alone(f"lock-python{PYTHON}"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _compile(root.path, programs, folder)
            done.touch()
    return folder / "bin" / f"python{PYTHON}"


def _compile(root: Path, programs: Path, folder: Path) -> None:
    loader, *_ = [*root.glob("lib/*-linux-gnu/ld-*.so"), None]
    if loader is None:
        raise SetupError(f"no loader of programs below {root}")
    say(f"compiling Python {PYTHON} for {loader}")
    with tempfile.TemporaryDirectory(prefix="pyuv-python-") as name:
        work = Path(name)
        with tarfile.open(sid.source(f"python{PYTHON}", SOURCE_SUITE, work)) as archive:
            archive.extractall(work, filter="data")
        (configure,) = work.glob("*/configure")
        target = targets.here()
        triple = f"{target.machine}-linux-gnu.{'.'.join(map(str, target.glibc or ()))}"
        compiler = _script(work / "cc", programs, f"cc -target {triple} -Wno-date-time")
        archiver = _script(work / "ar", programs, "ar")
        flags = f"-Wl,--dynamic-linker={loader} -Wl,-rpath,{loader.parent}"
        # What pkg-config finds is the machine's.
        settings = [
            "PKG_CONFIG=false",
            f"CC={compiler}",
            f"AR={archiver}",
            f"LDFLAGS={flags}",
            f"--prefix={folder}",
        ]
        make: Command = ["make", "--silent", f"--jobs={os.cpu_count() or 1}"]
        commands: list[Command] = [
            [configure, "--quiet", "--without-ensurepip", "--disable-test-modules", *settings],
            make,
            [*make, "install"],
        ]
        with (folder / "log").open("w") as log:
            for command in commands:
                done = subprocess.run(command, cwd=configure.parent, stdout=log, stderr=log, check=False)
                if done.returncode:
                    raise SetupError(f"Python {PYTHON} does not compile; see {log.name}")
    _serve_libraries(folder / "bin" / f"python{PYTHON}")


def _serve_libraries(program: Path) -> None:
    """Have the program's search path serve what its libraries load as well, as the C library loads those that
    know names: it is a DT_RPATH and no DT_RUNPATH, which zig's linker makes of it."""
    content = bytearray(program.read_bytes())
    (headers,) = struct.unpack_from("<Q", content, 32)
    (count,) = struct.unpack_from("<H", content, 56)
    for header in range(headers, headers + count * PROGRAM_HEADER, PROGRAM_HEADER):
        kind, _, start, _, _, size = struct.unpack_from("<IIQQQQ", content, header)
        for entry in range(start, start + size, DYNAMIC_ENTRY) if kind == PT_DYNAMIC else ():
            if struct.unpack_from("<Q", content, entry) == (DT_RUNPATH,):
                struct.pack_into("<Q", content, entry, DT_RPATH)
    program.write_bytes(content)


def _script(path: Path, programs: Path, arguments: str) -> Path:
    """A program that is a part of zig's, and is not told of the machine's headers and libraries."""
    (compiler,) = programs.parent.glob("lib/python3.*/site-packages/ziglang/zig")
    path.write_text(SCRIPT.format(program=f'"{compiler}" {arguments}'))
    path.chmod(0o755)
    return path


def is_good(tools: Environment, built: Path) -> bool:
    """Install the wheel for the Python on the old library, run the trial, the demo and the wheels' tests."""
    program = python(tools)
    with tempfile.TemporaryDirectory(prefix="pyuv-wheel-") as folder:
        venv = Path(folder, "venv")
        run([program, "-m", "venv", "--without-pip", venv])
        packages = venv / "lib" / f"python{PYTHON}" / "site-packages"
        made = ForeignPython(PYTHON, targets.here(), venv / "bin" / "python", packages)
        say(f"trying {built.name} on {_libc(made.python)}")
        pytest = wheel.pytest_of_wheels(without="hypothesis")
        return wheel.try_foreign(tools, made, built, [wheel.DEMO, [*pytest, "-p", "no:hypothesispytest"]])


def _libc(program: Path) -> str:
    done = subprocess.run([program, "-c", WHICH_LIBC], check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.strip()


def main() -> int:
    try:
        target = targets.here()
        tag = f"cp{PYTHON.replace('.', '')}-{target.tag}"
        wheels = [path for path in wheel.DIST.glob("*.whl") if path.stem.endswith(tag)]
        if not wheels:
            raise SetupError(f"no wheel for Python {PYTHON} in dist: make wheel")
        if not sid.available():
            print("not run: this machine has nothing of Debian")
            return NOT_RUN
        tools = bootstrap.tools_environment()
        tools.prepare()
        newest = max(wheels, key=lambda path: path.stat().st_mtime)
        good = is_good(tools, newest)
    except SetupError as error:
        print(f"older_debian: {error}", file=sys.stderr)
        return 1
    print(f"{newest.name}: {'works' if good else 'FAILED'} with the C library of Debian {SUITE}")
    return not good


if __name__ == "__main__":
    sys.exit(main())
