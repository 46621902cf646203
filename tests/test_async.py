import re
import threading

import pytest
import pyuv
from pyuv.error import HandleClosedError

from util import Recorder


def test_send_calls_back_on_the_loops_thread(loop):
    threads = []

    def woken(wake):
        threads.append(threading.get_ident())
        wake.close()

    wake = pyuv.Async(loop, woken)
    sender = threading.Thread(target=wake.send)
    sender.start()
    loop.run()
    sender.join()
    assert threads == [threading.get_ident()]


def test_the_callback_gets_the_handle(loop):
    seen = Recorder(lambda wake: wake.close())
    wake = pyuv.Async(loop, seen)
    wake.send()
    loop.run()
    assert seen.calls == [(wake,)]


def test_several_sends_make_one_call(loop):
    seen = Recorder()
    wake = pyuv.Async(loop, seen)
    for _ in range(100):
        wake.send()
    loop.run(pyuv.UV_RUN_ONCE)
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert len(seen) == 1


def test_send_inside_the_callback_calls_again(loop):
    seen = Recorder(lambda wake: wake.send() if len(seen) < 5 else wake.close())
    wake = pyuv.Async(loop, seen)
    wake.send()
    loop.run()
    assert len(seen) == 5


def test_it_is_active_from_the_start_and_keeps_the_loop_running(loop):
    wake = pyuv.Async(loop, lambda wake: None)
    assert wake.active
    assert loop.alive
    wake.ref = False
    assert loop.run() is False


def test_without_callback(loop):
    for wake in (pyuv.Async(loop), pyuv.Async(loop, None)):
        wake.send()
        assert loop.run(pyuv.UV_RUN_ONCE) is True
        wake.close()


@pytest.mark.parametrize("callback", [1, "callback", ()])
def test_a_callback_that_is_not_callable_is_named(loop, callback):
    with pytest.raises(TypeError, match=re.escape(repr(callback))):
        pyuv.Async(loop, callback)
    assert loop.handles == []


def test_send_after_close_raises(loop):
    wake = pyuv.Async(loop, lambda wake: None)
    wake.send()
    wake.close()
    with pytest.raises(HandleClosedError):
        wake.send()
    loop.run()
    with pytest.raises(HandleClosedError):
        wake.send()


def test_send_after_the_loop_was_closed_raises(loop):
    wake = pyuv.Async(loop, lambda wake: None)
    wake.close()
    loop.close()
    with pytest.raises(HandleClosedError):
        wake.send()


def test_each_of_many_is_called(loop):
    seen = Recorder(lambda wake: wake.close())
    wakes = [pyuv.Async(loop, seen) for _ in range(50)]
    for wake in wakes:
        wake.send()
    loop.run()
    assert {id(wake) for (wake,) in seen.calls} == set(map(id, wakes))
