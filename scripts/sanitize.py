"""`make sanitize`: the Rust tests under AddressSanitizer, or under Miri with `sanitize.py miri`.

AddressSanitizer sees into Rust and into libuv and c-ares alike where rustup has a nightly toolchain; with
the stable one alone it sees into the two, which gcc instruments. Miri interprets Rust, and knows no C: it
runs the tests that call none. Exit status 77 says that nothing ran, and the last line why.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping

import bootstrap
import debian

NOT_RUN = 77
# Beside what .cargo/config.toml has: an environment variable takes its place.
VISIBILITY = "-fvisibility=hidden -fno-semantic-interposition"
# The tests of each crate that stay in Rust, by parts of their names.
MIRI = {
    "pyuv": ["owner::", "thread::", "--skip", "util::"],
}


def says(*command: str, env: Mapping[str, str] | None = None) -> str | None:
    """What a command prints, or None if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def host() -> str:
    rustc = subprocess.run(["rustc", "-vV"], check=True, text=True, stdout=subprocess.PIPE).stdout
    (name,) = re.findall(r"^host: (.+)$", rustc, re.MULTILINE)
    return str(name)


def not_run(reason: str) -> int:
    print(f"not run: {reason}")
    return NOT_RUN


def address(env: dict[str, str]) -> int:
    target = host()
    nightly = says("rustc", "+nightly", "-V") is not None
    runtime = says("gcc", "-print-file-name=libasan.so") or ""
    if not os.path.isabs(runtime):
        return not_run("gcc has no AddressSanitizer here (libasan.so)")
    flags = f"{VISIBILITY} -fsanitize=address -fno-omit-frame-pointer"
    env[f"CFLAGS_{target.replace('-', '_')}"] = flags
    env["RUSTFLAGS"] = "-Zsanitizer=address" if nightly else "-Clink-arg=-fsanitize=address"
    env["CARGO_TARGET_DIR"] = str(bootstrap.target_folder() / ("address" if nightly else "address-of-c"))
    # Leaks are for memcheck, which knows libuv's threads. Absurd sizes are asked for, to see them refused.
    asan = "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:"
    env["ASAN_OPTIONS"] = asan + os.environ.get("ASAN_OPTIONS", "")
    # A ring's writes are the kernel's.
    env["UV_USE_IO_URING"] = "0"
    print("with", "nightly, in Rust and C" if nightly else "stable, in C alone", flush=True)
    # With --target the build scripts stay as they are. No doc tests, no extension: see valgrind.py.
    cargo = ["cargo", *(["+nightly"] if nightly else []), "test", "--workspace", "--exclude", "pymodule"]
    options = ["--locked", "--profile", "testing", "--target", target, "--lib", "--tests", "--no-fail-fast"]
    return subprocess.run([*cargo, *options], cwd=bootstrap.ROOT, env=env, check=False).returncode


def miri(env: dict[str, str]) -> int:
    if says("cargo", "+nightly", "miri", "--version", env=env) is None:
        return not_run("rustup has no nightly toolchain with the component miri here")
    env["CARGO_TARGET_DIR"] = str(bootstrap.target_folder() / "miri")
    # Threads sleep by the real clock, and random seeds are read.
    env["MIRIFLAGS"] = "-Zmiri-disable-isolation " + os.environ.get("MIRIFLAGS", "")
    status = 0
    for crate, tests in MIRI.items():
        cargo = ["cargo", "+nightly", "miri", "test", "--locked", "-p", crate, "--lib", "--", *tests]
        status |= subprocess.run(cargo, cwd=bootstrap.ROOT, env=env, check=False).returncode
    return status


def main() -> int:
    try:
        tools = bootstrap.tools_environment()
        tools.prepare()
    except debian.SetupError as error:
        print(f"sanitize: {error}", file=sys.stderr)
        return 1
    env = tools.cargo_environment()
    return miri(env) if sys.argv[1:] == ["miri"] else address(env)


if __name__ == "__main__":
    sys.exit(main())
