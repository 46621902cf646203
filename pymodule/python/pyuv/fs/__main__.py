"""``python -m pyuv.fs``: adds up, copies and removes trees."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from pyuv._output import discard_output, flush_output

from ._command import COMMANDS, Failed, Interrupted
from ._show import Exit, show, tell

PROGRAM: Final = "python -m pyuv.fs"
EPILOG: Final = """\
exit status: 0 all went well; 1 something failed; 2 wrong usage; 130 interrupted by Ctrl-C, 143 by SIGTERM;
141 who read standard output has left
"""


def concurrency(text: str) -> int:
    """A number of threads."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def parser() -> argparse.ArgumentParser:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print the result as a JSON object on one line")
    common.add_argument("--quiet", action="store_true", help="no progress bar, and of copy and rm no summary")
    common.add_argument("--stop", action="store_true", help="end with the first path that fails")
    common.add_argument(
        "--concurrency",
        type=concurrency,
        metavar="N",
        help="threads at work at most (as many as the pool has)",
    )
    made = argparse.ArgumentParser(prog=PROGRAM, description=__doc__, epilog=EPILOG)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    du = commands.add_parser("du", parents=[common], help="adds up what a tree takes")
    du.add_argument("paths", metavar="PATH", nargs="+")
    du.add_argument("--bytes", action="store_true", help="print exact numbers")
    copy = commands.add_parser(
        "copy", parents=[common], help="copies a tree, or a file, with permissions and times"
    )
    copy.add_argument("paths", metavar="SRC", nargs="+")
    copy.add_argument(
        "destination",
        metavar="DST",
        help="the name of the copy, which must not exist; of several SRC, the folder that they go into",
    )
    copy.add_argument(
        "--overwrite", action="store_true", help="copy into folders, and over files, that exist"
    )
    copy.add_argument("--ownership", action="store_true", help="give the copies the owners of the originals")
    copy.add_argument(
        "--skip-special",
        action="store_true",
        help="pass over pipes, sockets and devices, which fail otherwise",
    )
    rm = commands.add_parser("rm", parents=[common], help="removes a tree, or a file")
    rm.add_argument("paths", metavar="PATH", nargs="+")
    return made


def copy_of(path: str, options: argparse.Namespace) -> str:
    """The name of the copy."""
    destination: str = options.destination
    if len(options.paths) == 1:
        return destination
    return os.path.join(destination, os.path.basename(path.rstrip("/")))


def perform(options: argparse.Namespace) -> bool:
    """Does what is asked for with one path; whether all of it went well."""
    try:
        outcome = COMMANDS[options.command](options)
    except Failed as failed:
        outcome = failed.outcome
    tell(PROGRAM, options, outcome["errors"])
    show(options, outcome)
    return not outcome["errors"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the exit status."""
    options = parser().parse_args(arguments)
    try:
        status = Exit.DONE
        for path in options.paths:
            options.path = path
            if options.command == "copy":
                options.new_path = copy_of(path, options)
            if not perform(options):
                status = Exit.FAILED
                if options.stop:
                    break
        flush_output()
    except BrokenPipeError:
        discard_output()
        return Exit.PIPE_CLOSED
    except OSError as error:
        discard_output()
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return Exit.FAILED
    except Interrupted as interrupted:
        print(f"{PROGRAM}: interrupted: {interrupted}", file=sys.stderr)
        return 128 + interrupted.number
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
