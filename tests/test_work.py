import os
import re
import threading
import weakref

import pytest
import pyuv
from pyuv import errno

from util import Recorder, in_child


def test_work_runs_in_another_thread_and_done_on_the_loops(loop):
    threads = []
    done = Recorder(lambda error: threads.append(threading.get_ident()))
    request = loop.queue_work(lambda: threads.append(threading.get_ident()), done)
    assert isinstance(request, pyuv.WorkRequest)
    loop.run()
    assert done.calls == [(None,)]
    assert threads[0] != threads[1] == threading.get_ident()


def test_done_is_optional(loop):
    worked = Recorder()
    loop.queue_work(worked)
    loop.queue_work(worked, None)
    loop.run()
    assert len(worked) == 2


def test_work_in_flight_keeps_the_loop_alive(loop):
    release = threading.Event()
    loop.queue_work(release.wait)
    assert loop.alive
    release.set()
    loop.run()
    assert not loop.alive


@pytest.mark.parametrize("value", [None, 1, "work"])
def test_work_that_is_not_callable_is_named(loop, value):
    with pytest.raises(TypeError, match=re.escape(repr(value))):
        loop.queue_work(value)
    assert not loop.alive


def test_done_that_is_not_callable_is_named(loop):
    with pytest.raises(TypeError, match="17"):
        loop.queue_work(lambda: None, 17)
    assert not loop.alive


def test_what_work_raises_goes_to_the_hook_and_done_is_called(loop):
    order = []
    loop.excepthook = lambda kind, value, traceback: order.append(kind)
    loop.queue_work(lambda: 1 / 0, lambda error: order.append(error))
    loop.run()
    assert order == [ZeroDivisionError, None]


def test_what_done_raises_goes_to_the_hook(loop):
    hook = Recorder()
    loop.excepthook = hook
    loop.queue_work(lambda: None, lambda error: 1 / 0)
    loop.run()
    assert [kind for kind, *_ in hook.calls] == [ZeroDivisionError]


def test_what_has_begun_or_ended_is_not_cancelled(loop):
    begun, release, done = threading.Event(), threading.Event(), Recorder()

    def work():
        begun.set()
        release.wait()

    request = loop.queue_work(work, done)
    assert begun.wait(20)
    assert request.cancel() is False
    release.set()
    loop.run()
    assert request.cancel() is False
    assert done.calls == [(None,)]


def test_what_is_queued_can_be_cancelled_once():
    """In a process whose pool has one thread, which is busy."""
    code = """
        import os, threading
        os.environ["UV_THREADPOOL_SIZE"] = "1"
        import pyuv
        loop, release, seen = pyuv.Loop(), threading.Event(), []
        loop.queue_work(release.wait, lambda error: seen.append(("first", error)))
        queued = loop.queue_work(lambda: seen.append("worked"), lambda error: seen.append(("second", error)))
        print(queued.cancel(), queued.cancel())
        release.set()
        loop.run()
        print(sorted(seen, key=str) == [("first", None), ("second", pyuv.errno.UV_ECANCELED)])
        print(queued.cancel())
        loop.close()
        print(queued.cancel())
    """
    assert in_child(code) == ["True False", "True", "False", "False"]
    assert errno.UV_ECANCELED < 0


def test_a_request_carries_attributes_and_dies_after_done(loop):
    done = Recorder()
    request = loop.queue_work(lambda: None, done)
    request.name = "mine"
    reference = weakref.ref(request)
    del request
    assert reference().name == "mine"
    loop.run()
    assert len(done) == 1
    assert reference() is None


def test_a_request_is_not_made_by_hand():
    with pytest.raises(TypeError):
        pyuv.WorkRequest()


def test_work_queues_work(loop):
    seen = []

    def done(error):
        seen.append(error)
        if len(seen) < 20:
            loop.queue_work(lambda: None, done)

    loop.queue_work(lambda: None, done)
    loop.run()
    assert seen == [None] * 20


def test_much_work(loop):
    done = Recorder()
    for _ in range(1000):
        loop.queue_work(lambda: None, done)
    loop.run()
    assert done.calls == [(None,)] * 1000


def test_a_thread_of_the_pool_keeps_what_python_has_of_it():
    code = """
    import threading, pyuv
    loop, mine = pyuv.Loop(), threading.local()
    def work():
        mine.count = getattr(mine, "count", 0) + 1
        counts.append(mine.count)
    counts = []
    for _ in range(3):
        loop.queue_work(work)
    loop.run()
    print(counts)
    """
    assert in_child(code, env=os.environ | {"UV_THREADPOOL_SIZE": "1"}) == ["[1, 2, 3]"]
