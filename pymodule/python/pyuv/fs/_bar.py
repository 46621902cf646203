"""How a job is getting on: a bar where there is a terminal and tqdm."""

import importlib
import sys
from typing import Any

from .. import fs


class Bar:
    """Draws a bar on standard error, if asked to and able."""

    def __init__(self, *, wanted: bool) -> None:
        self.wanted = wanted and sys.stderr.isatty() and _tqdm() is not None
        self._bar: Any = None
        self._bytes = False

    @property
    def drawn(self) -> bool:
        """Whether there is a bar."""
        return self._bar is not None

    def begin(self, unit: str, total: int | None = None) -> None:
        """Draws a bar that counts bytes (``B``) or entries; `total` may be unknown."""
        if self.wanted:
            self._bytes = unit == "B"
            self._bar = _tqdm()(
                total=total,
                unit=unit if self._bytes else f" {unit}",
                unit_scale=True,
                unit_divisor=1024 if self._bytes else 1000,
                dynamic_ncols=True,
                file=sys.stderr,
                # One without an end shows nothing when it is over.
                leave=total is not None,
            )

    def update(self, progress: fs.tree_progress) -> None:
        """Draws how far the job is."""
        if self._bar is not None:
            count = progress.bytes if self._bytes else progress.files + progress.folders
            if progress.errors:
                self._bar.set_postfix_str(f"{progress.errors:,} failed", refresh=False)
            self._bar.update(count - self._bar.n)

    def end(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _tqdm() -> Any:
    # It has no types of its own.
    try:
        return importlib.import_module("tqdm").tqdm
    except ImportError:
        return None
