"""Runs the cells in turn: each round runs each cell once, every other round backwards.

What disturbs the machine for a while then disturbs all programs alike, and a ratio is taken between
two samples of one round.
"""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from harness.kept import Kept
from harness.machine import load, on_core
from harness.model import Cell, Results, Sample

PATIENCE = 60.0
"""Seconds that a program may take beyond its measured time."""


class CellError(Exception):
    """The program ended badly, or printed something else than its line."""


def run_cell(cell: Cell, time_limit: float) -> dict[str, Any]:
    with on_core(cell.core):
        program = subprocess.Popen(cell.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = program.communicate(timeout=time_limit)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()
        raise CellError(f"gave no answer in {time_limit:.0f} s") from None
    if program.returncode != 0:
        last = errors.strip().splitlines()[-1:] or [f"exit status {program.returncode}"]
        raise CellError(last[0][:200])
    sample: dict[str, Any] = json.loads(output)
    if not sample["operations"]:
        raise CellError("did no operation")
    return sample


def run_rounds(
    cells: list[Cell], repeat: int, time_limit: float, kept: Kept, tell: Callable[[Cell, int, int], None]
) -> Results:
    """A cell that fails once is left out of the later rounds. What is `kept` is not run again. `tell`
    hears what begins, and how many are done."""
    results = Results(samples={cell: [] for cell in cells})
    for number in range(repeat):
        for place, cell in enumerate(cells if number % 2 == 0 else reversed(cells)):
            tell(cell, number, number * len(cells) + place)
            if cell in results.failures:
                continue
            sample = kept.find(cell, number)
            if sample is None:
                try:
                    sample = Sample(**run_cell(cell, time_limit), round=number, load=load())
                except CellError as failure:
                    results.failures[cell] = str(failure)
                    continue
                kept.add(cell, sample)
            results.samples[cell].append(sample)
    return results
