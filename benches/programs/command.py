"""A command from its start to its end: wall and CPU time, and the most memory that it had.

    command.py --lines FILE --wanted TEXT --version TEXT -- COMMAND...

Its operations are the lines that it leaves in FILE; a line without TEXT is an error.
"""

import argparse
import os
import resource
import subprocess

from measure import Meter, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", required=True)
    parser.add_argument("--wanted", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    meter = Meter(children=True)
    meter.start()
    subprocess.run(options.command, stdout=subprocess.DEVNULL, check=True)
    meter.stop()
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    lines = errors = 0
    with open(options.lines) as results:
        for line in results:
            lines += 1
            errors += options.wanted not in line
    os.unlink(options.lines)
    report(lines, meter, options.version, errors, [peak_kib])


main()
