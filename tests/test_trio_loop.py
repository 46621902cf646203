"""pyuv.trio: the loop inside trio.run, its life, and what is started on it by hand."""

import gc
import os
import signal
import time

import pytest
import pyuv
import trio
from fsutil import has_reader
from pyuv.trio import current_loop, fs
from trioutil import run

from util import Recorder, finish, in_child, open_fds, start_child, wait_for


def test_it_is_imported_by_nothing_else():
    code = """
        import sys, pyuv, pyuv.dns, pyuv.fs, pyuv.util
        print("trio" in sys.modules, "pyuv.trio" in sys.modules)
        import pyuv.trio
        print("asyncio" in sys.modules, "pyuv.asyncio" in sys.modules)
    """
    assert in_child(code) == ["False False", "False False"]


def test_each_run_has_one_loop_which_ends_with_it():
    async def main():
        async def other():
            assert current_loop() is loop

        loop = current_loop()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
        assert current_loop() is loop
        assert not loop.closed
        return loop

    one, other = run(main), run(main)
    assert one is not other
    assert one.closed
    assert other.closed


def test_outside_of_tasks_there_is_none():
    with pytest.raises(RuntimeError, match="outside of trio's tasks"):
        current_loop()
    with pytest.raises(RuntimeError, match="no running event loop"):
        fs.stat("/").send(None)


def test_timers_by_hand_are_on_time_whatever_trio_does():
    async def main():
        loop, told = current_loop(), []

        async def wait(milliseconds):
            event = trio.Event()
            begin = time.monotonic()
            timer = pyuv.Timer(loop)
            loop.update_time()
            timer.start(lambda timer: event.set(), milliseconds / 1000, 0)
            await event.wait()
            told.append(milliseconds)
            assert time.monotonic() - begin >= milliseconds / 1000 - 0.001
            timer.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 0.3)
            for milliseconds in (240, 80, 160, 1, 0):
                nursery.start_soon(wait, milliseconds)
        return sorted(told)

    begin = time.monotonic()
    assert run(main) == [0, 1, 80, 160, 240]
    assert time.monotonic() - begin < 5


def test_handles_by_hand_echo_beside_tasks():
    async def main():
        loop, received, ended = current_loop(), bytearray(), trio.Event()
        message = os.urandom(300_000)

        def on_connection(server, error):
            client = pyuv.TCP(loop)
            server.accept(client)
            client.start_read(lambda client, data, error: client.close() if error else client.write(data))

        def on_data(client, data, error):
            if error is None:
                received.extend(data)
                if len(received) == len(message):
                    client.close()
                    server.close()
                    ended.set()

        server = pyuv.TCP(loop)
        server.bind(("127.0.0.1", 0))
        server.listen(on_connection)
        ticks = 0

        async def tick():
            nonlocal ticks
            while not ended.is_set():
                ticks += 1
                await trio.sleep(0.001)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            client = pyuv.TCP(loop)
            client.connect(server.getsockname(), lambda client, error: client.write(message))
            client.start_read(on_data)
            await ended.wait()
        assert received == message
        return ticks

    assert run(main) > 0


def test_what_is_asked_for_while_trio_sleeps_is_done_at_once():
    async def main():
        loop, told = current_loop(), trio.Event()

        def again(timer):
            timer.close()
            later = pyuv.Timer(loop)
            later.start(lambda later: told.set(), 0.01, 0)

        async def asks():
            # Nothing else happens in this run.
            pyuv.Timer(loop).start(again, 0.02, 0)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(asks)
            with trio.fail_after(10):
                await told.wait()

    run(main)


def test_nobody_is_busy_while_all_sleep():
    async def main():
        loop = current_loop()
        turns = Recorder()
        prepare = pyuv.Prepare(loop)
        prepare.start(turns)
        timer = pyuv.Timer(loop)
        timer.start(lambda timer: None, 30, 0)
        await fs.stat("/")
        await trio.sleep(0.05)
        before = len(turns)
        await trio.sleep(0.3)
        return len(turns) - before

    assert run(main) < 10


