"""A process that forks in one thread while another uses a loop: the loop stays with its thread."""

import pytest

from util import IN_FORK, in_child, linux

pytestmark = linux

PRELUDE = (
    IN_FORK
    + """
import contextlib, gc, random, threading, time, warnings
import pyuv, pyuv.fs
warnings.simplefilter("ignore")
signal.alarm(60)
def works():
    loop, seen = pyuv.Loop(), []
    def done(name, handle=None):
        seen.append(name)
        if handle is not None: handle.close()
    pyuv.Timer(loop).start(lambda timer: done("timer", timer), 0.001)
    pyuv.Async(loop, lambda wake: done("async", wake)).send()
    watch = pyuv.Signal(loop)
    watch.start(lambda watch, number: done("signal", watch), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR2)
    pyuv.Process.spawn(loop, ["/bin/true"], exit_callback=lambda process, *end: done("process", process))
    loop.queue_work(lambda: None, lambda error: done("work"))
    loop.run()
    assert sorted(seen) == ["async", "process", "signal", "timer", "work"], seen
    loop.close()
"""
)


def test_the_child_is_told_why_it_cannot_have_the_loop():
    code = """
loop = pyuv.Loop()
wake = pyuv.Async(loop, lambda wake: wake.close())
def refused():
    for call in loop.fork, loop.fork, loop.run, wake.send, loop.close:
        try:
            call()
        except (pyuv.error.UVError, RuntimeError) as error:
            print(type(error).__name__, *error.args)
    works()
def fork():
    time.sleep(0.05)
    print(in_fork(refused))
    wake.send()
thread = threading.Thread(target=fork)
thread.start()
loop.run()
thread.join()
works()
"""
    *told, status = in_child(PRELUDE + code)
    why = (
        "another thread was using the loop when the process forked, and is not in the child; make a new loop"
    )
    assert told[0] == told[1] == f"UVError -16 resource busy or locked: {why} (fork)"
    assert len(told) == 5
    assert all("fork" in line for line in told[2:])
    assert status == "0"


@pytest.mark.parametrize("seed", range(4))
def test_no_child_of_a_busy_process_crashes_or_hangs(seed):
    code = (
        f"seed = {seed}"
        + """
random.seed(seed)
loop = pyuv.Loop()
handles = []
def churn(timer):
    # What libuv has half done when the process forks: handles that start, stop, close, read and write.
    a, b = pyuv.util.socketpair()
    ours, theirs = pyuv.Pipe(loop), pyuv.Pipe(loop)
    ours.open(a)
    theirs.open(b)
    theirs.start_read(lambda stream, data, error: (ours.close(), theirs.close()))
    ours.write(b"x" * random.randrange(1, 100000))
    watch = pyuv.Signal(loop)
    watch.start(print, signal.SIGUSR2)
    wake = pyuv.Async(loop, lambda wake: (wake.close(), watch.close()))
    wake.send()
    loop.queue_work(lambda: time.sleep(random.random() / 500), lambda error: None)
    pyuv.fs.stat(loop, "/", lambda request: None)
    handles[:] = [ours, theirs, watch, wake, timer]
    if random.random() < 0.2: time.sleep(0.0005)
for _ in range(3):
    pyuv.Timer(loop).start(churn, 0.001, 0.001)
stop = pyuv.Async(loop, lambda wake: loop.stop())

def use():
    def forked(call):
        # Refused, unless the loop was idle.
        with contextlib.suppress(pyuv.error.UVError, RuntimeError):
            call()
    steps = [loop.fork, lambda: loop.run(pyuv.UV_RUN_NOWAIT), loop.close, stop.send, gc.collect, works,
             lambda: handles and handles[0].close(), lambda: handles.clear(), lambda: repr(loop),
             lambda: loop.queue_work(int), lambda: loop.handles]
    random.shuffle(steps)
    for step in steps:
        works() if step is works else forked(step)

def fork():
    failed = []
    for number in range(60):
        time.sleep(random.random() / 200)
        random.seed(seed * 1000 + number)
        status = in_fork(use)
        if status: failed.append((number, status))
    print(failed)
    stop.send()
thread = threading.Thread(target=fork)
thread.start()
loop.run()
thread.join()
"""
    )
    assert in_child(PRELUDE + code) == ["[]"]


@pytest.mark.parametrize(
    ("end", "status"), [("return", 0), ("sys.exit(7)", 7), ("raise ValueError", 1), ("os._exit(3)", 3)]
)
def test_a_child_that_a_function_on_the_pool_forks_ends_with_that_function(end, status):
    lines = in_child(
        f"""
        import os, signal, sys, pyuv
        def work():
            if os.fork() == 0:
                signal.alarm(20)
                sys.stderr = open(os.devnull, "w")
                {end}
            else:
                print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
        loop = pyuv.Loop()
        loop.queue_work(work, print)
        loop.run()
        """
    )
    assert lines == [str(status), "None"]
