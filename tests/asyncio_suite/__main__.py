"""CPython's own tests of asyncio, with pyuv's event loop in the place of the selector loop.

    python tests/asyncio_suite [--json FILE] [--write] [MODULE ...]

Each module runs in a process of its own, as this Python has it installed (Debian: libpython3-testsuite).
What passes on asyncio's own loop has to pass. left_out.txt names what does not and is not run, a line each
with the reason; `--write` runs all and makes this Python's lines anew: a test that reads or patches
what is private to the selector loop says so by itself, any other reason is written by hand.
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
LEFT_OUT = HERE / "left_out.txt"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

MODULES = [
    "test_base_events",
    "test_buffered_proto",
    "test_context",
    "test_eager_task_factory",
    "test_events",
    "test_free_threading",
    "test_futures",
    "test_locks",
    "test_pep492",
    "test_queues",
    "test_runners",
    "test_sendfile",
    "test_server",
    "test_sock_lowlevel",
    "test_ssl",
    "test_sslproto",
    "test_streams",
    "test_subprocess",
    "test_taskgroups",
    "test_tasks",
    "test_threads",
    "test_timeouts",
    "test_unix_events",
    "test_waitfor",
]

# What the selector loop and its transports keep to themselves.
PRIVATE = {
    "_add_reader",
    "_add_writer",
    "_csock",
    "_process_events",
    "_read_ready_cb",
    "_ready",
    "_remove_reader",
    "_remove_writer",
    "_run_once",
    "_scheduled",
    "_selector",
    "_ssock",
    # Of sslproto: the protocol below its transports.
    "SSLProtocol",
    "_ssl_protocol",
    "_test__append_write_backlog",
}

# The exit status that says so, as scripts/check.py knows it.
NOT_RUN = 77

# A module that takes longer hangs.
SECONDS = 300


def outcomes(which: str, module: str, chosen: str, tests: Sequence[str]) -> dict[str, str]:
    """How the tests of a module ended on asyncio's loop or on pyuv's."""
    command = [sys.executable, "-X", "dev", "-W", "ignore", HERE / "module.py", which, module]
    command += [chosen, *tests]
    ended: dict[str, str] = {}
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        told = ran.stdout
    except subprocess.TimeoutExpired as hung:
        told = (hung.stdout or b"").decode()
    for line in told.splitlines():
        row = json.loads(line)
        ended[row["test"]] = row["outcome"]
        if row["outcome"] == "failed" and which == "pyuv":
            print(f"{row['test']}\n{textwrap.indent(row['detail'], '    ')}", file=sys.stderr)
    return ended


Rows = Mapping[tuple[str, str], str]


def left_out() -> dict[tuple[str, str], str]:
    """The reason for each test that is left out, by Python and name."""
    rows = {}
    for line in LEFT_OUT.read_text().splitlines():
        if line and not line.startswith("#"):
            python, test, reason = line.split(maxsplit=2)
            rows[python, test] = reason
    return rows


def private_names(test: str) -> set[str]:
    """What a test uses of what is the selector loop's own, or sslproto's."""
    module, case, method = test.rsplit(".", 2)
    found = getattr(getattr(importlib.import_module(module), case), method)
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(found))))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # Also what a decorator or a call patches.
    used |= {node.value.split(".")[-1] for node in ast.walk(tree) if _is_text(node)}
    return used & PRIVATE


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def reason(test: str, before: str) -> str:
    """Why a test is left out."""
    if used := private_names(test):
        return f"private: {', '.join(sorted(used))}"
    return before or "?"


def write(failed: list[str]) -> None:
    """Puts this Python's lines anew."""
    rows = left_out()
    before = {test: text for (python, test), text in rows.items() if python == PYTHON}
    kept = {key: text for key, text in rows.items() if key[0] != PYTHON}
    kept |= {(PYTHON, test): reason(test, before.get(test, "")) for test in failed}
    head = [line for line in LEFT_OUT.read_text().splitlines() if line.startswith("#")]
    lines = [f"{python} {test} {text}" for (python, test), text in sorted(kept.items())]
    LEFT_OUT.write_text("\n".join([*head, *lines]) + "\n")


def judge(module: str, rows: Rows) -> Iterator[tuple[str, str]]:
    """Each test of a module, and whether it passed, failed, was skipped or left out."""
    prefix = f"test.test_asyncio.{module}."
    out = [test for python, test in rows if python == PYTHON and test.startswith(prefix)]
    yield from ((test, "left out") for test in out)
    ended = outcomes("pyuv", module, "without", out)
    if not ended:
        yield module, "failed"
    failed = [test for test, outcome in ended.items() if outcome in ("begun", "failed")]
    # What asyncio's own loop fails as well says nothing.
    theirs = outcomes("asyncio", module, "only", failed) if failed else {}
    for test, outcome in ended.items():
        if test in failed:
            yield test, "skipped" if theirs.get(test) == "failed" else "failed"
        else:
            yield test, outcome


def exists(module: str) -> bool:
    """Whether this Python has the module."""
    try:
        return importlib.util.find_spec(f"test.test_asyncio.{module}") is not None
    except ModuleNotFoundError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/asyncio_suite", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", type=Path, help="where to write the counts")
    parser.add_argument("--write", action="store_true", help="make this Python's lines of left_out.txt anew")
    parser.add_argument("module", nargs="*", help="the modules; all by default")
    options = parser.parse_args()
    modules = options.module or [module for module in MODULES if exists(module)]
    if not modules:
        print("not run: this Python is without its tests")
        return NOT_RUN
    rows = {} if options.write else left_out()
    counts: Counter[str] = Counter()
    failed: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        all_judged = pool.map(lambda module: [*judge(module, rows)], modules)
        for module, judged in zip(modules, all_judged, strict=True):
            ended = Counter(outcome for _, outcome in judged)
            print(
                f"{module:26} {', '.join(f'{number} {name}' for name, number in ended.items())}", flush=True
            )
            failed += [test for test, outcome in judged if outcome == "failed"]
            counts += ended
    if options.write:
        write(failed)
        return 0
    for test in failed:
        print(f"fails: {test}")
    if options.json:
        skipped = counts["skipped"] + counts["left out"]
        told = {"passed": counts["passed"], "failed": len(failed), "skipped": skipped}
        options.json.write_text(json.dumps(told))
    return 1 if failed or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
