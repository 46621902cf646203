"""Idle, Prepare and Check, which differ in when they are called alone."""

import pytest
import pyuv

from util import Recorder

KINDS = [pyuv.Idle, pyuv.Prepare, pyuv.Check]


@pytest.fixture
def ticking(loop):
    """Has each iteration end without waiting."""
    idle = pyuv.Idle(loop)
    idle.start(lambda idle: None)
    idle.ref = False
    return idle


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_called_once_in_every_iteration(loop, ticking, kind):
    watcher, seen = kind(loop), Recorder()
    watcher.start(seen)
    for count in range(1, 4):
        assert loop.run(pyuv.UV_RUN_ONCE) is True
        assert len(seen) == count
    assert seen.calls == [(watcher,)] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_stop_itself(loop, ticking, kind):
    watcher = kind(loop)
    seen = Recorder(lambda watcher: watcher.stop() if len(seen) == 3 else None)
    watcher.start(seen)
    assert loop.run() is False
    assert len(seen) == 3
    assert not watcher.active


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_start_anew_inside_its_callback(loop, ticking, kind):
    watcher, second = kind(loop), Recorder(lambda watcher: watcher.stop())

    def first(watcher):
        watcher.stop()
        watcher.start(second)

    watcher.start(first)
    loop.run()
    assert len(second) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_be_started_again_after_stop(loop, ticking, kind):
    watcher, seen = kind(loop), Recorder(lambda watcher: watcher.stop())
    for count in (1, 2):
        watcher.start(seen)
        loop.run()
        assert len(seen) == count


@pytest.mark.parametrize("kind", KINDS)
def test_a_callback_may_close_all_the_others(loop, ticking, kind):
    watchers = [kind(loop) for _ in range(5)]

    def close(watcher):
        for other in watchers:
            other.close()

    seen = Recorder(close)
    for watcher in watchers:
        watcher.start(seen)
    loop.run()
    assert len(seen) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_callback_is_known_by_name(loop, ticking, kind):
    watcher, seen = kind(loop=loop), Recorder(lambda watcher: watcher.stop())
    watcher.start(callback=seen)
    loop.run()
    assert len(seen) == 1


def test_prepare_comes_before_the_loop_polls_and_check_after(loop):
    order = []
    idle, prepare, check = pyuv.Idle(loop), pyuv.Prepare(loop), pyuv.Check(loop)
    idle.start(lambda idle: order.append("idle"))
    prepare.start(lambda prepare: order.append("prepare"))
    check.start(lambda check: order.append("check"))
    wake = pyuv.Async(loop, lambda wake: order.append("poll"))
    wake.send()
    loop.run(pyuv.UV_RUN_ONCE)
    assert order == ["idle", "prepare", "poll", "check"]


def test_an_idle_handle_keeps_the_loop_from_waiting(loop):
    idle, timer = pyuv.Idle(loop), pyuv.Timer(loop)
    idle.start(lambda idle: None)
    timer.start(lambda timer: None, 60)
    assert loop.run(pyuv.UV_RUN_ONCE) is True
    assert loop.get_timeout() == 0
    idle.stop()
    assert loop.get_timeout() > 30
