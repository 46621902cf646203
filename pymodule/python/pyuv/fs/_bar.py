"""How a job is getting on: a bar where there is a terminal and tqdm."""

import importlib
import sys
from typing import Any

from .. import fs


class Bar:
    """Draws a bar on standard error, if asked to and able."""

    hinted = False
    """Whether it was said how to be able."""

    def __init__(self, *, wanted: bool) -> None:
        terminal = wanted and sys.stderr.isatty()
        self.wanted = terminal and _tqdm() is not None
        # A tool that can do more says so, where somebody sees it.
        self._hints = terminal and not self.wanted
        self._bar: Any = None
        self._bytes = False

    @property
    def drawn(self) -> bool:
        """Whether there is a bar."""
        return self._bar is not None

    def begin(self, unit: str, total: int | None = None) -> None:
        """Draws a bar that counts bytes (``B``) or entries; `total` may be unknown."""
        if self._hints and not Bar.hinted:
            Bar.hinted = True
            print("pip install tqdm for a progress bar", file=sys.stderr)
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
