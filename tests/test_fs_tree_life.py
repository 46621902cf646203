"""Jobs on trees and the loop they are on: cancelling, closing, collecting, callbacks that raise."""

import gc
import os
import signal
import weakref

import pytest
import pyuv
from fsutil import block_pool
from pyuv import fs
from treeutil import FOLDERS, ask, grow

from util import Recorder, collect, finish, in_child, start_child, time_limit

CALLS = ["walk", "du", "copytree", "rmtree", "read_many"]


@pytest.fixture
def root(tmp_path):
    return grow(tmp_path / "tree")


def start(name, loop, root, callback, **options):
    """Submits a job of that name."""
    arguments = [root]
    if name == "copytree":
        arguments.append(root.parent / "copy")
    if name == "read_many":
        arguments = [list(root.rglob("file *"))]
    return getattr(fs, name)(loop, *arguments, callback=callback, **options)


@pytest.mark.parametrize("name", CALLS)
def test_a_job_that_has_not_begun_is_cancelled(name, root):
    loop = pyuv.Loop()
    release = block_pool(loop)
    recorder = Recorder()
    request = start(name, loop, root, recorder)
    assert request.cancel() is True
    assert request.cancel() is False
    assert len(recorder) == 0
    release()
    with time_limit(loop):
        loop.run()
    assert recorder.calls == [(request,)]
    assert (request.error, request.result) == (pyuv.errno.UV_ECANCELED, None)
    assert request.progress == (0, 0, 0, 0)
    assert root.exists()
    loop.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["walk", "du", "copytree", "rmtree", "read_many"])
def test_a_job_under_way_is_cancelled(name, tmp_path):
    root = tmp_path / "tree"
    for number in range(60):
        (root / str(number)).mkdir(parents=True)
        for file in range(100):
            (root / str(number) / f"file {file}").touch()
    loop = pyuv.Loop()
    outcomes = set()
    for ticks in range(40):
        if not root.exists():
            break
        recorder = Recorder()
        request = start(
            name, loop, root, recorder, concurrency=1, **({"exist_ok": True} if name == "copytree" else {})
        )
        for _ in range(ticks):
            loop.run(pyuv.UV_RUN_NOWAIT)
        cancelled = request.cancel()
        with time_limit(loop):
            loop.run()
        assert recorder.calls == [(request,)]
        assert (request.error == pyuv.errno.UV_ECANCELED) is cancelled
        outcomes.add(cancelled)
    assert True in outcomes
    loop.close()


def test_the_callback_of_progress_may_cancel(root):
    loop = pyuv.Loop()
    recorder = Recorder()
    request = fs.walk(loop, root, on_batch=lambda batch: request.cancel(), callback=recorder)
    with time_limit(loop):
        loop.run()
    assert recorder.calls == [(request,)]
    assert request.error in (None, pyuv.errno.UV_ECANCELED)


def test_short_operations_are_not_held_up(tmp_path):
    root = tmp_path / "tree"
    for number in range(60):
        (root / str(number)).mkdir(parents=True)
        for file in range(200):
            (root / str(number) / str(file)).touch()
    loop = pyuv.Loop()
    order = []
    fs.copytree(loop, root, tmp_path / "copy", callback=lambda request: order.append("tree"))

    def again(request):
        order.append("stat")
        if "tree" not in order:
            fs.stat(loop, root, again)

    fs.stat(loop, root, again)
    with time_limit(loop):
        loop.run()
    assert order.index("tree") >= 3


def test_a_loop_with_a_job_in_flight_does_not_close(root):
    loop = pyuv.Loop()
    request = fs.du(loop, root, callback=lambda request: None)
    with pytest.raises(pyuv.error.UVError, match="in flight"):
        loop.close()
    with time_limit(loop):
        loop.run()
    assert request.result.folders == FOLDERS
    loop.close()


@pytest.mark.parametrize("name", CALLS)
def test_a_loop_is_collected_with_its_jobs(name, root):
    for ticks in range(5):
        loop = pyuv.Loop()
        recorder = Recorder()
        request = start(name, loop, root, recorder, **({"exist_ok": True} if name == "copytree" else {}))
        request.cycle = request
        for _ in range(ticks):
            loop.run(pyuv.UV_RUN_NOWAIT)
        told = len(recorder)
        gone = weakref.ref(loop), weakref.ref(request)
        del loop, request
        if told:
            recorder.calls.clear()
        collect()
        assert [reference() for reference in gone] == [None, None]
        assert len(recorder) in (0, told)
        if not root.exists():
            break


def test_callables_are_kept_and_let_go(root):
    class Told(Recorder):
        pass

    loop = pyuv.Loop()
    told = [Told(), Told(), Told()]
    gone = [weakref.ref(one) for one in told]
    request = fs.walk(loop, root, progress=told[0], on_batch=told[1], callback=told[2])
    del told
    gc.collect()
    assert all(reference() is not None for reference in gone)
    with time_limit(loop):
        loop.run()
    gc.collect()
    # The request has let go of them; what the last was called with is a cycle no more.
    assert [reference() for reference in gone] == [None, None, None]
    assert request.error is None


