"""The test suites of other projects, on what they run on by themselves and on pyuv, compared test by test.

    python tests/suites [--python 3.13] [--whole] [--json FILE] [PROJECT [PART ...]]

What passes on asyncio's loop, or on Twisted's own reactor, has to pass on pyuv's, unless left_out.txt says
why not. Projects are installed and their tests fetched by name into build/suites; requirements/suites*.txt
has the versions. Without `--whole` a few parts of each are run.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))

import bootstrap
import fetch
import left_out
from beside import Beside
from debian import SetupError
from judge import Judged, judge
from table import SUITES, Suite

SHOWN = 3000  # characters of what a test that fails said


def compare(suite: Suite, environment: Beside, parts: list[str], *, whole: bool) -> Judged:
    """Runs parts of a suite, and prints what came of each."""
    rows = {row.test: row for row in left_out.load() if row.holds(suite.project, environment.name)}
    total = Judged()
    answered: set[str] = set()
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        rest = {test: row.may_pass for test, row in rows.items()}
        jobs = {part: pool.submit(judge, suite, environment, part, rest) for part in parts}
        for part, job in jobs.items():
            judged = job.result()
            total.add(judged)
            answered |= judged.names & rows.keys()
            counts = (
                f"{judged.tests} tests, {judged.on_asyncio} pass on {suite.own}, {judged.on_pyuv} on pyuv's"
            )
            print(f"{suite.project} {part}: {counts}; {judged.seconds:.1f} s", flush=True)
    if whole and not total.loops:
        total.problems[f"{suite.project}: no loop of pyuv's was made"] = ""
    if whole:
        total.problems |= {f"{test}: is left out, and is no test": "" for test in rows.keys() - answered}
    return total


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/suites", description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="3.13", metavar="3.X", help="with which Python")
    parser.add_argument("--whole", action="store_true", help="all parts")
    parser.add_argument("--json", metavar="FILE", type=Path, help="where to write the counts")
    parser.add_argument("project", nargs="?", choices=SUITES, help="all by default")
    parser.add_argument("part", nargs="*", help="these alone")
    options = parser.parse_args()
    counts = {}
    failed = False
    for project in [options.project] if options.project else SUITES:
        suite = SUITES[project]
        try:
            (tests,) = bootstrap.environments_found([options.python])
            environment = Beside(tests, suite.lock)
            environment.prepare()
            environment.install_extension("testing")
            # What is fetched is fetched once, before several parts ask for it.
            suite.folder(environment)
            with suite.server():
                pass
            parts = options.part or (suite.parts(environment) if options.whole else [*suite.shard])
        except SetupError as error:
            print(f"suites: {error}", file=sys.stderr)
            return 1
        total = compare(suite, environment, parts, whole=options.whole and not options.part)
        for problem, detail in total.problems.items():
            print(f"fails: {problem}\n{textwrap.indent(detail[-SHOWN:], '    ')}")
        for test in total.flaky:
            print(f"not always the same: {test}")
        version = fetch.version(project, environment)
        print(
            f"{project} {version}: {total.tests} tests, {total.on_asyncio} pass on {suite.own}, "
            f"{total.on_pyuv} on pyuv's, {len(total.problems)} problems",
            flush=True,
        )
        counts[project] = {
            "version": version,
            "tests": total.tests,
            "asyncio": total.on_asyncio,
            "pyuv": total.on_pyuv,
            "problems": len(total.problems),
        }
        failed |= bool(total.problems)
    if options.json:
        options.json.write_text(json.dumps(counts, indent=1) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
