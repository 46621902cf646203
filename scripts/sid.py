"""Packages of Debian sid, or of an old Debian, in a folder of pyuv's own: what the machine's system is too
old or too new for.

apt-get resolves, downloads and verifies them with state, lists and cache in that folder; dpkg-deb unpacks
them there. Nothing is installed, and nobody need be root. requirements/sid-NAME.txt records sid's versions;
where one has gone from the archive the newest is taken, and said. The folder is kept outside the checkout,
under `PYUV_CACHE` or the user's cache, so that this takes time once. Standard library only: bootstrap.py
stands on this.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import debian
from debian import SetupError

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
# Of the folders; to be raised when more, or something else, is done to them.
FORMAT = 1
# Where a merged /usr has its links; no package brings them.
MERGED = ("bin", "lib", "lib64", "sbin")


@dataclass(frozen=True)
class Packages:
    """Packages of one architecture with what they depend on, and what is done with the folder afterwards."""

    name: str
    names: tuple[str, ...]
    architecture: str
    finish: Callable[[Path], None] = lambda folder: None
    suite: str = "sid"

    @property
    def record(self) -> Path:
        return REQUIREMENTS / f"{self.suite}-{self.name}.txt"

    def recorded(self) -> dict[str, str]:
        """The versions in the repository, by package."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        rows = (line.partition(" ") for line in lines if not line.startswith("#"))
        return {name: version for name, _, version in rows}

    def write_record(self, versions: Mapping[str, str]) -> None:
        header = f"# {self.architecture} packages of Debian {self.suite}, by `make lock`\n"
        self.record.write_text(header + "".join(f"{name} {versions[name]}\n" for name in sorted(versions)))


@dataclass(frozen=True)
class Folder:
    """An unpacked root, and which versions are in it."""

    path: Path
    versions: Mapping[str, str]


