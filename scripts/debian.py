"""Programs from Debian's packages: servers for the tests and the benchmarks, valgrind.

A package that is missing is installed when this is root's; anybody else is told the command. Standard library
only: bootstrap.py stands on this.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "build" / "debian.lock"
# What maintainer scripts ask before they start a service, under any init system; 101 is "do not".
POLICY = Path("/usr/sbin/policy-rc.d")
REFUSAL = "#!/bin/sh\nexit 101\n"
# A folder for each version of PostgreSQL, with the programs of its server.
POSTGRESQL = Path("/usr/lib/postgresql")


class SetupError(Exception):
    """What is missing or went wrong, in one line for the user."""


def program(name: str, package: str) -> str:
    """The path of a program, after its package has been installed if need be."""
    found = find(name)
    if found is None:
        install([package])
        found = find(name)
    if found is None:
        raise SetupError(f"Debian's package {package} has no {name}")
    return found


def find(name: str) -> str | None:
    """The path of a program, servers included, which are not on everybody's PATH."""
    folders = [os.environ.get("PATH", os.defpath), "/usr/sbin", *map(str, POSTGRESQL.glob("*/bin"))]
    return shutil.which(name, path=os.pathsep.join(folders))


def install(packages: Iterable[str]) -> None:
    """Install with apt-get; no service of theirs is started."""
    names = sorted(set(packages))
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SetupError(f"missing Debian packages; as root: apt-get install {' '.join(names)}")
    print(f"debian: installing {', '.join(names)}", file=sys.stderr, flush=True)
    with _alone(), _services_stay_off():
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *names)


def update() -> None:
    """Have apt know what there is; as root."""
    with _alone():
        _apt_get("update")


def _apt_get(*command: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=120"]
    # Standard output may be a pipe to somebody who waits for other things.
    done = subprocess.run([*apt, *command], env=env, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SetupError(f"exit status {done.returncode}: apt-get {' '.join(command)}")


@contextmanager
def _alone() -> Iterator[None]:
    """One installation at a time: the tests run in several processes."""
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Packages start what they bring unless the machine's policy refuses; one that has a policy keeps it."""
    try:
        policy = POLICY.open("x")
    except FileExistsError:
        yield
        return
    try:
        with policy:
            policy.write(REFUSAL)
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink()
