"""Standard output of the command line tools. It is None where the tool was started without one."""

import os
import sys


def flush_output() -> None:
    """Has all that was printed go out, or raises OSError."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Lets go of what did not go out: the interpreter would flush it once more when it ends."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
