import signal
import time

import pytest

from util import finish, in_child, start_child

PRELUDE = """
import _thread, os, signal, socket, sys, threading, time, pyuv
signal.signal(signal.SIGINT, signal.default_int_handler)
loop = pyuv.Loop()
def later(number=signal.SIGINT):
    # Sends the signal from another thread once the loop is about to sleep.
    prepare = pyuv.Prepare(loop)
    def start(prepare):
        prepare.close()
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
    prepare.start(start)
sleep = pyuv.Timer(loop)
sleep.start(lambda timer: print("slept"), 30)
def fail(error):
    raise error
def works():
    ticks = []
    sleep.stop()
    pyuv.Timer(loop).start(lambda timer: ticks.append(1), 0.001)
    loop.run()
    print("works", len(ticks))
"""


def child(code):
    return in_child(PRELUDE + code)


@pytest.mark.parametrize("mode", ["UV_RUN_DEFAULT", "UV_RUN_ONCE"])
def test_ctrl_c_wakes_a_sleeping_loop(mode):
    code = f"""
later()
try:
    while True:
        loop.run(pyuv.{mode})
except KeyboardInterrupt:
    print("interrupted")
works()
"""
    assert child(code) == ["interrupted", "works 1"]


def test_ctrl_c_wakes_a_loop_whatever_threading_says():
    """gevent's monkey patching has the names of `threading` and `_thread` speak of greenlets."""
    code = """
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.1)
threading.main_thread = threading.current_thread = lambda: None
threading.get_ident = _thread.get_ident = lambda: 12345
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted", flush=True)
# What ends the interpreter believes those names.
os._exit(0)
"""
    assert child(code) == ["interrupted"]


def test_ctrl_c_while_the_loop_is_busy():
    code = """
idle = pyuv.Idle(loop)
idle.start(id)
later()
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted")
idle.close()
works()
"""
    assert child(code) == ["interrupted", "works 1"]


def test_ctrl_c_from_outside_ends_the_process():
    running = start_child(PRELUDE + "print('ready', flush=True)\nloop.run()\n")
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)
    assert "KeyboardInterrupt" in err
    assert running.returncode in (-signal.SIGINT, 1, 130)


def test_ctrl_c_at_the_very_start_of_run_is_not_lost():
    # It comes before the loop has its wakeup fd in some of these, and the loop has nothing else to wake it.
    for tenths_of_a_millisecond in range(10):
        running = start_child(
            "import pyuv\nloop = pyuv.Loop()\nwake = pyuv.Async(loop, print)\n"
            "print('ready', flush=True)\nloop.run()\n"
        )
        assert running.stdout.readline() == "ready\n"
        time.sleep(tenths_of_a_millisecond / 10_000)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
        assert "KeyboardInterrupt" in err


def test_an_earlier_wakeup_fd_gets_its_bytes_and_is_restored():
    code = """
ours, theirs = socket.socketpair()
ours.setblocking(False)
theirs.setblocking(False)
signal.set_wakeup_fd(theirs.fileno())
signal.signal(signal.SIGUSR1, lambda number, frame: loop.stop())
later(signal.SIGUSR1)
loop.run()
print(ours.recv(9) == bytes([signal.SIGUSR1]))
print(signal.set_wakeup_fd(-1) == theirs.fileno())
works()
"""
    assert child(code) == ["True", "True", "works 1"]


def test_the_loops_own_wakeup_fd_set_by_somebody_who_saw_it():
    code = """
seen = []
def look(timer):
    timer.close()
    seen.append(signal.set_wakeup_fd(-1))
    signal.set_wakeup_fd(seen[0])
    loop.stop()
pyuv.Timer(loop).start(look, 0.001)
loop.run()
signal.set_wakeup_fd(seen[0])
signal.signal(signal.SIGUSR1, lambda number, frame: loop.stop())
later(signal.SIGUSR1)
loop.run()
print(signal.set_wakeup_fd(-1) == seen[0])
works()
"""
    assert child(code) == ["True", "works 1"]


