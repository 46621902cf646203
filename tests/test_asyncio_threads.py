"""Event loops in several threads."""

import asyncio
import os
import threading

import pytest
from asyncioutil import both_loops, connected, run

from util import open_fds


@both_loops
def test_loops_in_threads_serve_each_other(factory):
    count = 4
    ports = [None] * count
    ready = threading.Barrier(count)
    done = threading.Barrier(count)
    failures = []

    async def echo(reader, writer):
        while data := await reader.read(10_000):
            writer.write(data)
        writer.close()

    async def main(number):
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        ports[number] = server.sockets[0].getsockname()[1]
        await loop.run_in_executor(None, ready.wait, 30)
        for port in ports:
            for _ in range(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                data = os.urandom(100_000)
                writer.write(data)
                assert await reader.readexactly(len(data)) == data
                writer.close()
                await writer.wait_closed()
        await loop.run_in_executor(None, done.wait, 30)
        server.close()

    def work(number):
        try:
            run(factory, main(number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert failures == []


@both_loops
def test_loops_of_many_threads_come_and_go(factory):
    failures = []

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await connected()
        peer.send(b"x")
        while not protocol.data:
            await asyncio.sleep(0)
        assert await loop.run_in_executor(None, int, "7") == 7
        transport.close()
        await protocol.lost
        peer.close()

    def work():
        try:
            for _ in range(5):
                run(factory, main())
        except BaseException as error:
            failures.append(error)

    run(factory, main())
    before = open_fds()
    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert failures == []
    assert open_fds() == before


@both_loops
def test_a_task_is_cancelled_from_another_thread_and_the_loop_is_stopped_by_it(factory):
    loop = factory()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    ended = threading.Event()

    async def work():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    begun = asyncio.run_coroutine_threadsafe(work(), loop)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(30)
    begun.cancel()
    assert ended.wait(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    assert not loop.is_running()
    loop.close()


@both_loops
@pytest.mark.parametrize("method", ["call_later", "call_at"])
def test_another_thread_sets_a_timer_while_the_loop_runs(factory, method):
    async def main():
        loop = asyncio.get_running_loop()
        called = loop.create_future()

        def when(delay):
            return delay if method == "call_later" else loop.time() + delay

        def callback(*arguments):
            called.set_result((arguments, threading.get_ident()))

        never = await asyncio.to_thread(getattr(loop, method), when(3600), called.cancel)
        assert isinstance(never, asyncio.TimerHandle)
        never.cancel()
        assert never.cancelled()
        start = loop.time()
        timer = await asyncio.to_thread(getattr(loop, method), when(0.02), callback, "argument")
        assert timer.when() >= start + 0.02
        assert await called == (("argument",), threading.get_ident())
        assert loop.time() >= timer.when() - 0.001
        loop.set_debug(True)
        with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
            await asyncio.to_thread(getattr(loop, method), when(0.02), callback)

    run(factory, main())
