"""Makes and ends children, 200 a second or RATE, until it is interrupted: `churn.py [RATE]`.

Tests that look at other processes, or count what belongs to all, have to pass beside it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time


def main() -> None:
    pace = 1 / float(sys.argv[1] if len(sys.argv) > 1 else 200)
    begin = time.monotonic()
    for number in itertools.count(1):
        os.waitpid(os.posix_spawnp("true", ["true"], os.environ), 0)
        time.sleep(max(0.0, begin + number * pace - time.monotonic()))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
