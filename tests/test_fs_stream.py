"""Files asked for in the callbacks of others, so that there is always one in flight."""

import threading

import pytest
import pyuv
from pyuv import fs

from util import in_child


@pytest.fixture
def stream(loop, file):
    """Chains that go on until they are told to end; how many files there have been."""

    class Stream:
        def __init__(self):
            self.told = 0
            self.on = True

        def ask(self, request=None):
            if request is not None:
                assert request.result.st_size == 10
                self.told += 1
            if self.on:
                fs.stat(loop, file, self.ask)

    stream = Stream()
    for _ in range(16):
        stream.ask()
    yield stream
    stream.on = False
    loop.run()


def test_the_loops_other_callbacks_have_their_turn(loop, stream):
    timer, idle = pyuv.Timer(loop), pyuv.Idle(loop)
    turns = []

    def ticked(handle):
        turns.append(stream.told)
        if len(turns) == 5:
            timer.close()
            idle.close()
            loop.stop()

    idle.start(lambda handle: None)
    timer.start(ticked, 0.002, 0.002)
    loop.run()
    assert len(turns) == 5


def test_stop_ends_it_at_once(loop, stream):
    stopped = []
    ask = stream.ask

    def stop(request):
        stopped.append(stream.told)
        loop.stop()
        ask(request)

    fs.stat(loop, "/", lambda request: setattr(stream, "ask", stop))
    while not stopped:
        loop.run()
    # What had ended by then is told of, and nothing that ends after it.
    assert stream.told - stopped[0] <= 17


@pytest.mark.parametrize("mode", [pyuv.UV_RUN_ONCE, pyuv.UV_RUN_NOWAIT])
def test_one_iteration_is_one(loop, stream, mode):
    for _ in range(200):
        before = stream.told
        loop.run(mode)
        assert stream.told - before <= 16


def test_other_threads_have_their_turn(loop, stream):
    done = threading.Event()
    counted = []

    def count():
        for number in range(100_000):
            counted.append(number)
        done.set()

    thread = threading.Thread(target=count)
    timer = pyuv.Timer(loop)

    def look(handle):
        if done.is_set():
            timer.close()
            loop.stop()

    timer.start(look, 0.001, 0.001)
    thread.start()
    loop.run()
    thread.join()
    assert len(counted) == 100_000


def test_a_child_forked_in_a_callback_tells_of_each_once():
    assert in_child(
        """
        import os, sys, pyuv
        from pyuv import errno, fs
        loop = pyuv.Loop()
        ended = []
        child = None

        def told(request):
            global child
            ended.append(request)
            if len(ended) == 3:
                child = os.fork()
                if child == 0:
                    loop.fork()

        requests = [fs.stat(loop, "/", told) for _ in range(100)]
        loop.run()
        # What had begun in the parent is cancelled in the child.
        good = all(request.error in (None, errno.UV_ECANCELED if child == 0 else None) for request in ended)
        once = sorted(map(id, ended)) == sorted(map(id, requests))
        loop.close()
        if child == 0:
            os._exit(0 if good and once else 1)
        print(good, once, os.waitpid(child, 0)[1])
        """
    ) == ["True True 0"]
