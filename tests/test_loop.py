import os
import select
import threading
import weakref

import pytest
import pyuv

from util import Recorder, collect, in_child


def test_an_empty_loop_returns_at_once(loop):
    for mode in (pyuv.UV_RUN_DEFAULT, pyuv.UV_RUN_ONCE, pyuv.UV_RUN_NOWAIT):
        assert loop.run(mode) is False


def test_run_goes_on_until_nothing_is_active(loop):
    timer = pyuv.Timer(loop)
    ticks = Recorder(lambda timer: timer.stop() if len(ticks) == 3 else None)
    timer.start(ticks, 0, 0.001)
    assert loop.run() is False
    assert len(ticks) == 3


def test_run_once_waits_for_one_event_and_says_that_more_is_to_come(loop):
    # An event from a thread: the wait for a timer can end early.
    woken = Recorder()
    wake = pyuv.Async(loop, woken)
    sender = threading.Thread(target=wake.send)
    prepare = pyuv.Prepare(loop)
    prepare.start(lambda prepare: sender.start())
    assert loop.run(pyuv.UV_RUN_ONCE) is True
    sender.join()
    assert woken.calls == [(wake,)]


def test_run_nowait_does_not_wait(loop):
    ticks = Recorder()
    pyuv.Timer(loop).start(ticks, 60)
    assert loop.run(pyuv.UV_RUN_NOWAIT) is True
    assert ticks.calls == []


@pytest.mark.parametrize("mode", [-1, 3, 99])
def test_an_unknown_run_mode_is_named(loop, mode):
    with pytest.raises(ValueError, match=str(mode)):
        loop.run(mode)


@pytest.mark.parametrize("mode", ["once", None, 1.5, object()])
def test_a_run_mode_that_is_no_number_is_a_type_error(loop, mode):
    with pytest.raises(TypeError):
        loop.run(mode)


def test_a_run_mode_too_large_for_c_is_refused(loop):
    with pytest.raises((OverflowError, ValueError)):
        loop.run(1 << 40)


def test_stop_from_a_callback_ends_run_with_handles_still_active(loop):
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: loop.stop(), 0, 0.001)
    assert loop.run() is True
    assert timer.active


def test_stop_before_run_makes_it_one_round_that_does_not_wait(loop):
    ticks = Recorder()
    pyuv.Timer(loop).start(ticks, 60)
    loop.stop()
    assert loop.run() is True
    assert ticks.calls == []


def test_stop_ends_only_one_run(loop):
    ticks = Recorder()
    timer = pyuv.Timer(loop)
    timer.start(ticks, 0)
    loop.stop()
    loop.run()
    loop.run()
    assert len(ticks) == 1


def test_now_is_milliseconds_and_moves_with_update_time_only(loop):
    loop.update_time()
    before = loop.now()
    assert isinstance(before, int)
    clock = pyuv.util.hrtime()
    while pyuv.util.hrtime() - clock < 20_000_000:
        pass
    assert loop.now() == before
    loop.update_time()
    assert loop.now() - before >= 19


def test_now_moves_on_while_the_loop_waits(loop):
    before = loop.now()
    pyuv.Timer(loop).start(lambda timer: None, 0.02)
    loop.run()
    assert loop.now() - before >= 20


def test_alive_means_active_and_referenced(loop):
    assert loop.alive is False
    timer = pyuv.Timer(loop)
    assert loop.alive is False
    timer.start(lambda timer: None, 60)
    assert loop.alive is True
    timer.ref = False
    assert loop.alive is False
    timer.close()
    assert loop.alive is True
    loop.run()
    assert loop.alive is False


def test_get_timeout_is_seconds_to_the_next_timer(loop):
    timer = pyuv.Timer(loop)
    timer.start(lambda timer: None, 30)
    # The first round registers the loop's own descriptors.
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert 29 < loop.get_timeout() <= 30
    idle = pyuv.Idle(loop)
    idle.start(lambda idle: None)
    assert loop.get_timeout() == 0


def test_get_timeout_is_minus_one_where_only_an_event_can_come(loop):
    wake = pyuv.Async(loop, lambda wake: None)
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert loop.get_timeout() == -1.0
    wake.close()
    assert loop.get_timeout() == 0
    loop.run()
    assert loop.get_timeout() == -1.0


