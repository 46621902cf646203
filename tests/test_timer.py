import pytest
import pyuv
from pyuv import errno
from pyuv.error import TimerError

from util import Recorder


def test_a_timer_goes_off_once_after_its_timeout(loop):
    timer, ticks = pyuv.Timer(loop), Recorder()
    before = loop.now()
    timer.start(ticks, 0.02)
    loop.run()
    assert ticks.calls == [(timer,)]
    assert loop.now() - before >= 20
    assert not timer.active


def test_a_timeout_of_zero_comes_in_the_next_iteration(loop):
    timer, ticks = pyuv.Timer(loop), Recorder()
    timer.start(ticks, 0)
    assert ticks.calls == []
    loop.run(pyuv.UV_RUN_NOWAIT)
    assert len(ticks) == 1


def test_a_repeating_timer_goes_on_until_stopped(loop):
    timer = pyuv.Timer(loop)
    ticks = Recorder(lambda timer: timer.stop() if len(ticks) == 3 else None)
    before = loop.now()
    timer.start(ticks, 0.005, 0.005)
    loop.run()
    assert len(ticks) == 3
    assert loop.now() - before >= 15
    assert not timer.active


def test_arguments_have_names(loop):
    ticks = Recorder()
    pyuv.Timer(loop).start(callback=ticks, timeout=0, repeat=0)
    loop.run()
    assert len(ticks) == 1


def test_timers_go_off_in_the_order_of_their_times(loop):
    order = []
    for milliseconds in (9, 3, 6):
        timer = pyuv.Timer(loop)
        timer.start(lambda timer, n=milliseconds: order.append(n), milliseconds / 1000)
    loop.run()
    assert order == [3, 6, 9]


def test_stop_before_it_is_due(loop):
    timer, ticks = pyuv.Timer(loop), Recorder()
    timer.start(ticks, 0)
    timer.stop()
    assert loop.run() is False
    assert ticks.calls == []


def test_start_on_an_active_timer_begins_anew(loop):
    timer, first, second = pyuv.Timer(loop), Recorder(), Recorder()
    timer.start(first, 60)
    timer.start(second, 0)
    loop.run()
    assert first.calls == []
    assert len(second) == 1


def test_start_inside_its_own_callback(loop):
    timer = pyuv.Timer(loop)
    ticks = Recorder(lambda timer: timer.start(ticks, 0.001) if len(ticks) < 4 else None)
    timer.start(ticks, 0)
    loop.run()
    assert len(ticks) == 4
    assert not timer.active


def test_again_on_a_timer_that_was_never_started_raises(loop):
    timer = pyuv.Timer(loop)
    with pytest.raises(TimerError) as caught:
        timer.again()
    assert caught.value.args[0] == errno.UV_EINVAL


def test_again_uses_repeat_as_the_timeout(loop):
    timer = pyuv.Timer(loop)
    ticks = Recorder(lambda timer: timer.stop())
    timer.start(ticks, 60)
    timer.repeat = 0.002
    timer.again()
    loop.run()
    assert len(ticks) == 1


def test_again_restarts_a_repeating_timer_that_was_stopped(loop):
    timer = pyuv.Timer(loop)
    ticks = Recorder(lambda timer: timer.stop())
    timer.start(ticks, 60, 0.002)
    timer.stop()
    timer.again()
    assert timer.active
    loop.run()
    assert len(ticks) == 1


def test_repeat_is_seconds_and_can_be_set(loop):
    timer = pyuv.Timer(loop)
    assert timer.repeat == 0.0
    timer.start(lambda timer: None, 60, 1.5)
    assert timer.repeat == 1.5
    timer.repeat = 2
    assert timer.repeat == 2.0
    assert isinstance(timer.repeat, float)


def test_a_repeat_set_in_the_callback_ends_the_repetition(loop):
    timer = pyuv.Timer(loop)
    ticks = Recorder(lambda timer: setattr(timer, "repeat", 0) if len(ticks) == 2 else None)
    timer.start(ticks, 0, 0.001)
    loop.run()
    assert 2 <= len(ticks) <= 3
    assert not timer.active


def test_due_in_is_seconds(loop):
    timer = pyuv.Timer(loop)
    assert timer.due_in == 0.0
    timer.start(lambda timer: None, 30)
    assert 29 < timer.due_in <= 30
    timer.stop()
    assert timer.due_in == 0.0


WRONG = [-1, -0.001, float("nan"), float("inf"), float("-inf"), 1e300, -1e300]


@pytest.mark.parametrize("value", WRONG)
def test_a_wrong_time_is_named_and_the_loop_stays_usable(loop, value):
    timer, ticks = pyuv.Timer(loop), Recorder()
    with pytest.raises(ValueError, match="timeout"):
        timer.start(ticks, value)
    with pytest.raises(ValueError, match="repeat"):
        timer.start(ticks, 0, value)
    with pytest.raises(ValueError, match="repeat"):
        timer.repeat = value
    assert not timer.active
    timer.start(ticks, 0)
    loop.run()
    assert len(ticks) == 1


def test_the_message_says_which_value(loop):
    with pytest.raises(ValueError, match=r"-2\.5"):
        pyuv.Timer(loop).start(lambda timer: None, -2.5)


@pytest.mark.parametrize("value", ["1", None, b"1", object(), [1]])
def test_a_time_that_is_no_number_is_a_type_error(loop, value):
    timer = pyuv.Timer(loop)
    with pytest.raises(TypeError):
        timer.start(lambda timer: None, value)
    with pytest.raises(TypeError):
        timer.start(lambda timer: None, 0, value)
    with pytest.raises(TypeError):
        timer.repeat = value
    assert not timer.active


def test_a_time_below_a_millisecond_is_taken_as_one_with_a_warning(loop):
    timer, ticks = pyuv.Timer(loop), Recorder()
    with pytest.warns(RuntimeWarning, match=r"0\.0001"):
        timer.start(ticks, 0.0001)
    loop.run()
    assert len(ticks) == 1


def test_a_warning_made_an_error_starts_nothing(loop):
    timer = pyuv.Timer(loop)
    with pytest.raises(RuntimeWarning):
        timer.start(lambda timer: None, 0, 0.0001)
    assert not timer.active


def test_many_timers(loop):
    ticks = Recorder()
    for _ in range(2000):
        pyuv.Timer(loop).start(ticks, 0)
    loop.run()
    assert len(ticks) == 2000
    assert len({id(timer) for (timer,) in ticks.calls}) == 2000
