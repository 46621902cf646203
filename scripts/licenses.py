"""The licences of what is linked into the extension, for wheels and source distributions to carry.

They are read from the crates that cargo has unpacked, into bundled-licenses/, which no commit has. Standard
library only: used inside pip's isolated build environment, too.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "bundled-licenses"
# The C libraries: the crate that each comes with, and its files there.
LIBRARIES = {
    "libuv": ("libuv-sys2", ("libuv/LICENSE", "libuv/LICENSE-extra")),
    "c-ares": ("c-ares-sys", ("c-ares/LICENSE.md",)),
    "mimalloc": ("libmimalloc-sys", ("c_src/mimalloc/v2/LICENSE",)),
}
_FILE = re.compile(r"(licen[sc]e|copying|copyright|unlicense)", re.IGNORECASE)


@dataclass(frozen=True)
class Crate:
    name: str
    version: str
    license: str
    folder: Path

    def texts(self) -> list[str]:
        """Its licence files, in order of their names; a crate may have left them in its repository."""
        files = (path for path in sorted(self.folder.iterdir()) if _FILE.match(path.name) and path.is_file())
        return [_text(path) for path in files]


def collect() -> None:
    """Write the folder anew: a file per C library, and one for the crates."""
    crates = linked()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for library, (crate, files) in LIBRARIES.items():
        texts = [_text(crates[crate].folder / file) for file in files]
        (FOLDER / f"{library}.txt").write_text("\n".join(texts))
    (FOLDER / "rust-crates.txt").write_text("\n".join(_sections(crates)))


def linked() -> dict[str, Crate]:
    """The crates that the extension is linked from, without those of this repository, by name."""
    metadata = _metadata()
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    (start,) = (package["id"] for package in metadata["packages"] if package["name"] == "pymodule")
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        identity = waiting.pop()
        if identity not in seen:
            seen.add(identity)
            waiting += _normal(nodes[identity])
    found = (packages[identity] for identity in seen - set(metadata["workspace_members"]))
    crates = (
        Crate(
            package["name"],
            package["version"],
            package["license"] or "",
            Path(package["manifest_path"]).parent,
        )
        for package in found
    )
    return {crate.name: crate for crate in sorted(crates, key=lambda crate: crate.name)}


def _normal(node: Mapping[str, Any]) -> Iterator[str]:
    for dependency in node["deps"]:
        # Those of build scripts and of tests are not in what is linked.
        if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
            yield dependency["pkg"]


def _sections(crates: Mapping[str, Crate]) -> Iterator[str]:
    """A heading for each crate, and its texts where they are not those of a crate above."""
    first: dict[str, str] = {}
    for crate in crates.values():
        title = f"{crate.name} {crate.version} ({crate.license})"
        yield f"{title}\n{'=' * len(title)}\n"
        for text in crate.texts():
            above = first.setdefault(text, crate.name)
            yield text if above == crate.name else f"The same text as that of {above}.\n"


def _metadata() -> dict[str, Any]:
    version = subprocess.run(["rustc", "-vV"], check=True, text=True, stdout=subprocess.PIPE).stdout
    host = next(line.split()[1] for line in version.splitlines() if line.startswith("host: "))
    done = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host],
        cwd=ROOT,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    metadata: dict[str, Any] = json.loads(done.stdout)
    return metadata


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() + "\n"