def test_exceptions_of_callbacks_go_to_the_excepthook(root):
    loop = pyuv.Loop()
    hook = Recorder()
    loop.excepthook = hook

    def fail(*arguments):
        raise LookupError

    fs.walk(loop, root, progress=fail, on_batch=fail, callback=fail)
    with time_limit(loop):
        loop.run()
    assert {call[0] for call in hook.calls} == {LookupError}
    assert len(hook) >= 3
    loop.close()


@pytest.mark.parametrize("which", ["progress", "on_batch"])
def test_an_exception_ends_a_job_without_a_callback(which, root):
    def fail(told):
        raise LookupError

    with pytest.raises(LookupError):
        fs.walk(pyuv.Loop(), root, **{which: fail})


def test_jobs_share_a_loop(root, tmp_path):
    loop = pyuv.Loop()
    requests = [fs.du(loop, root, callback=lambda request: None) for _ in range(20)]
    requests += [fs.copytree(loop, root, tmp_path / str(n), callback=lambda request: None) for n in range(3)]
    with time_limit(loop, 40):
        loop.run()
    assert {request.result.folders for request in requests} == {FOLDERS}
    loop.close()


def test_a_callback_may_start_the_next_job(root, tmp_path):
    loop = pyuv.Loop()
    results = []

    def copied(request):
        results.append(request.result.folders)
        fs.rmtree(loop, tmp_path / "copy", callback=removed)

    def removed(request):
        results.append(request.result.folders)

    fs.copytree(loop, root, tmp_path / "copy", callback=copied)
    with time_limit(loop):
        loop.run()
    assert results == [FOLDERS, FOLDERS]
    assert not (tmp_path / "copy").exists()


def test_another_threads_loop_refuses(root):
    code = """
        import sys, threading
        import pyuv
        from pyuv import fs
        loop = pyuv.Loop()
        request = fs.du(loop, sys.argv[1], callback=lambda request: None)
        inside, out = threading.Event(), threading.Event()
        timer = pyuv.Timer(loop)
        timer.start(lambda timer: (inside.set(), out.wait(), timer.close()), 0)
        thread = threading.Thread(target=loop.run)
        thread.start()
        inside.wait()
        for call in (request.cancel, lambda: fs.du(loop, sys.argv[1], callback=print)):
            try:
                call()
            except RuntimeError:
                print("refused")
        out.set()
        thread.join()
        print(request.result is not None)
    """
    assert in_child(code, root) == ["refused", "refused", "True"]


def test_ctrl_c_ends_a_job_without_a_callback(tmp_path):
    code = """
        import os, signal, sys
        import pyuv
        from pyuv import fs
        told = []

        def progress(progress):
            told.append(progress)
            if len(told) == 1:
                os.kill(os.getpid(), signal.SIGINT)

        root = sys.argv[1]
        for number in range(200):
            os.makedirs(f"{root}/{number}/{number}")
        try:
            while True:
                fs.walk(pyuv.Loop(), root, progress=progress)
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert in_child(code, tmp_path) == ["interrupted"]


def test_the_process_ends_with_a_job_in_flight(root):
    code = """
        import sys
        import pyuv
        from pyuv import fs
        loop = pyuv.Loop()
        fs.du(loop, "/", on_error="continue", callback=print)
        loop.run(pyuv.UV_RUN_NOWAIT)
        print("the end")
    """
    assert in_child(code) == ["the end"]


def test_a_forked_child_hears_that_its_job_was_lost(root):
    code = """
        import os, sys
        import pyuv
        from pyuv import fs
        loop = pyuv.Loop()
        ended = []
        request = fs.du(loop, "/usr", on_error="continue", callback=ended.append)
        for _ in range(20):
            loop.run(pyuv.UV_RUN_NOWAIT)
        child = os.fork()
        if child == 0:
            loop.fork()
            loop.run()
            fine = ended == [request] and request.error in (None, pyuv.errno.UV_ECANCELED)
            again = fs.du(loop, sys.argv[1], callback=ended.append)
            loop.run()
            os._exit(0 if fine and again.error is None else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        request.cancel()
        loop.run()
        print(len(ended))
    """
    assert in_child(code, root) == ["0", "1"]


def test_sigterm_ends_the_process_in_the_middle(root):
    code = """
        import pyuv
        from pyuv import fs
        while True:
            print(fs.du(pyuv.Loop(), "/usr", on_error="continue").folders > 0, flush=True)
    """
    child = start_child(code)
    assert child.stdout.readline() == "True\n"
    os.kill(child.pid, signal.SIGTERM)
    finish(child, -signal.SIGTERM)


def test_many_jobs_leave_nothing_open(root):
    loop = pyuv.Loop()
    ask(loop, fs.walk, root)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        ask(loop, fs.walk, root)
        fs.du(loop, root)
    assert len(os.listdir("/proc/self/fd")) == before
