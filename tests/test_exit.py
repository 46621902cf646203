"""A program ends when it says so, whatever its threads and its loops are doing."""

import time

import pytest

from util import finish, start_child

PRELUDE = """
import os, sys, threading, time, pyuv
loop = pyuv.Loop()
def ready():
    print("ready", flush=True)
"""

SITUATIONS = {
    "work that runs": """
begun = threading.Event()
loop.queue_work(lambda: (begun.set(), time.sleep(30)))
begun.wait()
""",
    "work that is queued": """
for _ in range(50):
    loop.queue_work(lambda: time.sleep(30), lambda error: print("done"))
""",
    "work whose loop is gone": """
loop.queue_work(lambda: time.sleep(30))
del loop
import gc
gc.collect()
""",
    "a daemon thread that sleeps in run": """
inside = threading.Event()
pyuv.Timer(loop).start(lambda timer: inside.set(), 0)
pyuv.Timer(loop).start(lambda timer: None, 30)
threading.Thread(target=loop.run, daemon=True).start()
inside.wait()
""",
    "a daemon thread that is busy in run": """
inside = threading.Event()
idle = pyuv.Idle(loop)
idle.start(lambda idle: inside.set())
threading.Thread(target=loop.run, daemon=True).start()
inside.wait()
""",
    "a daemon thread in run and work": """
inside = threading.Event()
for _ in range(20):
    loop.queue_work(lambda: (inside.set(), time.sleep(30)))
threading.Thread(target=loop.run, daemon=True).start()
inside.wait()
""",
    "handles that are active": """
pyuv.Timer(loop).start(lambda timer: loop, 30)
wake = pyuv.Async(loop, lambda wake: loop)
loop.run(pyuv.UV_RUN_NOWAIT)
""",
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("end", ["sys.exit(3)", "print('unflushed'); raise SystemExit(3)"])
def test_exit_is_prompt_with(situation, end):
    before = time.monotonic()
    child = start_child(PRELUDE + SITUATIONS[situation] + "ready()\n" + end + "\n")
    assert finish(child, status=3) == ["ready", "unflushed"][: 1 + ("unflushed" in end)]
    # The job sleeps for 30 s. A machine under load gets far more than the second it should take.
    assert time.monotonic() - before < 15


def test_exit_from_a_callback_with_work_in_flight():
    code = """
loop.queue_work(lambda: time.sleep(30))
pyuv.Timer(loop).start(lambda timer: (ready(), sys.exit(4)), 0)
loop.run()
"""
    before = time.monotonic()
    assert finish(start_child(PRELUDE + code), status=4) == ["ready"]
    assert time.monotonic() - before < 15


def test_atexit_functions_may_use_a_loop():
    code = """
import atexit
def last():
    pyuv.Timer(loop).start(lambda timer: print("ticked"), 0)
    loop.run()
    loop.close()
atexit.register(last)
"""
    assert finish(start_child(PRELUDE + code)) == ["ticked"]
