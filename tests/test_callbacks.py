"""What a callback may do, and what becomes of what it raises, whichever callback it is."""

import functools
from contextlib import suppress

import pytest
import pyuv
from callbacks import KINDS, THREADS, Place
from pyuv.error import HandleClosedError

from util import Recorder, collect, time_limit

ON_THE_LOOP = [name for name in KINDS if name not in THREADS]


@pytest.fixture
def place(tmp_path, make_channel):
    place = Place(tmp_path, make_channel)
    yield place
    place.stack.close()


@pytest.fixture
def run(loop, place):
    """Runs the loop until a callback of this kind has come, and until a timer has been called twice more."""

    def run(name, callback):
        def call(*arguments):
            calls.append(arguments)
            return callback(*arguments)

        calls, beats = [], Recorder()
        place.handle = KINDS[name][1](loop, call, place)
        place.handles = loop.handles
        heart = pyuv.Timer(loop)
        heart.start(beats, 0.001, 0.001)
        with time_limit(loop):
            while not calls:
                loop.run(pyuv.UV_RUN_ONCE)
            before = len(beats)
            while len(beats) < before + 2:
                loop.run(pyuv.UV_RUN_ONCE)
        heart.close()
        return calls

    yield run
    for handle in loop.handles:
        if not handle.closed:
            handle.close()
    loop.run()


@pytest.mark.parametrize("name", KINDS)
def test_each_gets_its_arguments(run, place, name):
    calls = run(name, lambda *arguments: None)
    assert {len(arguments) for arguments in calls} == {KINDS[name][0]}
    if place.handle is not None:
        assert calls[0][0] is place.handle


@pytest.mark.parametrize("name", KINDS)
def test_an_async_function_is_refused_at_the_call(loop, place, name):
    async def coroutine(*arguments):
        raise AssertionError("nobody awaits it")

    with pytest.raises(TypeError, match="coroutine"):
        KINDS[name][1](loop, coroutine, place)
    for handle in loop.handles:
        if not handle.closed:
            handle.close()
    loop.run()


class Awaited:
    async def method(self, timer): ...

    async def __call__(self, timer): ...


class Yielding:
    async def __call__(self, timer):
        yield timer


@pytest.mark.parametrize(
    "callback",
    [
        Awaited().method,
        Awaited(),
        Yielding(),
        functools.partial(Awaited().method, 1),
        functools.partial(functools.partial(Awaited())),
    ],
    ids=["method", "object", "generator", "partial", "partial of partial"],
)
def test_an_async_callable_is_refused_however_it_is_wrapped(loop, callback):
    with pytest.raises(TypeError, match="never awaited"):
        pyuv.Timer(loop).start(callback, 0)


def test_a_partial_of_itself_is_looked_at_for_a_while_only(loop):
    partial = functools.partial(print)
    partial.__setstate__((partial, (), {}, {}))
    timer = pyuv.Timer(loop)
    timer.start(partial, 60)
    timer.close()


@pytest.mark.parametrize("name", KINDS)
def test_what_it_raises_goes_to_the_hook_and_the_loop_goes_on(loop, run, name):
    def fail(*arguments):
        raised.append(ValueError(name))
        raise raised[-1]

    raised = []
    loop.excepthook = hook = Recorder()
    run(name, fail)
    while len(hook) < len(raised):
        loop.run(pyuv.UV_RUN_ONCE)
    assert [value for _, value, _ in hook.calls] == raised
    assert {kind for kind, _, _ in hook.calls} == {ValueError}
    assert all(traceback is not None for _, _, traceback in hook.calls)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_to_end_the_program_leaves_run(loop, run, name, error):
    def fail(*arguments):
        if not failed:
            failed.append(True)
            raise error(name)

    failed = []
    loop.excepthook = hook = Recorder()
    with pytest.raises(error, match=f"^{name}$"):
        run(name, fail)
    assert hook.calls == []


@pytest.mark.parametrize("name", ON_THE_LOOP)
def test_the_loop_can_be_neither_run_nor_closed_in_it(loop, run, name):
    def misuse(*arguments):
        for call in (loop.run, loop.close):
            with pytest.raises(RuntimeError, match="already running") as caught:
                call()
            refused.append(caught.value)

    refused = []
    loop.excepthook = hook = Recorder()
    run(name, misuse)
    assert hook.calls == []
    assert len(refused) >= 2


@pytest.mark.parametrize("name", ON_THE_LOOP)
def test_it_may_close_its_own_handle_and_its_siblings(loop, run, place, name):
    def close(*arguments):
        for handle in [*arguments[:1], *place.handles]:
            if isinstance(handle, pyuv.Handle) and not handle.closed:
                handle.close(closed)

    loop.excepthook = hook = Recorder()
    closed = Recorder()
    sibling = pyuv.Timer(loop)
    sibling.start(print, 60)
    run(name, close)
    assert hook.calls == []
    assert (sibling,) in closed.calls


@pytest.mark.parametrize("name", ON_THE_LOOP)
def test_it_may_stop_its_handle_and_drop_all_that_was_kept(loop, run, place, name):
    def drop(*arguments):
        for stop in ("stop", "stop_read", "stop_recv"):
            with suppress(HandleClosedError):
                getattr(place.handle, stop, int)()
        place.kept.clear()
        place.handle = place.handles = None
        del arguments
        collect()

    loop.excepthook = hook = Recorder()
    run(name, drop)
    assert hook.calls == []