def test_another_thread_embeds_the_loop(loop):
    """It polls the loop's fd and has this thread run what is due, in turn."""
    turns, rounds = [threading.Semaphore(0) for _ in range(2)]
    wake = pyuv.Async(loop, Recorder(lambda wake: wake.close()))
    failures, done = [], threading.Event()

    def embed():
        try:
            while not done.is_set():
                timeout = loop.get_timeout()
                select.select([loop.fileno()], [], [], None if timeout < 0 else timeout)
                rounds.release()
                turns.acquire()
        except Exception as error:
            failures.append(error)
            rounds.release()

    seen = Recorder(lambda timer: wake.send() if len(seen) == 5 else None)
    timer = pyuv.Timer(loop)
    timer.start(seen, 0.002, 0.002)
    thread = threading.Thread(target=embed)
    thread.start()
    while not wake.closed and not failures:
        assert rounds.acquire(timeout=20)
        loop.run(pyuv.UV_RUN_ONCE)
        if wake.closed:
            done.set()
        turns.release()
    thread.join()
    assert failures == []
    assert len(seen) >= 5


def test_fileno_becomes_readable_when_something_is_sent(loop):
    wake = pyuv.Async(loop, lambda wake: None)
    assert isinstance(loop.fileno(), int)
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert select.select([loop.fileno()], [], [], 0)[0] == []
    wake.send()
    assert select.select([loop.fileno()], [], [], 20)[0] == [loop.fileno()]


def test_handles_lists_the_very_objects(loop):
    assert loop.handles == []
    timer, idle = pyuv.Timer(loop), pyuv.Idle(loop)
    assert set(map(id, loop.handles)) == {id(timer), id(idle)}


def test_closing_handles_are_listed_until_they_are_closed(loop):
    timer = pyuv.Timer(loop)
    timer.close()
    assert loop.handles == [timer]
    loop.run()
    assert loop.handles == []


def test_running_on_the_main_thread_adds_no_handle_to_the_list(loop):
    pyuv.Timer(loop).start(lambda timer: timer.close(), 0)
    loop.run()
    assert loop.handles == []


def test_a_dropped_inactive_handle_is_listed_until_the_loop_has_closed_it(loop):
    pyuv.Timer(loop)
    listed = loop.handles
    assert [type(handle) for handle in listed] == [pyuv.Timer]
    assert listed[0].closed
    del listed
    loop.run()
    assert loop.handles == []


def test_default_loop_is_one_and_knows_it(loop):
    code = """
        import pyuv
        default = pyuv.Loop.default_loop()
        print(default is pyuv.Loop.default_loop(), default.default, pyuv.Loop().default)
    """
    assert in_child(code) == ["True True False"]
    assert loop.default is False


def test_default_loop_of_a_subclass():
    code = """
        import pyuv
        class Mine(pyuv.Loop): pass
        print(type(Mine.default_loop()).__name__, Mine.default_loop().default)
    """
    assert in_child(code) == ["Mine True"]


@pytest.mark.parametrize("mode", [pyuv.UV_RUN_DEFAULT, pyuv.UV_RUN_ONCE, pyuv.UV_RUN_NOWAIT])
def test_run_from_a_callback_is_refused(loop, mode):
    caught = []

    def run(timer):
        try:
            loop.run(mode)
        except RuntimeError as error:
            caught.append(str(error))

    pyuv.Timer(loop).start(run, 0)
    loop.run()
    assert caught == ["the loop is already running"]


def test_one_loop_runs_inside_a_callback_of_another(loop):
    inner, ticks = pyuv.Loop(), Recorder()

    def run(timer):
        timer = pyuv.Timer(inner)
        timer.start(ticks, 0.002)
        inner.run()
        timer.close()
        inner.close()

    pyuv.Timer(loop).start(run, 0)
    loop.run()
    assert len(ticks) == 1
    assert inner.closed


def test_configure_idle_time_fills_metrics(loop):
    loop.configure(metrics_idle_time=True)
    # On a busy machine a timer can be due by the time the loop runs.
    while not loop.metrics().idle_time:
        pyuv.Timer(loop).start(lambda timer: None, 0.02)
        loop.run()
    metrics = loop.metrics()
    assert isinstance(metrics, pyuv.LoopMetrics)
    assert metrics.loop_count >= 1


