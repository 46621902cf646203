from util import in_child

PRELUDE = """
import os, signal, sys, threading, warnings, pyuv, pyuv.fs
warnings.simplefilter("ignore", DeprecationWarning)
signal.alarm(30)
loop = pyuv.Loop()
def in_fork(function):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        status = 1
        try:
            function()
            sys.stdout.flush()
            status = 0
        except BaseException as error:
            print("child:", repr(error), flush=True)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def ticks():
    seen = []
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: (seen.append(1), timer.close()), 0.001)
    loop.run()
    return len(seen)
"""


def child(code):
    return in_child(PRELUDE + code)


def test_a_loop_that_was_not_forked_raises_in_the_child():
    code = """
timer, wake = pyuv.Timer(loop), pyuv.Async(loop, lambda wake: None)
ticks() if False else loop.run(pyuv.UV_RUN_NOWAIT)
def use():
    for call in (loop.run, loop.now, loop.stop, loop.close, lambda: loop.handles, lambda: loop.alive,
                 lambda: pyuv.Timer(loop), lambda: timer.start(print, 1), timer.close, wake.send,
                 lambda: loop.queue_work(print)):
        try:
            call()
        except RuntimeError as error:
            assert "fork" in str(error), error
        else:
            print("no error", call)
print(in_fork(use))
"""
    assert child(code) == ["0"]


def test_after_fork_timers_asyncs_polls_signals_and_work_go_on():
    code = """
import socket
assert ticks() == 1
ours, theirs = socket.socketpair()
seen = []
poll = pyuv.Poll(loop, ours)
poll.start(pyuv.UV_READABLE, lambda poll, events, error: (seen.append("poll"), poll.close()))
wake = pyuv.Async(loop, lambda wake: (seen.append("async"), wake.close()))
handle = pyuv.Signal(loop)
handle.start(lambda handle, number: (seen.append("signal"), handle.close()), signal.SIGUSR1)
loop.run(pyuv.UV_RUN_NOWAIT)
def use():
    loop.fork()
    theirs.send(b"x")
    wake.send()
    os.kill(os.getpid(), signal.SIGUSR1)
    loop.queue_work(lambda: None, lambda error: seen.append("work"))
    print(ticks(), sorted(seen))
    loop.close()
print(in_fork(use))
"""
    assert child(code) == ["1 ['async', 'poll', 'signal', 'work']", "0"]


def test_a_new_loop_in_the_child_needs_no_fork():
    code = """
assert ticks() == 1
def use():
    global loop
    loop = pyuv.Loop()
    print(ticks())
    loop.close()
print(in_fork(use))
"""
    assert child(code) == ["1", "0"]


def test_the_parents_loop_works_after_a_child_that_used_it():
    code = """
assert ticks() == 1
print(in_fork(lambda: (loop.fork(), ticks(), loop.close())))
print(ticks())
"""
    assert child(code) == ["0", "1"]


def test_the_parents_descriptors_are_still_polled_after_a_child_that_dropped_the_loop():
    code = """
import gc, socket
ours, theirs = socket.socketpair()
seen = []
poll = pyuv.Poll(loop, ours)
poll.start(pyuv.UV_READABLE, lambda poll, events, error: (seen.append(events), poll.close()))
loop.run(pyuv.UV_RUN_NOWAIT)
def drop():
    global loop, poll
    loop = poll = None
    gc.collect()
print(in_fork(drop))
theirs.send(b"x")
loop.run()
print(seen, ticks())
"""
    assert child(code) == ["0", "[1] 1"]


def test_ctrl_c_in_a_forked_child():
    code = """
signal.signal(signal.SIGINT, signal.default_int_handler)
assert ticks() == 1
def use():
    loop.fork()
    sleep = pyuv.Timer(loop)
    sleep.start(lambda timer: None, 25)
    prepare = pyuv.Prepare(loop)
    later = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    prepare.start(lambda prepare: (prepare.close(), later.start()))
    try:
        loop.run()
    except KeyboardInterrupt:
        print("interrupted")
print(in_fork(use), ticks())
"""
    assert child(code) == ["interrupted", "0 1"]


def test_fork_inside_a_callback():
    code = """
def fork(timer):
    def use():
        loop.fork()
        timer.close()
        print("in the child", loop.now() >= 0)
    print(in_fork(use))
timer = pyuv.Timer(loop)
timer.start(fork, 0)
loop.run()
print(ticks())
"""
    assert child(code) == ["in the child True", "0", "1"]


def test_a_child_that_exits_in_the_ordinary_way_ends():
    code = """
loop.queue_work(lambda: None)
loop.run()
pyuv.Timer(loop).start(lambda timer: None, 60)
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), loop.run(pyuv.UV_RUN_NOWAIT))
"""
    assert child(code) == ["5 True"]


def test_filesystem_operations_in_flight_end_in_the_child_too():
    code = """
out, into = os.pipe()
ended = []
pyuv.fs.read(loop, out, 1, -1, ended.append)
for _ in range(10):
    pyuv.fs.stat(loop, "/", ended.append)
def use():
    loop.fork()
    # For the read in the parent, and for that in the child if no thread had begun it.
    os.write(into, b"xx")
    loop.run()
    pyuv.fs.stat(loop, "/", ended.append)
    loop.run()
    print(len(ended), {request.error for request in ended[1:]})
    loop.close()
print(in_fork(use))
loop.run()
print(len(ended))
"""
    assert child(code) == ["12 {None}", "0", "11"]


def test_work_that_had_ended_in_the_parent_is_told_in_the_child():
    code = """
told, ended = [], threading.Event()
loop.queue_work(ended.set, told.append)
ended.wait()
def use():
    loop.fork()
    loop.run()
    print(told)
    loop.close()
# The thread of the pool tells of it a moment after the work has ended.
for pause in (0, 0.0001, 0.001, 0.1):
    threading.Event().wait(pause)
    print(in_fork(use))
loop.run()
print(told)
"""
    assert child(code) == ["[None]", "0"] * 4 + ["[None]"]


def test_in_its_own_process_a_loop_forgets_nothing_over_fork():
    code = """
told = []
wake = pyuv.Async(loop, lambda wake: (told.append("async"), wake.close()))
loop.queue_work(lambda: None, lambda error: told.append("work"))
wake.send()
threading.Event().wait(0.1)
backend = loop.fileno()
loop.fork()
print(loop.fileno() == backend)
loop.run()
print(sorted(told))
loop.close()
print(loop.closed)
"""
    assert child(code) == ["True", "['async', 'work']", "True"]
