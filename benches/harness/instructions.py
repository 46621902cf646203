"""User instructions per operation, counted by valgrind's callgrind.

Slow, but free of noise: the count hardly changes with what else the machine does. Each program runs
twice, for a short and a long time and without a warm-up; the difference of the instructions over
the difference of the operations leaves out what start and end cost. (`perf stat -e instructions:u`
would be quicker, where a machine has such counters; the virtual ones of this project have none.)
"""

import json
import re
import shutil
import subprocess

from harness.model import Cell
from harness.schedule import CellError

SHORT, LONG = 0.5, 2.0
TIME_LIMIT = 120.0
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def available() -> bool:
    return shutil.which("valgrind") is not None


def per_operation(cell: Cell) -> float:
    operations_short, instructions_short = count(cell, SHORT)
    operations_long, instructions_long = count(cell, LONG)
    if operations_long <= operations_short:
        raise CellError("the longer run did no more operations")
    return (instructions_long - instructions_short) / (operations_long - operations_short)


def count(cell: Cell, seconds: float) -> tuple[int, int]:
    command = [*CALLGRIND, *cell.command, "--seconds", f"{seconds:g}", "--warmup", "0"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        raise CellError(f"gave no answer in {TIME_LIMIT:.0f} s") from None
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or collected is None:
        raise CellError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return json.loads(done.stdout)["operations"], int(collected[1])
