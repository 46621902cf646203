"""How a bulk run is getting on: a bar where there is a terminal and tqdm, and a summary at the end."""

import importlib
import sys
import time
from typing import Any

from ._engine import Bulk
from ._status import ANSWERED


class Progress:
    """Draws a bar on standard error if asked to and able."""

    def __init__(self, *, bar: bool) -> None:
        self._started = time.monotonic()
        self._answered = 0
        self._bar: Any = None
        terminal = bar and sys.stderr.isatty()
        self.wants_total = terminal and _tqdm() is not None
        # A tool that can do more says so, where somebody sees it.
        self._hints = terminal and not self.wants_total

    def begin(self, total: int | None, answered: int = 0) -> None:
        """Starts the clock and draws the bar; `total` may be unknown. So many were `answered` before."""
        self._started = time.monotonic()
        self._answered = answered
        if self.wants_total:
            self._bar = _tqdm()(
                total=total,
                initial=answered,
                unit=" names",
                unit_scale=True,
                dynamic_ncols=True,
                file=sys.stderr,
            )
        elif self._hints:
            self.note("pip install tqdm for a progress bar")

    def update(self, bulk: Bulk) -> None:
        """Draws what has been counted since."""
        if self._bar is not None:
            counts = bulk.counts()
            failures = ", ".join(
                f"{status} {count:,}" for status, count in _most_common(counts) if status != ANSWERED
            )
            self._bar.set_postfix_str(failures, refresh=False)
            self._bar.update(self._answered + sum(counts.values()) - self._bar.n)

    def note(self, text: str) -> None:
        """Says something beside the bar."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self, bulk: Bulk) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self.update(bulk)
            self._bar.close()
            self._bar = None

    def summary(self, bulk: Bulk) -> str:
        """How many names, how fast, and how many of each status."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        counts = bulk.counts()
        total = sum(counts.values())
        names = "name" if total == 1 else "names"
        lines = [f"{total:,} {names} in {seconds:.1f} s, {total / seconds:,.0f} a second"]
        width = max(map(len, counts), default=0)
        lines += [f"  {status:{width}} {count:>12,}" for status, count in _most_common(counts)]
        if bulk.retried:
            lines.append(f"{bulk.retried:,} asked again")
        return "\n".join(lines)


def _most_common(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _tqdm() -> Any:
    # It has no types of its own.
    try:
        return importlib.import_module("tqdm").tqdm
    except ImportError:
        return None
