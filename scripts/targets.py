"""What wheels are built for: a processor, a C library, and the oldest version of it that they run on."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from debian import SetupError

# The Debian names of processors.
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
# The platform of a wheel's name, by C library: glibc of 2018 and later, musl of 2020 and later.
PLATFORMS = {"gnu": "manylinux_2_28", "musl": "musllinux_1_2"}


@dataclass(frozen=True)
class Target:
    machine: str
    libc: str = "gnu"

    @property
    def name(self) -> str:
        """`aarch64`, `x86_64-musl`: how it is called on the command line and in folders."""
        return self.machine if self.libc == "gnu" else f"{self.machine}-{self.libc}"

    @property
    def triple(self) -> str:
        return f"{self.machine}-unknown-linux-{self.libc}"

    @property
    def tag(self) -> str:
        """The platform that the wheels' names end in."""
        return f"{PLATFORMS[self.libc]}_{self.machine}"

    @property
    def is_here(self) -> bool:
        """Whether what is built for it runs on this machine."""
        return self.machine == platform.machine() and self.libc == platform_libc()

    @property
    def is_emulated(self) -> bool:
        """Whether what is built for it can be emulated here."""
        return self.libc == "gnu" and not self.is_here

    @property
    def glibc(self) -> tuple[int, int] | None:
        """The newest version of glibc that may be asked for."""
        return (2, 28) if self.libc == "gnu" else None

    def admits(self, tag: str) -> bool:
        """Whether what runs on systems of this other platform runs on those of the target as well."""
        family, _, rest = self.tag.partition("_")
        found, _, version = tag.partition("_")
        if found != family or not tag.endswith(f"_{self.machine}"):
            return False
        return _numbers(version, self.machine) <= _numbers(rest, self.machine)

    def cargo_settings(self) -> dict[str, str]:
        """What cargo is told in its environment."""
        if self.libc != "musl":
            return {}
        # Rust links musl statically unless it is told; an extension module shares what Python has.
        variable = f"CARGO_TARGET_{self.triple.upper().replace('-', '_')}_RUSTFLAGS"
        return {variable: "-C target-feature=-crt-static"}

    def require_library(self) -> None:
        """Have rustup fetch Rust's standard library for the target, unless that has been done."""
        rustc = ["rustc", "--print", "target-libdir", "--target", self.triple]
        done = subprocess.run(rustc, check=True, text=True, stdout=subprocess.PIPE)
        if Path(done.stdout.strip()).is_dir():
            return
        rustup = ["rustup", "--quiet", "target", "add", self.triple]
        try:
            subprocess.run(rustup, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise SetupError(f"missing Rust's standard library for {self.triple}: {error}") from error


TARGETS = {
    target.name: target for target in (Target(machine, libc) for libc in PLATFORMS for machine in DEBIAN)
}


def platform_libc() -> str:
    """This machine's C library, by Rust's name."""
    return "gnu" if platform.libc_ver()[0] == "glibc" else "musl"


def here() -> Target:
    """That of this machine."""
    machine = platform.machine()
    if machine not in DEBIAN or platform.system() != "Linux":
        raise SetupError(f"wheels are built on Linux, on {' or '.join(DEBIAN)}")
    return Target(machine, platform_libc())


def _numbers(version: str, machine: str) -> list[int]:
    """[2, 28] of `2_28_x86_64`."""
    return [int(number) for number in version.removesuffix(f"_{machine}").split("_")]