def test_no_wakeup_fd_is_left_behind():
    code = """
works()
print(signal.set_wakeup_fd(-1))
"""
    assert child(code) == ["works 1", "-1"]


def test_pythons_signal_handlers_run_while_the_loop_sleeps():
    code = """
got = []
signal.signal(signal.SIGUSR1, lambda number, frame: (got.append(number), loop.stop()))
later(signal.SIGUSR1)
loop.run()
print(got == [signal.SIGUSR1])
works()
"""
    assert child(code) == ["True", "works 1"]


def test_an_exception_of_a_signal_handler_goes_to_the_hook():
    code = """
seen = []
loop.excepthook = lambda kind, value, traceback: (seen.append(kind.__name__), loop.stop())
signal.signal(signal.SIGUSR1, lambda number, frame: fail(ValueError()))
later(signal.SIGUSR1)
loop.run()
print(seen)
"""
    assert child(code) == ["['ValueError']"]


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt"])
@pytest.mark.parametrize("where", ["timer", "close", "work", "done", "hook", "async"])
def test_what_is_to_end_the_program_leaves_run(error, where):
    code = f"""
raising = lambda *arguments: fail({error}("mine"))
where = {where!r}
if where == "timer":
    pyuv.Timer(loop).start(raising, 0)
elif where == "close":
    pyuv.Timer(loop).close(raising)
elif where == "work":
    loop.queue_work(raising)
elif where == "done":
    loop.queue_work(id, raising) if False else loop.queue_work(lambda: None, raising)
elif where == "hook":
    loop.excepthook = raising
    pyuv.Timer(loop).start(lambda timer: fail(ValueError()), 0)
elif where == "async":
    wake = pyuv.Async(loop, raising)
    wake.ref = False
    wake.send()
try:
    loop.run()
except {error} as error:
    print(error.args)
works()
"""
    assert child(code) == ["('mine',)", "works 1"]


def test_a_loop_in_another_thread_leaves_the_wakeup_fd_alone():
    code = """
ours, theirs = socket.socketpair()
theirs.setblocking(False)
signal.set_wakeup_fd(theirs.fileno())
seen = []
def look(timer):
    sleep.stop()
    seen.append(signal)
def run():
    pyuv.Timer(loop).start(look, 0)
    loop.run()
thread = threading.Thread(target=run)
thread.start()
thread.join()
print(len(seen), signal.set_wakeup_fd(-1) == theirs.fileno())
"""
    assert child(code) == ["1 True"]


def test_an_uncaught_system_exit_sets_the_status():
    running = start_child(PRELUDE + "pyuv.Timer(loop).start(lambda timer: sys.exit(7), 0)\nloop.run()\n")
    assert finish(running, 7) == []


def test_ctrl_c_wakes_a_loop_whose_wakeup_fd_a_callback_has_replaced():
    code = """
ours, theirs = socket.socketpair()
theirs.setblocking(False)
pyuv.Timer(loop).start(lambda timer: (signal.set_wakeup_fd(theirs.fileno()), later()), 0)
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted")
signal.set_wakeup_fd(-1)
works()
"""
    assert child(code) == ["interrupted", "works 1"]


def test_ctrl_c_wakes_a_loop_that_has_no_descriptor_for_its_wakeup():
    code = """
import resource
later()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted")
works()
"""
    assert child(code) == ["interrupted", "works 1"]


def test_a_signal_that_python_has_no_handler_for_leaves_the_loop_asleep():
    code = """
sleep.start(lambda timer: print("slept"), 0.5)
laps = []
check = pyuv.Check(loop)
check.start(laps.append)
check.ref = False
later(signal.SIGCONT)
loop.run()
print(len(laps) < 10)
"""
    assert child(code) == ["slept", "True"]