def available() -> bool:
    """Whether this machine can fetch from Debian: it has apt, and a mirror of Debian's in its sources."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb") and _mirror())


def architecture() -> str:
    """Debian's name of this machine's architecture."""
    return _output(["dpkg", "--print-architecture"]).strip()


def fetch(packages: Packages, *, newest: bool = False) -> Folder:
    """The folder with these packages, unpacked unless that has been done; `newest` ignores the record."""
    recorded = {} if newest else packages.recorded()
    inputs = json.dumps([FORMAT, packages.names, packages.architecture, recorded])
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:12]
    path = cache() / f"{packages.suite}-{packages.name}-{digest}"
    done = path / "versions.json"
    with alone():
        if newest or not done.exists():
            shutil.rmtree(path, ignore_errors=True)
            archive = _Archive(path / "apt", packages.architecture, packages.suite)
            versions = archive.unpack(packages.names, recorded, path)
            packages.finish(path)
            done.write_text(json.dumps(versions, indent=1))
    folder = Folder(path, json.loads(done.read_text()))
    for line in _changes(packages, recorded, folder.versions):
        _say(line)
    return folder


def source(package: str, suite: str, folder: Path) -> Path:
    """The archive of the sources that a package is built from, as its authors made it, in `folder`."""
    home = folder / "apt"
    archive = _Archive(home, architecture(), suite, kind="deb-src")
    archive.download_source(package, folder)
    shutil.rmtree(home)
    (path,) = folder.glob(f"{package}_*.orig.tar.[gx]z")
    return path


def cache() -> Path:
    """Where folders are kept between checkouts."""
    if chosen := os.environ.get("PYUV_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pyuv")


class _Archive:
    """apt with everything of its own below `home`: for packages, or for their sources."""

    def __init__(self, home: Path, architecture: str, suite: str, *, kind: str = "deb") -> None:
        self.home = home
        self.suite = suite
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (home / folder).mkdir(parents=True)
        (home / "status").touch()
        target = "Packages" if kind == "deb" else "Sources"
        (home / "sources.list").write_text(f"{kind} [target={target}] {_mirror()} {suite} main\n")
        (home / "apt.conf").write_text(
            f'Dir::State "{home}/state";\n'
            f'Dir::State::status "{home}/status";\n'
            f'Dir::Cache "{home}/cache";\n'
            f'Dir::Etc::sourcelist "{home}/sources.list";\n'
            f'Dir::Etc::sourceparts "-";\n'
            f'APT::Architecture "{architecture}";\n'
            f"#clear APT::Architectures;\n"
            f'APT::Architectures {{ "{architecture}"; }};\n'
            f'APT::Sandbox::User "{os.environ.get("USER") or "root"}";\n'
            f'Acquire::Languages "none";\n'
        )

    def unpack(self, names: Sequence[str], recorded: Mapping[str, str], root: Path) -> dict[str, str]:
        """Unpack the packages and all that they depend on below `root`; their versions."""
        _say(f"fetching {', '.join(names)} from Debian {self.suite} into {root}")
        self._get("update")
        pinned = [f"{name}={recorded[name]}" for name in self._available(recorded)]
        # What is recorded and still there may not fit the rest.
        if not self._get("install", *names, *pinned, check=False):
            self._get("install", *names)
        versions = {}
        for package in sorted((self.home / "cache/archives").glob("*.deb")):
            name, version = _output(
                ["dpkg-deb", "--show", "--showformat", "${Package} ${Version}", str(package)]
            ).split()
            versions[name] = version
            _run(["dpkg-deb", "--extract", package, root])
        for name in MERGED:
            if (root / "usr" / name).exists() and not (root / name).exists():
                (root / name).symlink_to(f"usr/{name}")
        shutil.rmtree(self.home)
        return versions

    def download_source(self, package: str, folder: Path) -> None:
        _say(f"fetching the source of {package} from Debian {self.suite}")
        self._get("update")
        apt: list[str | Path] = ["apt-get", "-c", self.home / "apt.conf", "--quiet=2"]
        _run([*apt, "source", "--download-only", "--only-source", package], cwd=folder)

    def _available(self, versions: Mapping[str, str]) -> list[str]:
        """The packages that the archive has in these very versions."""
        listed = _output(["apt-cache", "-c", str(self.home / "apt.conf"), "madison", *versions])
        rows = {tuple(field.strip() for field in line.split("|")[:2]) for line in listed.splitlines()}
        return [name for name, version in versions.items() if (name, version) in rows]

    def _get(self, verb: str, *names: str, check: bool = True) -> bool:
        options = ["--quiet=2", "--yes", "--no-install-recommends", *(["--download-only"] if names else [])]
        return _run(["apt-get", "-c", self.home / "apt.conf", *options, verb, *names], check=check)


def _changes(packages: Packages, recorded: Mapping[str, str], versions: Mapping[str, str]) -> Iterator[str]:
    gone = f"has gone from Debian {packages.suite}"
    for name in sorted(recorded.keys() & versions.keys()):
        if recorded[name] != versions[name]:
            yield f"{name} {recorded[name]} {gone}; {versions[name]} is taken"


def _mirror() -> str | None:
    """The mirror that the machine takes Debian's packages from."""
    listing = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"]
    for attempt in range(2):
        for line in _output(listing).splitlines():
            origin, label, mirror = line.split("|")
            if (origin, label) == ("Debian", "Debian"):
                return mirror
        # A fresh machine has no lists, and so no targets.
        if attempt == 0 and os.geteuid() == 0:
            debian.update()
    return None


@contextmanager
def alone(what: str = "lock") -> Iterator[None]:
    """One at a time, also among checkouts; what takes long has a lock of its own."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / what).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str | Path], *, check: bool = True, cwd: Path | None = None) -> bool:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False, cwd=cwd)
    if check and done.returncode:
        raise SetupError(f"exit status {done.returncode}: {' '.join(map(str, command))}")
    return done.returncode == 0


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def _say(message: str) -> None:
    print(f"sid: {message}", file=sys.stderr, flush=True)
