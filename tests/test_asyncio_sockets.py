"""`sock_recv`, `sock_recv_into`, `sock_sendall`: awaitables that try first, and wait only if they must."""

import asyncio
import gc
import inspect
import os
import socket
import warnings

import pytest
import pyuv
import pyuv.asyncio
from asyncioutil import both_loops, run

from util import collect, open_fds


def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


@both_loops
def test_a_message_comes_and_goes(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs:
            assert await loop.sock_sendall(theirs, b"here already") is None
            assert await loop.sock_recv(ours, 4) == b"here"
            buffer = bytearray(20)
            assert await loop.sock_recv_into(ours, buffer) == 8
            assert buffer[:8] == b" already"
            coming = asyncio.create_task(loop.sock_recv(ours, 100))
            await asyncio.sleep(0)
            assert not coming.done()
            await loop.sock_sendall(theirs, memoryview(b"later"))
            assert await coming == b"later"
            theirs.close()
            assert await loop.sock_recv(ours, 100) == b""

    run(factory, main())


@both_loops
@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_everything_arrives_in_order(factory, size):
    data = os.urandom(3_000_000)

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()

        async def receive():
            received = bytearray()
            while len(received) < len(data):
                received += await loop.sock_recv(ours, max(size, 1000))
            return received

        async def send():
            for start in range(0, len(data), 300_000):
                await loop.sock_sendall(theirs, data[start : start + 300_000])

        with ours, theirs:
            received, _ = await asyncio.gather(receive(), send())
            assert received == data

    run(factory, main())


@both_loops
def test_failures_come_where_it_is_awaited(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with pytest.raises(ValueError, match="negative buffersize"):
            await loop.sock_recv(ours, -1)
        with pytest.raises(TypeError):
            await loop.sock_recv(ours, "many")
        with pytest.raises(TypeError):
            await loop.sock_recv_into(ours, b"not writable")
        with pytest.raises(TypeError):
            await loop.sock_sendall(ours, "text")
        with pytest.raises(TypeError):
            await loop.sock_sendall(ours, [b"a", b"list"])
        theirs.close()
        with pytest.raises(BrokenPipeError) as failed:
            await loop.sock_sendall(ours, b"to nobody")
        assert failed.value.errno == 32
        ours.close()
        with pytest.raises(OSError, match="Bad file descriptor") as failed:
            await loop.sock_recv(ours, 1)
        assert failed.value.errno == 9

    run(factory, main())


@both_loops
def test_one_that_is_cancelled_leaves_the_next_message(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs:
            for number in range(20):
                waiting = asyncio.create_task(loop.sock_recv(ours, 10))
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.001):
                        await loop.sock_recv(ours, 10)
                await loop.sock_sendall(theirs, b"%d" % number)
                assert await loop.sock_recv(ours, 10) == b"%d" % number

    run(factory, main())


@both_loops
def test_reading_and_writing_wait_side_by_side(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs:
            large = b"x" * 2_000_000
            sending = asyncio.create_task(loop.sock_sendall(ours, large))
            receiving = asyncio.create_task(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            await loop.sock_sendall(theirs, b"meanwhile")
            assert await receiving == b"meanwhile"
            assert not sending.done()
            left = len(large)
            while left:
                left -= len(await loop.sock_recv(theirs, 1 << 18))
            await sending

    run(factory, main())


@both_loops
def test_a_number_that_comes_again_is_another_socket(factory):
    async def main():
        loop = asyncio.get_running_loop()
        numbers = set()
        for round_ in range(200):
            ours, theirs = pair()
            numbers.add(ours.fileno())
            waiting = asyncio.create_task(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            await loop.sock_sendall(theirs, b"%d" % round_)
            assert await waiting == b"%d" % round_
            ours.close()
            theirs.close()
        assert len(numbers) < 10

    run(factory, main())


@both_loops
def test_a_socket_may_be_a_transport_s_afterwards(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        waiting = asyncio.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        await loop.sock_sendall(theirs, b"first")
        assert await waiting == b"first"
        reader, writer = await asyncio.open_connection(sock=ours)
        await loop.sock_sendall(theirs, b"second\n")
        assert await reader.readline() == b"second\n"
        with pytest.raises(RuntimeError, match="is used by transport"):
            await loop.sock_recv(ours, 10)
        writer.close()
        await writer.wait_closed()
        theirs.close()

    run(factory, main())


@both_loops
def test_a_blocking_socket_is_refused_in_debug_mode(factory):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for attempt in (
                loop.sock_recv(ours, 1),
                loop.sock_recv_into(ours, bytearray(1)),
                loop.sock_sendall(ours, b"x"),
            ):
                with pytest.raises(ValueError, match="non-blocking"):
                    await attempt

    run(factory, main())


@both_loops
def test_a_class_with_methods_of_its_own_is_asked(factory):
    class Loud(socket.socket):
        def recv(self, *args):
            return super().recv(*args).upper()

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with Loud(fileno=ours.detach()) as loud, theirs:
            waiting = asyncio.create_task(loop.sock_recv(loud, 10))
            await asyncio.sleep(0)
            await loop.sock_sendall(theirs, b"quiet")
            assert await waiting == b"QUIET"

    run(factory, main())


@both_loops
def test_it_is_a_coroutine(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs:
            coroutine = loop.sock_recv(ours, 10)
            assert asyncio.iscoroutine(coroutine)
            assert inspect.isawaitable(coroutine)
            assert coroutine.__name__ == "sock_recv"
            coroutine.close()
            with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
                await coroutine
            thrown = loop.sock_recv(ours, 10)
            with pytest.raises(KeyError):
                thrown.throw(KeyError("here"))
            for runs in (asyncio.wait_for, lambda awaitable, _: asyncio.shield(awaitable)):
                await loop.sock_sendall(theirs, b"x")
                assert await runs(loop.sock_recv(ours, 1), 10) == b"x"
            async with asyncio.TaskGroup() as group:
                task = group.create_task(loop.sock_recv(ours, 1))
                group.create_task(loop.sock_sendall(theirs, b"y"))
            assert task.result() == b"y"

    run(factory, main())


@both_loops
def test_one_that_nobody_awaits_warns(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loop.sock_recv(ours, 10)
            collect()
            messages = [str(warning.message) for warning in caught]
            assert any("sock_recv' was never awaited" in message for message in messages), messages

    run(factory, main())


@both_loops
def test_one_that_is_cancelled_takes_nothing_any_more(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs:
            waiting = asyncio.create_task(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            waiting.cancel()
            theirs.send(b"for the next")
            await asyncio.gather(waiting, return_exceptions=True)
            assert waiting.cancelled()
            assert await loop.sock_recv(ours, 100) == b"for the next"

    run(factory, main())


def test_several_wait_in_their_order():
    """On asyncio's own loop a second one takes the place of the first, which waits for ever."""

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        with ours, theirs:
            waiting = [asyncio.create_task(loop.sock_recv(ours, 1)) for _ in range(5)]
            await asyncio.sleep(0)
            waiting[1].cancel()
            await loop.sock_sendall(theirs, b"abcd")
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert isinstance(results.pop(1), asyncio.CancelledError)
            assert results == [b"a", b"b", b"c", b"d"]

    pyuv.asyncio.run(main())


def test_a_blocking_socket_never_blocks_the_loop():
    """asyncio's own loop would wait in the system call, and everybody with it."""

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            waiting = asyncio.create_task(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            assert not waiting.done()
            theirs.send(b"x")
            assert await waiting == b"x"
            assert os.get_blocking(ours.fileno())

    pyuv.asyncio.run(main())


def test_the_number_is_free_for_a_handle_of_the_loop_below():
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair()
        waiting = asyncio.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        theirs.send(b"x")
        assert await waiting == b"x"
        received = loop.create_future()
        pipe = pyuv.Pipe(loop.uv)
        pipe.open(ours.detach())
        pipe.start_read(lambda handle, data, error: received.set_result(data))
        theirs.send(b"y")
        assert await received == b"y"
        pipe.close()
        theirs.close()

    pyuv.asyncio.run(main())


def test_a_loop_that_closes_lets_go_of_those_that_wait():
    ours, theirs = pair()
    before = open_fds()
    loop = pyuv.asyncio.new_event_loop()
    waiting = loop.create_task(loop.sock_recv(ours, 10))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert open_fds() == before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        waiting._log_destroy_pending = False
        del waiting
        gc.collect()
    ours.close()
    theirs.close()
