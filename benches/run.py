"""Measures pyuv against C and its peers: `python benches/run.py [SUITE ...]`.

Makes what it needs under build/bench/ (a virtual environment with the peers and pyuv, the C
references), runs the programs in interleaved rounds, prints ratio tables, and writes every raw
sample to benches/results/ as JSON beside the Markdown that docs/performance.md includes. Leave the
machine alone meanwhile.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from harness import environment
from harness.model import MEMORY, SUITES

RESULTS = environment.BENCHES / "results"
# The name servers are those of the tests.
sys.path += [str(environment.ROOT / folder) for folder in ("tests", "scripts")]
INSIDE = "PYUV_BENCHES_INSIDE"
"""Set while run.py runs in the environment that it made."""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", help=f"which of {', '.join(SUITES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="3 short rounds: does it work?")
    parser.add_argument("--only", metavar="REGEX", help="only the cases in whose name this is found")
    parser.add_argument("--repeat", type=int, help="rounds (10)")
    parser.add_argument("--seconds", type=float, help="measured time of a cell in a round (2)")
    parser.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")
    parser.add_argument("--no-peers", action="store_true", help="only pyuv and its references")
    parser.add_argument("--memory", action="store_true", help="also a million DNS queries each")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="count user instructions per operation under valgrind instead",
    )
    parser.add_argument("--check", action="store_true", help="fail when a limit is broken")
    parser.add_argument(
        "--here",
        action="store_true",
        help="use this interpreter and what is installed in it; make no environment",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the files go")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    options.suites = options.suites or list(SUITES)
    if options.memory:
        options.suites.append(MEMORY)
    options.repeat = options.repeat or (3 if options.quick else 10)
    options.seconds = options.seconds or (0.3 if options.quick else 2.0)
    return options


def main() -> int:
    options = parse()
    try:
        if not options.here and INSIDE not in os.environ:
            python = environment.virtual_environment()
            environment.install_pyuv(python)
            command = [str(python), __file__, *sys.argv[1:]]
            return subprocess.run(command, env=os.environ | {INSIDE: "1"}).returncode
        references = environment.build_references(Path(sys.executable))
    except environment.SetupError as problem:
        print(f"benches: {problem}", file=sys.stderr)
        return 2
    from harness.session import measure

    return measure(options, references)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
