"""A display for windows that nobody sees: Xvfb, from Debian's package."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator

import debian


@contextlib.contextmanager
def display() -> Iterator[str]:
    """What programs find in DISPLAY, while the block lasts."""
    # It takes the first number that is free, and says on its standard output which when it is ready.
    command = [debian.program("Xvfb", "xvfb"), "-displayfd", "1", "-nolisten", "tcp"]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            number = server.stdout.readline().strip()
            if not number:
                log.seek(0)
                raise RuntimeError(f"Xvfb did not start: {log.read()}")
            yield f":{number}"
        finally:
            server.terminate()
