from util import IN_FORK, in_child

PRELUDE = """
import os, signal, sys, threading, warnings, pyuv, pyuv.fs
warnings.simplefilter("ignore", DeprecationWarning)
signal.alarm(30)
loop = pyuv.Loop()
def ticks():
    seen = []
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: (seen.append(1), timer.close()), 0.001)
    loop.run()
    return len(seen)
"""


def child(code):
    return in_child(IN_FORK + PRELUDE + code)


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


def test_a_child_forked_in_a_callback_may_stop_the_loop_that_goes_on_below():
    code = """
def fork(timer):
    timer.close()
    again = pyuv.Timer(loop)
    again.start(lambda again: loop.stop(), 0.001, 0.001)
    if os.fork() == 0:
        signal.alarm(10)
    else:
        print(os.waitstatus_to_exitcode(os.wait()[1]))
pyuv.Timer(loop).start(fork, 0)
parent = os.getpid()
loop.run()
if os.getpid() != parent:
    os._exit(7)
print("the parent goes on")
"""
    assert child(code) == ["7", "the parent goes on"]


def test_a_child_that_exits_inside_a_callback_ends():
    code = """
def fork(timer):
    timer.close()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        raise SystemExit(7)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(status)
    wake.close()
wake = pyuv.Async(loop, lambda wake: None)
pyuv.Timer(loop).start(fork, 0)
loop.run()
print(ticks())
"""
    assert child(code) == ["7", "1"]


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
import select
# The loop's fd tells of what the pool sends once the loop has polled.
ticks()
told = []
loop.queue_work(lambda: None, told.append)
select.select([loop.fileno()], [], [])
def use():
    loop.fork()
    loop.run()
    print(told)
    loop.close()
print(in_fork(use))
loop.run()
print(told)
"""
    assert child(code) == ["[None]", "0", "[None]"]


def test_work_that_ends_while_the_process_forks_is_told_or_cancelled_in_the_child():
    code = """
def use():
    loop.fork()
    loop.run()
    assert told in ([None], [pyuv.errno.UV_ECANCELED]), told
    loop.close()
for _ in range(40):
    told, ended = [], threading.Event()
    loop.queue_work(ended.set, told.append)
    # The thread of the pool tells of it a moment after the work has ended.
    ended.wait()
    assert in_fork(use) == 0
    loop.run()
    assert told == [None], told
print("done")
"""
    assert child(code) == ["done"]


def test_what_the_parents_pool_has_in_hand_is_cancelled_in_the_child():
    code = """
import socket
told, gate, begun = [], threading.Event(), threading.Semaphore(0)
for _ in range(4):
    loop.queue_work(lambda: (begun.release(), gate.wait()), told.append)
    begun.acquire()
# No thread of the pool is left for these.
loop.queue_work(lambda: None, told.append)
taken_back = loop.queue_work(lambda: None, told.append)
assert taken_back.cancel()
pyuv.dns.getaddrinfo(loop, "localhost", callback=lambda found, error: told.append(error))
pyuv.dns.getnameinfo(loop, ("127.0.0.1", 1), callback=lambda found, error: told.append(error))
def use():
    loop.fork()
    loop.run()
    names = [pyuv.errno.errorcode[error] for error in told]
    print(*[f"{name} {names.count(name)}" for name in sorted(set(names))])
    loop.queue_work(lambda: None, told.append)
    pyuv.fs.stat(loop, "/", lambda request: told.append(request.error))
    loop.run()
    print(told[8:])
    loop.close()
print(in_fork(use))
gate.set()
loop.run()
print(told.count(None), told.count(pyuv.errno.UV_ECANCELED))
"""
    cancelled = "UV_EAI_CANCELED 2 UV_ECANCELED 6"
    assert child(code) == [cancelled, "[None, None]", "0", "7 1"]


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