def test_metrics_count_iterations(loop):
    assert loop.metrics().loop_count == 0
    assert loop.metrics().idle_time == 0.0
    for _ in range(3):
        pyuv.Timer(loop).start(lambda timer: None, 0)
        loop.run(pyuv.UV_RUN_NOWAIT)
    assert loop.metrics().loop_count == 3
    assert loop.counters == loop.metrics()
    assert "loop_count=3" in repr(loop.metrics())


def test_configure_takes_every_option(loop):
    loop.configure()
    loop.configure(block_sigprof=True)
    with pytest.raises(TypeError):
        loop.configure(no_such_option=True)
    with pytest.raises(TypeError):
        loop.configure(True)


@pytest.mark.parametrize("use", ["0", "1"])
def test_files_are_read_and_written_whether_or_not_libuv_may_use_io_uring(use, tmp_path):
    code = """
        import os, sys
        import pyuv
        from pyuv import fs

        loop = pyuv.Loop()
        loop.configure(io_uring=True)
        path = sys.argv[1]

        def opened(request):
            assert request.error is None, request.error
            fs.write(loop, request.result, b"ring", 0, written)

        def written(request):
            assert request.result == 4, request.error
            fs.fsync(loop, request.fd, synced)

        def synced(request):
            fs.read(loop, request.fd, 100, 0, read)

        def read(request):
            print(request.result)
            fs.close(loop, request.fd, lambda request: fs.stat(loop, path, stated))

        def stated(request):
            print(request.result.st_size)
            fs.stat(loop, path + "/below", lambda request: print(pyuv.errno.errorcode[request.error]))

        fs.open(loop, path, os.O_RDWR | os.O_CREAT, callback=opened)
        loop.run()
        loop.close()
    """
    printed = in_child(code, tmp_path / "file", env={**os.environ, "UV_USE_IO_URING": use})
    assert printed == ["b'ring'", "4", "UV_ENOTDIR"]


def test_a_second_init_is_refused(loop):
    with pytest.raises(RuntimeError):
        loop.__init__()
    assert loop.run() is False


UNINITIALISED = {
    "run": lambda loop: loop.run(),
    "stop": lambda loop: loop.stop(),
    "now": lambda loop: loop.now(),
    "update_time": lambda loop: loop.update_time(),
    "fileno": lambda loop: loop.fileno(),
    "get_timeout": lambda loop: loop.get_timeout(),
    "alive": lambda loop: loop.alive,
    "closed": lambda loop: loop.closed,
    "handles": lambda loop: loop.handles,
    "close": lambda loop: loop.close(),
    "fork": lambda loop: loop.fork(),
    "configure": lambda loop: loop.configure(),
    "metrics": lambda loop: loop.metrics(),
    "queue_work": lambda loop: loop.queue_work(print),
    "Timer": lambda loop: pyuv.Timer(loop),
}


@pytest.mark.parametrize("name", UNINITIALISED)
def test_a_subclass_that_does_not_call_init_is_told_so(name):
    class Mine(pyuv.Loop):
        def __init__(self):
            pass

    event_loop = Mine()
    with pytest.raises(RuntimeError, match="__init__"):
        UNINITIALISED[name](event_loop)
    assert "not initialised" in repr(event_loop)
    assert event_loop.default is False


def test_a_subclass_has_its_own_arguments():
    class Mine(pyuv.Loop):
        def __init__(self, name, *, size):
            super().__init__()
            self.name, self.size = name, size

    event_loop = Mine("mine", size=3)
    assert (event_loop.name, event_loop.size) == ("mine", 3)
    assert event_loop.run() is False
    assert "Mine" in repr(event_loop)
    event_loop.close()


def test_loops_carry_attributes_and_weak_references():
    event_loop = pyuv.Loop()
    event_loop.name = "mine"
    assert event_loop.name == "mine"
    reference = weakref.ref(event_loop)
    assert reference() is event_loop
    del event_loop
    collect()
    assert reference() is None


def test_repr_tells_the_state(loop):
    seen = []
    pyuv.Timer(loop).start(lambda timer: (seen.append(repr(loop)), timer.close()), 0)
    loop.run()
    assert "running" in seen[0]
    assert "idle" in repr(loop)
    loop.close()
    assert "closed" in repr(loop)


def test_loop_takes_no_arguments():
    with pytest.raises(TypeError):
        pyuv.Loop("surplus")