def test_an_exception_of_a_callback_goes_to_the_hook_and_all_goes_on():
    async def main():
        loop, told = current_loop(), Recorder()
        loop.excepthook = told

        def fails(timer):
            timer.close()
            raise LookupError("no")

        pyuv.Timer(loop).start(fails, 0.01, 0)
        while not told.calls:
            await trio.sleep(0.005)
        assert await fs.read_bytes("/dev/null") == b""
        return told.calls[0][:2]

    kind, value = run(main)
    assert kind is LookupError
    assert value.args == ("no",)


def test_what_is_under_way_at_the_end_keeps_nothing(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async def main():
        loop = current_loop()
        pyuv.Timer(loop).start(lambda timer: None, 1000, 1000)
        fs_event = pyuv.fs.FSEvent(loop)
        fs_event.start(str(tmp_path), 0, print)
        with trio.move_on_after(0.05) as scope:
            await fs.open_fd(fifo, os.O_RDONLY)
        assert scope.cancelled_caught
        await fs.stat(tmp_path)

    def is_let_go():
        gc.collect()
        # A loop that the pool was at work for goes when there is the next one.
        pyuv.Loop().close()
        return not has_reader(fifo)

    def run_and_let_go():
        run(main)
        # The other end of the open that nobody waits for.
        os.close(os.open(fifo, os.O_WRONLY))
        wait_for(is_let_go)

    run_and_let_go()
    before = open_fds()
    for _ in range(3):
        run_and_let_go()
    assert open_fds() == before


def test_a_timer_by_hand_counts_from_now_however_long_trio_slept():
    async def main():
        loop = current_loop()
        for _ in range(2):
            event = trio.Event()
            await trio.sleep(0.4)
            begin = time.monotonic()
            pyuv.Timer(loop).start(lambda timer, event=event: event.set(), 0.2, 0)
            await event.wait()
            assert time.monotonic() - begin > 0.19

    run(main)


def test_tasks_that_are_shielded_have_the_loop_to_their_end(tmp_path):
    told = []

    async def tidy():
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.01)
                async with fs.open(tmp_path / "file", "w") as file:
                    await file.write("end")
                told.append(await fs.read_bytes(tmp_path / "file"))
                event = trio.Event()
                pyuv.Timer(current_loop()).start(lambda timer: event.set(), 0.01, 0)
                await fs.stat(tmp_path)

    async def main():
        await fs.stat(tmp_path)
        for _ in range(3):
            trio.lowlevel.spawn_system_task(tidy)
        return current_loop()

    loop = run(main)
    assert loop.closed
    assert told == [b"end"] * 3


def test_a_generator_that_is_left_is_told_of_the_end(tmp_path):
    told = []

    async def gives():
        try:
            yield 1
        finally:
            try:
                await fs.stat(tmp_path)
            except BaseException as error:
                told.append(type(error))
                raise

    async def main():
        await fs.stat(tmp_path)
        generator = gives()
        loops.append((await anext(generator), generator))

    loops = []
    run(main)
    assert told == [RuntimeError]


def test_a_main_that_fails_ends_the_loop_too():
    loops = []

    async def main():
        loops.append(current_loop())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fs.read_bytes, "/dev/null")
            raise KeyError("main")

    with pytest.RaisesGroup(KeyError):
        run(main)
    assert loops[0].closed


def test_ctrl_c_ends_a_wait(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = """
        import os, sys, trio
        from pyuv.trio import fs

        async def main():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fs.open_fd, sys.argv[1], os.O_RDONLY)
                await fs.stat("/")
                print("waiting", flush=True)

        try:
            trio.run(main)
        except* KeyboardInterrupt:
            print("interrupted")
    """
    child = start_child(code, str(fifo))
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(signal.SIGINT)
    assert finish(child) == ["interrupted"]


def test_two_runs_in_two_threads_have_a_loop_each():
    loops = []

    async def main():
        loops.append(current_loop())
        for _ in range(20):
            assert (await fs.stat("/")).st_ino

    async def outer():
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(trio.to_thread.run_sync, trio.run, main)
        await main()

    run(outer)
    assert len(set(loops)) == 4


def test_many_tasks_ask_at_once():
    async def main():
        async def ask():
            for _ in range(5):
                assert (await fs.stat("/")).st_ino == inode

        inode = os.stat("/").st_ino
        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(ask)

    run(main)
