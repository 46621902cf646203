"""Runs one program in a process of its own, and says what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# A program is made to end within a few seconds.
PATIENCE = 30
WRONG = re.compile(
    r"FINDING: .*|.*panicked at.*|Fatal Python error: .*|.*PanicException.*|.*SystemError.*"
    r"|FATAL: .*|.*Assertion .* failed.*|.*[Aa]bort.*|.*Sanitizer: .*|memory allocation of .*"
)


# Of Rust's standard library, in builds with debug assertions alone: a descriptor that an operation has open
# for a moment on a thread of the pool was closed by the program.
OF_DEBUG_BUILDS = "fatal runtime error: IO Safety violation: owned file descriptor already closed, aborting"


@dataclass(frozen=True)
class Verdict:
    """What was wrong, in one line that is the same whenever it happens; empty if nothing was."""

    wrong: str
    output: str


def judge(status: int | None, output: str) -> str:
    if status == -signal.SIGABRT and OF_DEBUG_BUILDS in output.splitlines():
        return ""
    found = [line.strip() for line in output.splitlines() if WRONG.match(line)]
    line = re.sub(r"0x[0-9a-f]+|\d+", "N", found[0])[:160] if found else ""
    # What follows in a program's own report are particulars.
    line = ":".join(line.split(":")[:2]) if line.startswith("FINDING") else line
    if status is None:
        return f"hangs: {line}"
    # A program may kill itself by way of `util.kill`.
    if status < 0 and status != -signal.SIGKILL:
        return f"{signal.Signals(-status).name}: {line}"
    return line


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Waits for the end, and leaves the process a zombie, so that its group's number stays its own."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(0.01)
    return False


def run(program: Path, patience: float = PATIENCE) -> Verdict:
    with (
        tempfile.TemporaryDirectory(prefix="pyuv-fuzz-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as log,
    ):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", program],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "TMPDIR": folder},
            start_new_session=True,
        )
        in_time = ended(process, patience)
        if not in_time:
            process.send_signal(signal.SIGABRT)
            ended(process, 5)
        # Its children are in its group, and nobody else is.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        log.seek(0)
        output = log.read().decode(errors="replace")
    return Verdict(judge(status if in_time else None, output), output)
