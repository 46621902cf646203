"""`make valgrind`: the Rust tests under memcheck. Invalid accesses and definite leaks fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import bootstrap
import debian

MEMCHECK = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--fair-sched=yes",
    # The child of a test that forks has lost the stacks of the other threads, and so all that they hold.
    "--child-silent-after-fork=yes",
    f"--suppressions={Path(__file__).with_suffix('.supp')}",
]


def main() -> int:
    try:
        debian.program("valgrind", "valgrind")
        tools = bootstrap.tools_environment()
        tools.prepare()
    except debian.SetupError as error:
        print(f"valgrind: {error}", file=sys.stderr)
        return 1
    rustc = subprocess.run(["rustc", "-vV"], check=True, text=True, stdout=subprocess.PIPE).stdout
    (host,) = re.findall(r"^host: (.+)$", rustc, re.MULTILINE)
    env = tools.cargo_environment()
    env[f"CARGO_TARGET_{host.upper().replace('-', '_')}_RUNNER"] = " ".join(MEMCHECK)
    # memcheck does not follow what the kernel writes through a ring.
    env["UV_USE_IO_URING"] = "0"
    # No doc tests: their processes are started by rustdoc, and they show what the other tests test. The
    # extension has no tests in Rust, but `--lib` would build and start it, without a Python to link to.
    cargo = ["cargo", "test", "--workspace", "--exclude", "pymodule", "--locked", "--profile", "testing"]
    selection = ["--lib", "--tests", "--no-fail-fast", "--", f"--test-threads={os.cpu_count()}"]
    return subprocess.run([*cargo, *selection], cwd=bootstrap.ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
