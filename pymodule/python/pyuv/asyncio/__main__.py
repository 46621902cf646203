"""``python -m pyuv.asyncio script.py [argument ...]``: runs a script whose event loops are pyuv's."""

import argparse
import asyncio
import runpy
import sys
import warnings


def main() -> None:
    """Runs the script that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m pyuv.asyncio",
        description="Runs a script, or a module with -m, whose asyncio event loops are pyuv's.",
    )
    parser.add_argument("-m", dest="module", action="store_true", help="the name is that of a module")
    parser.add_argument("script", help="the script or module")
    parser.add_argument("argument", nargs=argparse.REMAINDER, help="what it finds in sys.argv")
    options = parser.parse_args()
    with warnings.catch_warnings():
        # There is no other way into asyncio.run() of a script that names no loop factory.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ._policy import EventLoopPolicy

        asyncio.set_event_loop_policy(EventLoopPolicy())
    sys.argv = [options.script, *options.argument]
    if options.module:
        runpy.run_module(options.script, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(__import__("pathlib").Path(options.script).resolve().parent)
        runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main()
