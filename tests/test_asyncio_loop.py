"""The event loop: scheduling, threads, signals, debug mode, its ends, and the pyuv.Loop below."""

import asyncio
import contextvars
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest
import pyuv
from asyncioutil import both_loops, collected_warnings, reports, run

from util import open_fds

VARIABLE = contextvars.ContextVar("VARIABLE", default="outside")


@both_loops
def test_callbacks_are_called_in_the_order_in_which_they_were_scheduled(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = []
        for number in range(100):
            loop.call_soon(called.append, number)
        loop.call_soon(lambda *several: called.append(several), 1, 2, 3, 4)
        await asyncio.sleep(0)
        assert called == [*range(100), (1, 2, 3, 4)]

    run(factory, main())


@both_loops
def test_what_a_callback_schedules_is_called_in_the_next_round(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = []

        def first():
            loop.call_soon(called.append, "third")
            called.append("first")

        loop.call_soon(first)
        loop.call_soon(called.append, "second")
        await asyncio.sleep(0)
        assert called == ["first", "second"]
        await asyncio.sleep(0)
        assert called == ["first", "second", "third"]

    run(factory, main())


@both_loops
def test_timers_go_off_in_the_order_of_their_times(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = []
        done = loop.create_future()
        begin = loop.time()
        for delay in (0.03, 0.01, 0.02, 0, -1):
            loop.call_later(delay, called.append, delay)
        first = loop.call_at(begin + 0.02, called.append, "same time")
        loop.call_later(0.04, done.set_result, None)
        await done
        assert called in ([-1, 0, 0.01, 0.02, "same time", 0.03], [-1, 0, 0.01, "same time", 0.02, 0.03])
        assert 0.04 <= loop.time() - begin < 5
        assert isinstance(first, asyncio.TimerHandle)
        assert first.when() == begin + 0.02

    run(factory, main())


@both_loops
def test_a_cancelled_handle_is_not_called_and_lets_go_of_its_arguments(factory):
    class Thing:
        pass

    async def main():
        loop = asyncio.get_running_loop()
        called = []
        soon, later = Thing(), Thing()
        gone = [weakref.ref(soon), weakref.ref(later)]
        handles = [loop.call_soon(called.append, soon), loop.call_later(0, called.append, later)]
        del soon, later
        for handle in handles:
            assert not handle.cancelled()
            handle.cancel()
            handle.cancel()
            assert handle.cancelled()
        assert [reference() for reference in gone] == [None, None]
        await asyncio.sleep(0.01)
        assert called == []

    run(factory, main())


@both_loops
def test_many_cancelled_timers_are_cleared_out(factory):
    class Thing:
        pass

    async def main():
        loop = asyncio.get_running_loop()
        references = []
        for _ in range(1000):
            handle = loop.call_later(3600, print)
            references.append(weakref.ref(handle))
            handle.cancel()
            del handle
        await asyncio.sleep(0.001)
        assert sum(reference() is not None for reference in references) < 500

    run(factory, main())


@both_loops
def test_a_callback_runs_in_the_context_that_was_given_or_a_copy_of_the_callers(factory):
    async def main():
        loop = asyncio.get_running_loop()
        seen = []
        VARIABLE.set("caller")
        loop.call_soon(lambda: seen.append(VARIABLE.get()))
        loop.call_later(0, lambda: seen.append(VARIABLE.get()))
        given = contextvars.copy_context()
        given.run(VARIABLE.set, "given")
        loop.call_soon(lambda: seen.append(VARIABLE.get()), context=given)
        loop.call_soon(VARIABLE.set, "changed by a callback")
        VARIABLE.set("changed by the caller")
        await asyncio.sleep(0.01)
        assert sorted(seen) == ["caller", "caller", "given"]
        assert VARIABLE.get() == "changed by the caller"

    run(factory, main())


@both_loops
def test_call_soon_threadsafe_has_the_context_of_its_caller(factory):
    async def main():
        loop = asyncio.get_running_loop()
        seen = loop.create_future()

        def elsewhere():
            VARIABLE.set("the thread's")
            loop.call_soon_threadsafe(lambda: seen.set_result(VARIABLE.get()))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        assert await seen == "the thread's"
        thread.join()

    run(factory, main())


@both_loops
def test_callbacks_of_many_threads_are_all_called_each_threads_in_order(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = {number: [] for number in range(8)}
        done = loop.create_future()
        left = [8]

        def finish():
            left[0] -= 1
            if not left[0]:
                done.set_result(None)

        def elsewhere(number):
            for count in range(2000):
                loop.call_soon_threadsafe(called[number].append, count)
            loop.call_soon_threadsafe(finish)

        threads = [threading.Thread(target=elsewhere, args=(number,)) for number in called]
        for thread in threads:
            thread.start()
        await done
        for thread in threads:
            thread.join()
        assert all(counts == list(range(2000)) for counts in called.values())

    run(factory, main())


@both_loops
def test_a_loop_that_waits_is_woken_by_a_thread(factory):
    async def main():
        loop = asyncio.get_running_loop()
        event = asyncio.Event()
        threading.Timer(0.05, loop.call_soon_threadsafe, (event.set,)).start()
        begin = loop.time()
        await asyncio.wait_for(event.wait(), 30)
        assert loop.time() - begin < 20

    run(factory, main())


@both_loops
def test_exceptions_of_callbacks_go_to_the_exception_handler(factory):
    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()
        handle = loop.call_soon(lambda: 1 / 0)
        loop.call_later(0, lambda: [][1])
        future = loop.create_future()
        future.add_done_callback(lambda future: {}["no"])
        future.set_result(None)
        await asyncio.sleep(0.01)
        kinds = sorted(type(context["exception"]).__name__ for context in contexts)
        assert kinds == ["IndexError", "KeyError", "ZeroDivisionError"]
        assert contexts[0]["handle"] is handle
        assert "Exception in callback" in contexts[0]["message"]
        assert all(isinstance(context["handle"], asyncio.Handle) for context in contexts)

    run(factory, main())


@both_loops
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_leaves_the_loop(factory, kind):
    loop = factory()
    called = []

    def end():
        raise kind("now")

    loop.call_soon(end)
    loop.call_soon(called.append, "after")
    with pytest.raises(kind, match="now"):
        loop.run_forever()
    assert not loop.is_running()
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert called == ["after"]
    loop.close()


@both_loops
def test_stop_before_a_run_ends_it_after_one_round(factory):
    loop = factory()
    called = []
    loop.call_soon(called.append, 1)
    loop.call_soon(lambda: loop.call_soon(called.append, 2))
    loop.stop()
    loop.run_forever()
    assert called == [1]
    loop.stop()
    loop.run_forever()
    assert called == [1, 2]
    loop.close()


@both_loops
def test_a_loop_that_runs_is_not_run_again(factory):
    async def main():
        loop = asyncio.get_running_loop()
        other = factory()
        never = asyncio.sleep(0)
        for running in (loop, other):
            with pytest.raises(RuntimeError, match="running"):
                running.run_until_complete(never)
        never.close()
        other.close()

    run(factory, main())


@both_loops
def test_a_closed_loop_refuses_everything(factory):
    loop = factory()
    loop.close()
    loop.close()
    assert loop.is_closed()
    for refused in (
        lambda: loop.call_soon(print),
        lambda: loop.call_later(1, print),
        lambda: loop.call_at(1, print),
        lambda: loop.call_soon_threadsafe(print),
        loop.run_forever,
        lambda: loop.add_reader(0, print),
    ):
        with pytest.raises(RuntimeError, match="closed"):
            refused()


@both_loops
def test_wrong_arguments_are_type_errors(factory):
    loop = factory()
    for wrong in (
        lambda: loop.call_soon(),
        lambda: loop.call_later(1),
        lambda: loop.call_later("soon", print),
        lambda: loop.call_later(None, print),
        lambda: loop.call_at(None, print),
        lambda: loop.call_soon(print, no=1),
    ):
        with pytest.raises(TypeError):
            wrong()
    loop.close()


@both_loops
def test_a_loop_leaves_no_descriptor(factory):
    async def main():
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR2, print)
        reader, writer = os.pipe()
        loop.add_reader(reader, print)
        os.close(writer)
        await asyncio.sleep(0)
        loop.remove_reader(reader)
        os.close(reader)

    run(factory, main())
    before = open_fds()
    run(factory, main())
    assert open_fds() == before


@both_loops
def test_a_loop_that_is_not_closed_is_collected(factory):
    loop = factory()
    loop.call_later(3600, print, loop)
    loop.call_soon(print, loop)
    gone = weakref.ref(loop)
    del loop
    assert any("unclosed event loop" in text for text in collected_warnings())
    assert gone() is None


@both_loops
def test_signals_are_heard(factory):
    async def main():
        loop = asyncio.get_running_loop()
        heard = asyncio.Queue()
        loop.add_signal_handler(signal.SIGUSR1, heard.put_nowait, "one")
        loop.add_signal_handler(signal.SIGUSR2, heard.put_nowait, "two")
        os.kill(os.getpid(), signal.SIGUSR1)
        assert await heard.get() == "one"
        os.kill(os.getpid(), signal.SIGUSR2)
        assert await heard.get() == "two"
        assert loop.remove_signal_handler(signal.SIGUSR1)
        assert not loop.remove_signal_handler(signal.SIGUSR1)
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL

    run(factory, main())


@both_loops
def test_a_signal_between_two_runs_is_heard_in_the_second(factory):
    loop = factory()
    heard = []

    async def listen():
        loop.add_signal_handler(signal.SIGUSR1, heard.append, "heard")

    loop.run_until_complete(listen())
    os.kill(os.getpid(), signal.SIGUSR1)

    async def wait():
        while not heard:
            await asyncio.sleep(0.001)

    loop.run_until_complete(asyncio.wait_for(wait(), 30))
    loop.close()
    assert signal.set_wakeup_fd(-1) == -1


@both_loops
def test_bad_signal_handlers_are_refused(factory):
    async def coroutine():
        pass

    loop = factory()
    with pytest.raises(TypeError):
        loop.add_signal_handler(signal.SIGUSR1, coroutine)
    with pytest.raises(ValueError, match="invalid signal number"):
        loop.add_signal_handler(4242, print)
    with pytest.raises(RuntimeError, match="cannot be caught"):
        loop.add_signal_handler(signal.SIGKILL, print)
    refused = []

    def elsewhere():
        try:
            loop.add_signal_handler(signal.SIGUSR1, print)
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(refused) == 1
    loop.close()
    assert signal.set_wakeup_fd(-1) == -1


def test_the_loop_below_is_not_closed_before_the_event_loop():
    loop = pyuv.asyncio.new_event_loop()
    loop.add_signal_handler(signal.SIGUSR1, print)
    assert signal.set_wakeup_fd(-1) > 0
    loop.add_signal_handler(signal.SIGUSR1, print)
    with pytest.raises(pyuv.error.UVError, match="the asyncio event loop"):
        loop.uv.close(handles=True)
    assert signal.set_wakeup_fd(-1) == -1
    loop.close()


INTERRUPTED = """
import asyncio, os, signal, sys, threading, time
import pyuv.asyncio

def kill():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.{signal})

async def main():
    threading.Thread(target=kill).start()
    try:
        await asyncio.sleep(60)
    finally:
        print("cleaned up", flush=True)

try:
    {run}(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("runner", ["asyncio.run", "pyuv.asyncio.run"])
def test_ctrl_c_cancels_a_program_that_waits(runner):
    program = INTERRUPTED.format(signal="SIGINT", run=runner)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50)
    assert ended.stdout.split("\n")[:2] == ["cleaned up", "interrupted"], ended.stderr


@pytest.mark.parametrize("runner", ["asyncio.run", "pyuv.asyncio.run"])
def test_sigterm_ends_a_program_that_waits(runner):
    program = INTERRUPTED.format(signal="SIGTERM", run=runner)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50)
    assert ended.returncode == -signal.SIGTERM


@both_loops
def test_slow_callbacks_are_named_with_their_task(factory, caplog):
    async def slow_one():
        time.sleep(0.05)

    async def main():
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0.02
        await asyncio.create_task(slow_one(), name="the slow task")

    run(factory, main(), debug=True)
    slow = [record.getMessage() for record in caplog.records if "Executing" in record.getMessage()]
    assert any("slow_one" in message and "the slow task" in message for message in slow), caplog.text


@both_loops
def test_debug_mode_finds_calls_from_other_threads(factory):
    async def main():
        loop = asyncio.get_running_loop()

        def elsewhere():
            for method in (loop.call_soon, lambda callback: loop.call_later(1, callback)):
                with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
                    method(print)
            return "refused"

        assert await loop.run_in_executor(None, elsewhere) == "refused"
        handle = loop.call_soon(print, "never")
        assert __file__ in repr(handle)
        handle.cancel()

    run(factory, main(), debug=True)


@both_loops
def test_asynchronous_generators_are_closed_with_the_loop_in_debug_mode_too(factory):
    closed = []

    async def generator():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    kept = []

    async def main():
        kept.append(generator())
        async for _ in kept[-1]:
            break

    for debug in (False, True):
        run(factory, main(), debug=debug)
    assert closed == [True, True]


@both_loops
def test_tasks_take_the_keywords_of_their_python(factory):
    async def child():
        return VARIABLE.get()

    async def main():
        loop = asyncio.get_running_loop()
        given = contextvars.copy_context()
        given.run(VARIABLE.set, "given")
        task = loop.create_task(child(), name="a name", context=given)
        assert task.get_name() == "a name"
        assert await task == "given"
        if sys.version_info >= (3, 14):
            eager = loop.create_task(child(), eager_start=True)
            assert eager.done()
        if sys.version_info >= (3, 12):
            loop.set_task_factory(asyncio.eager_task_factory)
            assert loop.create_task(child()).done()

    run(factory, main())


@both_loops
def test_a_callback_that_reschedules_itself_for_ever_keeps_nobodys_data_waiting(factory):
    async def main():
        loop = asyncio.get_running_loop()
        running = True

        def again():
            if running:
                loop.call_soon(again)

        again()
        reader, writer = os.pipe()
        came = loop.create_future()
        loop.add_reader(reader, came.set_result, None)
        begin = loop.time()
        os.write(writer, b"x")
        await came
        assert loop.time() - begin < 1
        timer = loop.create_future()
        loop.call_later(0.01, timer.set_result, None)
        await timer
        running = False
        loop.remove_reader(reader)
        os.close(reader)
        os.close(writer)

    run(factory, main())


def test_an_idle_loop_uses_no_processor_time():
    async def main():
        await asyncio.sleep(0.05)
        before = time.process_time()
        await asyncio.sleep(2)
        return time.process_time() - before

    assert pyuv.asyncio.run(main()) < 0.05


def test_readers_and_writers_are_watched_until_they_are_removed():
    async def main():
        loop = asyncio.get_running_loop()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        seen = asyncio.Queue()
        loop.add_writer(writer, seen.put_nowait, "writable")
        assert await seen.get() == "writable"
        assert loop.remove_writer(writer)
        assert not loop.remove_writer(writer)
        loop.add_reader(reader, lambda: seen.put_nowait(os.read(reader, 10)))
        os.write(writer, b"one")
        while (read := await seen.get()) != b"one":
            assert read == "writable"
        loop.add_reader(reader, lambda: seen.put_nowait((2, os.read(reader, 10))))
        os.write(writer, b"two")
        assert await seen.get() == (2, b"two")
        assert loop.remove_reader(reader)
        os.write(writer, b"three")
        await asyncio.sleep(0.01)
        assert seen.empty()
        os.close(reader)
        os.close(writer)

    pyuv.asyncio.run(main())


@both_loops
def test_regular_files_and_closed_descriptors_are_not_watched(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with open(__file__) as file, pytest.raises(PermissionError):
            loop.add_reader(file, print)
        reader, writer = os.pipe()
        os.close(reader)
        os.close(writer)
        with pytest.raises(OSError, match="Bad file descriptor"):
            loop.add_reader(reader, print)

    run(factory, main())


def test_what_is_made_on_the_loop_below_lives_on_the_same_loop():
    async def main():
        loop = asyncio.get_running_loop()
        assert isinstance(loop.uv, pyuv.Loop)
        done = loop.create_future()
        timer = pyuv.Timer(loop.uv)
        timer.start(lambda timer: done.set_result(threading.get_ident()), 0.01, 0)
        assert await done == threading.get_ident()
        timer.close()
        sizes = loop.create_future()
        pyuv.fs.stat(loop.uv, __file__, lambda request: sizes.set_result(request.result.st_size))
        assert await sizes == pathlib.Path(__file__).stat().st_size

    pyuv.asyncio.run(main())


def test_exceptions_of_its_callbacks_go_to_the_event_loops_handler():
    async def main():
        loop = asyncio.get_running_loop()
        context = loop.create_future()
        loop.set_exception_handler(lambda loop, told: context.set_result(told))
        timer = pyuv.Timer(loop.uv)
        timer.start(lambda timer: 1 / 0, 0, 0)
        told = await context
        assert isinstance(told["exception"], ZeroDivisionError)
        assert told["uv_handle"] is timer

    pyuv.asyncio.run(main())


def test_an_idle_handle_below_sees_what_it_schedules_called():
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        idle = pyuv.Idle(loop.uv)

        def once(idle):
            idle.close()
            loop.call_soon(done.set_result, "called")

        idle.start(once)
        assert await asyncio.wait_for(done, 30) == "called"

    pyuv.asyncio.run(main())


@both_loops
def test_a_loop_in_a_thread_is_used_from_the_main_one(factory):
    loop = factory()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def answer():
        await asyncio.sleep(0.001)
        return threading.get_ident()

    future = asyncio.run_coroutine_threadsafe(answer(), loop)
    assert future.result(30) == thread.ident
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_plain_import_does_not_import_it():
    program = "import sys, pyuv; print('asyncio' in sys.modules, 'pyuv.asyncio' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]


SCRIPT = """
import asyncio, sys
async def main():
    print(type(asyncio.get_running_loop()).__module__, sys.argv[1:])
asyncio.run(main())
"""


def test_python_m_runs_a_script_on_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "pyuv.asyncio", script, "-x", "y"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert told.stdout.strip() == "pyuv.asyncio._event_loop ['-x', 'y']", told.stderr


@pytest.mark.skipif(sys.version_info >= (3, 16), reason="Python 3.16 has no policies")
def test_install_has_asyncio_make_loops_of_ours():
    program = (
        "import asyncio, warnings; warnings.simplefilter('ignore')\n"
        "import pyuv.asyncio; pyuv.asyncio.install()\n"
        "async def main(): return type(asyncio.get_running_loop()) is pyuv.asyncio.EventLoop\n"
        "print(asyncio.run(main()))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50)
    assert told.stdout.strip() == "True", told.stderr


def test_a_forked_child_is_refused_clearly():
    loop = pyuv.asyncio.new_event_loop()
    loop.call_soon(loop.stop)
    loop.run_forever()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            loop.call_soon(print)
        except RuntimeError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader) as told:
        assert "fork" in told.read()
    loop.close()
