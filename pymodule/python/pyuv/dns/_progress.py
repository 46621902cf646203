"""How a bulk run is getting on: a bar where there is a terminal and tqdm, and a summary at the end."""

import importlib
import sys
import time
from collections import Counter
from typing import Any

from ._status import ANSWERED


class Progress:
    """Counts results by status; draws a bar on standard error if asked to and able."""

    def __init__(self, *, bar: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.retries = 0
        self._started = time.monotonic()
        self._bar: Any = None
        self.wants_total = bar and sys.stderr.isatty() and _tqdm() is not None

    def begin(self, total: int | None) -> None:
        """Starts the clock and draws the bar; `total` may be unknown."""
        self._started = time.monotonic()
        if self.wants_total:
            self._bar = _tqdm()(
                total=total, unit=" names", unit_scale=True, dynamic_ncols=True, file=sys.stderr
            )

    def update(self) -> None:
        """Draws what has been counted since."""
        if self._bar is not None:
            self._bar.set_postfix_str(self._failures(), refresh=False)
            self._bar.update(self.counts.total() - self._bar.n)

    def note(self, text: str) -> None:
        """Says something beside the bar."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self.update()
            self._bar.close()
            self._bar = None

    def summary(self) -> str:
        """How many names, how fast, and how many of each status."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        total = self.counts.total()
        lines = [f"{total:,} names in {seconds:.1f} s, {total / seconds:,.0f} a second"]
        width = max(map(len, self.counts), default=0)
        lines += [f"  {status:{width}} {count:>12,}" for status, count in self.counts.most_common()]
        if self.retries:
            lines.append(f"{self.retries:,} asked again")
        return "\n".join(lines)

    def _failures(self) -> str:
        return ", ".join(
            f"{status} {count:,}" for status, count in self.counts.most_common() if status != ANSWERED
        )


def _tqdm() -> Any:
    # It has no types of its own.
    try:
        return importlib.import_module("tqdm").tqdm
    except ImportError:
        return None
