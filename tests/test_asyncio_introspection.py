"""`python -m asyncio ps` and `pstree` of Python 3.14 see the tasks of another process."""

import os
import subprocess
import sys

import pytest

from util import start_child

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 14), reason="Python has them since 3.14"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the memory of another process is for root to read"),
]

PROGRAM = """
import asyncio, pyuv.asyncio

async def child():
    await asyncio.Event().wait()

async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(child(), name="the child")
        await asyncio.sleep(0)
        print("waits", flush=True)

pyuv.asyncio.run(main())
"""


@pytest.mark.parametrize("tool", ["ps", "pstree"])
def test_a_waiting_task_is_seen(tool):
    program = start_child(PROGRAM)
    try:
        assert program.stdout.readline() == "waits\n", program.communicate()[1]
        command = [sys.executable, "-m", "asyncio", tool, str(program.pid)]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=40, check=True).stdout
    finally:
        program.kill()
        program.communicate()
    [line] = [line for line in shown.splitlines() if "the child" in line]
    if tool == "ps":
        assert line.split()[-2] == "Task-1"
    assert "TaskGroup.__aexit__" in shown
    assert "main" in shown
