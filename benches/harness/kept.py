"""The samples of a run, kept as they come: a run that was interrupted goes on where it was."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.model import Cell, Sample


class Kept:
    """A file of samples, a line each, behind a line that says of what build and settings they are."""

    def __init__(self, path: Path, about: dict[str, Any], *, resume: bool) -> None:
        self.path = path
        self.samples: dict[tuple[str, str, int], Sample] = {}
        head, *lines = path.read_text().splitlines() if resume and path.exists() else [""]
        first = json.dumps(about)
        if head == first:
            for line in lines:
                kept = json.loads(line)
                sample = Sample(**kept["sample"])
                self.samples[kept["case"], kept["client"], sample.round] = sample
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(first + "\n")

    def find(self, cell: Cell, number: int) -> Sample | None:
        return self.samples.get((cell.case, cell.client, number))

    def add(self, cell: Cell, sample: Sample) -> None:
        line = {"case": cell.case, "client": cell.client, "sample": asdict(sample)}
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
