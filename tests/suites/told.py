"""What the process that runs a file of a suite is told, and tells.

By its environment: PYUV_SUITE_LOOP is `asyncio`, for what the project runs on by itself, or `pyuv`;
PYUV_SUITE_CHOICE a file of JSON, which tests are to be run (`only`), or all but which (`without`);
PYUV_SUITE_LINES the file that it writes to. A line of JSON says that a test has begun and another how it
ended, at once: the process may die in the next test.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import in_place


def begin(put: Callable[[], None] = in_place.put) -> None:
    """To be called first; `put` has the suite run on what is pyuv's, where it is to."""
    in_place.hear_interrupts()
    if on_pyuv():
        put()


def on_pyuv() -> bool:
    """Whether the suite is to run on pyuv."""
    return os.environ["PYUV_SUITE_LOOP"] == "pyuv"


def chosen(test: str) -> bool:
    """Whether a test is to be run."""
    if "only" in _choice:
        return test in _choice["only"]
    return test not in _choice["without"]


def named(test: str) -> bool:
    """Whether a test is among those that alone are to be run."""
    return test in _choice.get("only", ())


def say(test: str, outcome: str, detail: str = "") -> None:
    """Writes a line."""
    # A test may fork, and its child go on with the tests.
    if os.getpid() == _process:
        with _lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"test": test, "outcome": outcome, "detail": detail}) + "\n")


def end(loops: int | None = None) -> None:
    """To be called last: how many loops of pyuv's there were."""
    say("", "loops", str(in_place.made() if loops is None else loops))


_choice = {
    kind: frozenset(tests)
    for kind, tests in json.loads(Path(os.environ["PYUV_SUITE_CHOICE"]).read_text()).items()
}
_lines = Path(os.environ["PYUV_SUITE_LINES"])
_process = os.getpid()
