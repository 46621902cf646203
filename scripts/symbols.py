"""What a shared library asks of others, from `objdump -T`."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# `0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.28) fcntl64`; some leave out the brackets.
_SYMBOL = re.compile(
    r"^[0-9a-f]+ +.*\*UND\*\t[0-9a-f]+ +(?:\(?(?P<version>[A-Za-z][\w.]*)\)? +)?(?P<name>\S+)$"
)
_GLIBC = re.compile(r"^GLIBC_(\d+)\.(\d+)")


@dataclass(frozen=True)
class Symbol:
    """One that is not the library's own; the version is '' where none is asked for."""

    name: str
    version: str

    @property
    def glibc(self) -> tuple[int, int] | None:
        """The first version of glibc that has it."""
        found = _GLIBC.match(self.version)
        return (int(found[1]), int(found[2])) if found else None


def wanted(library: Path) -> list[Symbol]:
    """What the library expects of others."""
    done = subprocess.run(["objdump", "-T", library], check=True, text=True, stdout=subprocess.PIPE)
    return parse(done.stdout)


def parse(listing: str) -> list[Symbol]:
    """The undefined symbols of `objdump -T`'s output."""
    found = (_SYMBOL.match(line) for line in listing.splitlines())
    return [Symbol(match["name"], match["version"] or "") for match in found if match]


def newer(symbols: list[Symbol], glibc: tuple[int, int]) -> list[Symbol]:
    """Those that this version of glibc does not have."""
    return [symbol for symbol in symbols if symbol.glibc and symbol.glibc > glibc]


def unwrapped(symbols: list[Symbol]) -> list[Symbol]:
    """Those that only a linker with `--wrap` resolves: it was not told, or did not heed it."""
    return [symbol for symbol in symbols if symbol.name.startswith(("__real_", "__wrap_"))]
