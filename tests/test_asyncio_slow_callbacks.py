"""`EventLoop.slow_callback_hook`: who kept the loop too long is told of, with task and stack."""

import asyncio
import gc
import socket
import threading
import time
import warnings
import weakref

import pytest
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import SlowCallback

from util import in_child

FACTORY = pyuv.asyncio.new_event_loop
LIMIT = 0.1


async def told(main, limit=LIMIT):
    """Runs a coroutine function with a hook; the reports, when one has come or a second went by."""
    loop = asyncio.get_running_loop()
    reports = asyncio.Queue()
    loop.slow_callback_duration = limit
    loop.slow_callback_hook = reports.put_nowait
    await asyncio.sleep(0)
    await main()
    first = await asyncio.wait_for(reports.get(), 20)
    loop.slow_callback_hook = None
    return [first, *(reports.get_nowait() for _ in range(reports.qsize()))]


def sleeps_deeply():
    time.sleep(4 * LIMIT)


def test_a_step_of_a_task_is_told_of_with_its_stack():
    async def main():
        sleeps_deeply()
        await asyncio.sleep(0)

    async def watched():
        task = asyncio.current_task()
        task.set_name("the slow one")
        [report] = await told(main)
        assert isinstance(report, SlowCallback)
        assert report.task is task
        assert 3 * LIMIT <= report.duration < 40
        names = [frame.name for frame in report.stack]
        assert names[-1] == "sleeps_deeply"
        assert names[-2] == "main"
        assert "run_forever" not in names
        assert "time.sleep(4 * LIMIT)" in str(report)
        assert str(report).startswith("Task 'the slow one' kept the event loop for 0.")

    run(FACTORY, watched())


def test_a_callback_has_no_task():
    async def main():
        asyncio.get_running_loop().call_soon(sleeps_deeply)
        await asyncio.sleep(0.01)

    async def watched():
        [report] = await told(main)
        assert report.task is None
        assert [frame.name for frame in report.stack] == ["sleeps_deeply"]
        assert str(report).startswith("A callback kept")

    run(FACTORY, watched())


def test_a_function_of_cs_has_no_stack():
    async def main():
        asyncio.get_running_loop().call_soon(time.sleep, 4 * LIMIT)
        await asyncio.sleep(0.01)

    async def watched():
        [report] = await told(main)
        assert list(report.stack) == []
        assert "not Python's" in str(report)

    run(FACTORY, watched())


def test_work_that_keeps_the_gil_is_told_of():
    def counts():
        end = time.monotonic() + 4 * LIMIT
        while time.monotonic() < end:
            pass

    async def main():
        counts()
        await asyncio.sleep(0)

    async def watched():
        [report] = await told(main)
        assert report.stack[-1].name == "counts"

    run(FACTORY, watched())


def test_a_protocols_method_is_told_of():
    class Slow(asyncio.Protocol):
        def data_received(self, data):
            sleeps_deeply()

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            transport, _ = await loop.create_connection(Slow, sock=ours)
            theirs.send(b"x")
            await asyncio.sleep(0.01)
            transport.close()

    async def watched():
        [report] = await told(main)
        assert [frame.name for frame in report.stack] == ["data_received", "sleeps_deeply"]

    run(FACTORY, watched())


def test_many_short_callbacks_and_a_long_wait_are_nothing_to_tell_of():
    async def main():
        loop = asyncio.get_running_loop()
        reports = []
        # Longer than the system keeps a thread from running, and shorter than all of it takes.
        loop.slow_callback_duration = 1.0
        loop.slow_callback_hook = reports.append
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            await asyncio.sleep(0)
        await asyncio.sleep(1.5)
        assert reports == []

    run(FACTORY, main())


def test_an_exception_of_the_hook_goes_to_the_exception_handler():
    async def main():
        loop = asyncio.get_running_loop()
        failed = loop.create_future()
        loop.set_exception_handler(lambda loop, context: failed.set_result(context["exception"]))
        loop.slow_callback_duration = LIMIT

        def hook(report):
            loop.slow_callback_hook = None
            raise LookupError(report)

        loop.slow_callback_hook = hook
        await asyncio.sleep(0)
        sleeps_deeply()
        assert isinstance(await asyncio.wait_for(failed, 20), LookupError)

    run(FACTORY, main())


def test_a_hook_is_callable_or_none():
    loop = FACTORY()
    assert loop.slow_callback_hook is None
    loop.slow_callback_hook = print
    assert loop.slow_callback_hook is print
    with pytest.raises(TypeError, match="callable"):
        loop.slow_callback_hook = 1
    assert loop.slow_callback_hook is print
    loop.close()
    assert loop.slow_callback_hook is None
    with pytest.raises(RuntimeError, match="closed"):
        loop.slow_callback_hook = print


def watchdogs():
    return [thread for thread in threading.enumerate() if "watchdog" in thread.name]


def collect_until(condition):
    while not condition():
        gc.collect()


@pytest.mark.parametrize("how", ["None", "close", "drop"])
def test_the_thread_ends_with_the_hook_or_the_loop(how):
    loop = FACTORY()
    loop.slow_callback_duration = 0.01
    loop.slow_callback_hook = print
    [thread] = watchdogs()
    if how == "None":
        loop.slow_callback_hook = None
    elif how == "close":
        loop.close()
    else:
        gone = weakref.ref(loop)
        del loop
        # It is not closed; a warning that is kept would keep it.
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            collect_until(lambda: gone() is None)
    thread.join(20)
    assert not thread.is_alive()
    if how == "None":
        loop.close()


def test_a_program_that_ends_while_it_is_watched_ends_well():
    code = """
        import asyncio, time, pyuv.asyncio
        def sleeps_deeply():
            time.sleep(0.4)
        async def main():
            loop = asyncio.get_running_loop()
            loop.slow_callback_duration = 0.1
            loop.slow_callback_hook = lambda report: print(report.stack[-1].name)
            await asyncio.sleep(0)
            sleeps_deeply()
            await asyncio.sleep(0.4)
        pyuv.asyncio.run(main())
        loop = pyuv.asyncio.new_event_loop()
        loop.slow_callback_hook = print
    """
    assert "sleeps_deeply" in in_child(code)
