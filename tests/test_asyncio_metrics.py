"""`EventLoop.metrics()`: what the loop has done is what the program has it do."""

import asyncio
import concurrent.futures
import math
import socket
import threading
import time

import pytest
import pyuv
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import Lag, Metrics

FACTORY = pyuv.asyncio.new_event_loop
MESSAGE = b"x" * 1000


def test_nothing_was_done_at_the_beginning():
    with asyncio.Runner(loop_factory=FACTORY) as runner:
        metrics = runner.get_loop().metrics()
        assert isinstance(metrics, Metrics)
        assert (metrics.turns, metrics.callbacks, metrics.connections_made) == (0, 0, 0)
        assert (metrics.busy, metrics.idle, metrics.utilisation) == (0.0, 0.0, 0.0)
        assert sum(metrics.lag.counts) == 0
        assert metrics.lag.quantile(1) == 0.0


def test_turns_and_callbacks_are_counted():
    async def main():
        loop = asyncio.get_running_loop()
        before = loop.metrics()
        for _ in range(100):
            loop.call_soon(int)
        await asyncio.sleep(0)
        done = loop.metrics().since(before)
        # This task's next step is the last of the round.
        assert done.callbacks == 101
        assert done.most_ready == 101
        turns = loop.metrics().turns
        for _ in range(10):
            await asyncio.sleep(0.001)
        assert loop.metrics().turns - turns >= 10

    run(FACTORY, main())


def test_busy_and_idle_are_the_whole_time():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        loop.metrics()
        await asyncio.sleep(0.01)
        before, began = loop.metrics(), time.monotonic()
        await asyncio.sleep(0.2)
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            pass
        await asyncio.sleep(0.01)
        done, took = loop.metrics().since(before), time.monotonic() - began
        assert done.idle >= 0.19
        assert done.busy >= 0.099
        # The turns at both ends are counted when they are over.
        assert done.idle + done.busy <= took + 0.05
        assert done.utilisation == done.busy / (done.busy + done.idle)
        assert 0.0 < done.utilisation < 0.9

    run(FACTORY, main())


def test_a_turn_that_takes_long_is_in_the_histogram():
    async def main():
        loop = asyncio.get_running_loop()
        loop.metrics()
        await asyncio.sleep(0.001)
        before = loop.metrics()
        time.sleep(0.1)
        await asyncio.sleep(0.001)
        lag = loop.metrics().since(before).lag
        slow = [bound for bound, count in zip(lag.bounds, lag.counts, strict=False) if count][-1]
        # 65 to 131 ms, and longer where the machine had other things to do.
        assert slow >= 0.131
        assert lag.quantile(1) == slow
        assert lag.quantile(0) <= lag.quantile(0.5) <= slow
        assert lag.total >= 0.1
        with pytest.raises(ValueError, match="between 0 and 1"):
            lag.quantile(1.5)

    run(FACTORY, main())


def test_what_took_longer_than_the_last_bound_has_none():
    assert Lag((0,) * 25 + (1,), 20.0).quantile(0.5) == math.inf


def test_connections_and_bytes_are_counted():
    async def main():
        loop = asyncio.get_running_loop()
        before = loop.metrics()

        async def echo(reader, writer):
            while data := await reader.read(4096):
                writer.write(data)
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for _ in range(10):
                writer.write(MESSAGE)
                await reader.readexactly(len(MESSAGE))
            done = loop.metrics().since(before)
            # Both ends are this loop's.
            assert (done.connections_made, done.connections) == (2, 2)
            assert (done.bytes_read, done.bytes_written) == (20_000, 20_000)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        while loop.metrics().connections:
            await asyncio.sleep(0)
        assert loop.metrics().since(before).connections_made == 2

    run(FACTORY, main())


def test_what_the_system_does_not_take_is_counted_once():
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            data = b"x" * 10_000_000
            transport.write(data)
            transport.writelines([b"y" * 1000] * 3)
            assert transport.get_write_buffer_size() > 0
            assert loop.metrics().bytes_written == len(data) + 3000
            transport.abort()
            await asyncio.sleep(0)

    run(FACTORY, main())


def test_datagrams_are_counted():
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self.transport.sendto(data, address)

    class Client(asyncio.DatagramProtocol):
        def __init__(self):
            self.answer = asyncio.get_running_loop().create_future()

        def datagram_received(self, data, address):
            self.answer.set_result(data)

    async def main():
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
        address = server.get_extra_info("sockname")
        client, protocol = await loop.create_datagram_endpoint(Client, remote_addr=address)
        client.sendto(MESSAGE)
        assert await protocol.answer == MESSAGE
        metrics = loop.metrics()
        assert (metrics.bytes_read, metrics.bytes_written) == (2000, 2000)
        server.close()
        client.close()
        await asyncio.sleep(0)

    run(FACTORY, main())


def test_work_of_the_pool_and_the_executor_is_seen():
    async def main():
        loop = asyncio.get_running_loop()
        gate = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            loop.set_default_executor(executor)
            waiting = [loop.run_in_executor(None, gate.wait) for _ in range(3)]
            done = loop.create_future()
            loop.uv.queue_work(gate.wait, lambda *outcome: done.set_result(outcome))
            assert loop.metrics().executor_threads == 1
            # Of this process's, and so of other tests' too.
            assert loop.metrics().requests >= 1
            while loop.metrics().executor_queue != 2:
                await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(*waiting)
            await done
            assert loop.metrics().executor_queue == 0

    run(FACTORY, main())


def test_another_thread_may_look():
    async def main():
        loop = asyncio.get_running_loop()
        loop.metrics()
        for _ in range(3):
            await asyncio.sleep(0.001)
        seen = await asyncio.to_thread(loop.metrics)
        assert seen.turns > 0
        assert seen.busy > 0
        return loop

    loop = run(FACTORY, main())
    # The loop is closed, and its numbers stay.
    assert loop.metrics().turns > 0


def test_another_thread_may_begin_while_the_loop_sleeps():
    async def main():
        loop = asyncio.get_running_loop()
        sleeping = asyncio.sleep(0.4)
        looks = concurrent.futures.ThreadPoolExecutor(1).submit(lambda: time.sleep(0.1) or loop.metrics())
        await sleeping
        assert looks.result().busy == 0.0
        await asyncio.sleep(0.01)
        metrics = loop.metrics()
        assert metrics.idle + metrics.busy < 0.3

    run(FACTORY, main())


def test_the_time_between_two_runs_is_not_the_loops():
    with asyncio.Runner(loop_factory=FACTORY) as runner:
        loop = runner.get_loop()

        async def rest():
            loop.metrics()
            await asyncio.sleep(0.001)

        runner.run(rest())
        before = loop.metrics()
        time.sleep(0.2)
        runner.run(rest())
        done = loop.metrics().since(before)
        assert done.busy + done.idle < 0.2


def test_a_loop_without_init_says_so():
    loop = pyuv.asyncio.EventLoop.__new__(pyuv.asyncio.EventLoop)
    with pytest.raises(RuntimeError, match="__init__"):
        loop._metrics()
    with pytest.raises(RuntimeError, match="__init__"):
        loop._progress()
    loop._closed = True
