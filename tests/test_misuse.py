"""No order of calls with whatever arguments ends the process or hangs it."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("misuse.py")


@pytest.mark.parametrize("seed", range(12))
def test_random_calls_never_end_the_process(seed):
    done = subprocess.run([sys.executable, PROGRAM, str(seed)], capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"seed {seed}", "done"], done.stderr
    assert done.returncode == 0
