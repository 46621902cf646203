import re
import sys

import pytest
import pyuv

from util import Recorder, collect


def failing(error):
    def callback(*arguments):
        raise error

    return callback


def test_excepthook_gets_type_value_and_traceback_and_the_loop_goes_on(loop):
    hook = Recorder()
    loop.excepthook = hook
    assert loop.excepthook is hook
    error = ZeroDivisionError("mine")
    ticks = Recorder()
    pyuv.Timer(loop).start(failing(error), 0)
    pyuv.Timer(loop).start(ticks, 0.002)
    loop.run()
    [(kind, value, traceback)] = hook.calls
    assert kind is ZeroDivisionError
    assert value is error
    assert traceback.tb_frame.f_code.co_name == "callback"
    assert len(ticks) == 1


def test_without_excepthook_the_traceback_goes_to_stderr(loop, capsys):
    pyuv.Timer(loop).start(failing(ZeroDivisionError("mine")), 0)
    loop.run()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Unhandled exception in callback"
    assert lines[1] == "Traceback (most recent call last):"
    assert re.fullmatch(r"  In the callback of <Timer \w+ at 0x\w+>, event: timeout", lines[2])
    assert lines[-1] == "ZeroDivisionError: mine"


def test_whose_callback_it_was_is_said_where_the_exception_itself_is(loop, capsys):
    def chained(timer):
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            raise KeyError("second") from ValueError("cause")

    pyuv.Timer(loop).start(chained, 0)
    loop.run()
    lines = capsys.readouterr().err.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("Traceback")]
    [said] = [number for number, line in enumerate(lines) if line.startswith("  In the callback of")]
    assert said == heads[-1] + 1
    assert lines[-1] == "KeyError: 'second'"


def test_whose_callback_it_was_is_said_below_a_group(loop, capsys):
    pyuv.Timer(loop).start(failing(ExceptionGroup("several", [KeyError("one")])), 0)
    loop.run()
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("  In the callback of <Timer")


def test_an_exception_inside_the_hook_is_printed_with_the_first_one(loop, capsys):
    loop.excepthook = failing(KeyError("in hook"))
    ticks = Recorder()
    pyuv.Timer(loop).start(failing(ZeroDivisionError("first")), 0)
    pyuv.Timer(loop).start(ticks, 0.002)
    loop.run()
    err = capsys.readouterr().err
    assert "Unhandled exception in callback" in err
    assert "KeyError: 'in hook'" in err
    assert "ZeroDivisionError: first" in err
    assert len(ticks) == 1


def test_excepthook_of_none_prints_again(loop, capsys):
    hook = Recorder()
    loop.excepthook = hook
    loop.excepthook = None
    assert loop.excepthook is None
    pyuv.Timer(loop).start(failing(ZeroDivisionError("mine")), 0)
    loop.run()
    assert hook.calls == []
    assert "ZeroDivisionError: mine" in capsys.readouterr().err


def test_excepthook_may_be_a_method_of_a_subclass(capsys):
    class Mine(pyuv.Loop):
        seen = ()

        def excepthook(self, kind, value, traceback):
            self.seen += (value,)

    event_loop = Mine()
    error = ValueError()
    pyuv.Timer(event_loop).start(failing(error), 0)
    event_loop.run()
    assert event_loop.seen == (error,)
    assert capsys.readouterr().err == ""
    error.__traceback__ = None  # its frames hold the timer
    collect()
    event_loop.close()


def test_a_hook_with_parameters_for_it_gets_the_handle_and_the_event(loop):
    seen = []

    def hook(kind, value, traceback, handle, event=None):
        seen.append((value.args[0], handle, event))

    loop.excepthook = hook
    timer, idle = pyuv.Timer(loop), pyuv.Idle(loop)

    def fail(handle):
        handle.close(failing(KeyError("closed")))
        raise ValueError("called")

    timer.start(fail, 0)
    loop.run()
    assert seen == [("called", timer, "timeout"), ("closed", timer, "close")]
    seen.clear()
    idle.start(fail)
    request = pyuv.fs.stat(loop, "/", failing(ValueError("stat")))
    work = loop.queue_work(failing(ValueError("work")), failing(ValueError("done")))
    loop.run()
    assert set(seen) == {
        ("called", idle, "idle"),
        ("closed", idle, "close"),
        ("stat", request, "end"),
        ("work", work, "work"),
        ("done", work, "done"),
    }


def test_events_of_streams(loop):
    seen = []
    loop.excepthook = lambda kind, value, traceback, *, event: seen.append(event)
    ours, theirs = pyuv.Pipe(loop), pyuv.Pipe(loop)
    for pipe, end in zip((ours, theirs), pyuv.util.socketpair(), strict=True):
        pipe.open(end)
    theirs.start_read(lambda *_: theirs.close() or 1 / 0)
    ours.write(b"x", failing(ValueError()))
    ours.shutdown(failing(ValueError()))
    ours.close(failing(ValueError()))
    loop.run()
    assert sorted(seen) == ["close", "read", "shutdown", "write"]


def test_a_hook_that_takes_anything_gets_three_arguments(loop):
    hook = Recorder()
    loop.excepthook = lambda *arguments, **named: hook(arguments, named)
    pyuv.Timer(loop).start(failing(ValueError()), 0)
    loop.run()
    [(arguments, named)] = hook.calls
    assert len(arguments) == 3
    assert named == {}


def test_excepthook_that_is_a_failing_property_is_printed(capsys):
    class Mine(pyuv.Loop):
        @property
        def excepthook(self):
            raise LookupError("no hook")

    event_loop = Mine()
    pyuv.Timer(event_loop).start(failing(ValueError("first")), 0)
    event_loop.run()
    err = capsys.readouterr().err
    assert "LookupError: no hook" in err
    assert "ValueError: first" in err


@pytest.mark.parametrize("hook", [1, "hook", object()])
def test_excepthook_that_is_not_callable_is_named(loop, hook):
    with pytest.raises(TypeError, match=re.escape(repr(hook))):
        loop.excepthook = hook
    assert loop.excepthook is None


def test_exceptions_of_every_callback_reach_the_hook(loop):
    hook = Recorder()
    loop.excepthook = hook
    timer, idle, prepare, check = (kind(loop) for kind in (pyuv.Timer, pyuv.Idle, pyuv.Prepare, pyuv.Check))

    def fail(handle):
        handle.close(failing(KeyError(type(handle).__name__)))
        raise ValueError(type(handle).__name__)

    timer.start(fail, 0)
    for handle in (idle, prepare, check):
        handle.start(fail)
    wake = pyuv.Async(loop, fail)
    wake.send()
    loop.queue_work(lambda: None, failing(ValueError("done")))
    loop.queue_work(failing(ValueError("work")))
    loop.run()
    names = {"Timer", "Idle", "Prepare", "Check", "Async"}
    values = {(kind, value.args[0]) for kind, value, _ in hook.calls}
    assert values == {(ValueError, name) for name in names | {"done", "work"}} | {
        (KeyError, name) for name in names
    }


def test_a_missing_stderr_does_not_matter(loop, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    ticks = Recorder()
    pyuv.Timer(loop).start(failing(ValueError()), 0)
    pyuv.Timer(loop).start(ticks, 0.002)
    loop.run()
    assert len(ticks) == 1


def test_an_exception_in_a_close_callback_during_close_reaches_the_hook(loop):
    hook = Recorder()
    loop.excepthook = hook
    pyuv.Timer(loop).close(failing(ValueError()))
    loop.close()
    assert [kind for kind, *_ in hook.calls] == [ValueError]
    assert loop.closed
