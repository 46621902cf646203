"""`add_reader` and `add_writer`: what they take, and what becomes of what nobody watches any more."""

import asyncio
import contextvars
import fcntl
import os
import socket
import threading

import pytest
import pyuv.asyncio
from asyncioutil import both_loops, run

VARIABLE = contextvars.ContextVar("VARIABLE", default="outside")


@pytest.fixture
def pair():
    """Two sockets that do not block."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def first_call(loop, add, fd):
    """What the callback of the descriptor is called with first, as a future; it is called no more then."""
    called = loop.create_future()
    remove = loop.remove_reader if add == loop.add_reader else loop.remove_writer

    def callback(*arguments):
        called.set_result(arguments)
        assert remove(fd) is True

    assert add(fd, callback, fd, "argument") is None
    return called


@both_loops
@pytest.mark.parametrize("kind", ["number", "object"])
def test_a_descriptor_is_watched_by_its_number_or_what_has_one(factory, pair, kind):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair
        fd = ours if kind == "object" else ours.fileno()
        for turn in range(20):
            assert await first_call(loop, loop.add_writer, fd) == (fd, "argument")
            called = first_call(loop, loop.add_reader, fd)
            await asyncio.sleep(0.001)
            assert not called.done()
            theirs.send(b"%d" % turn)
            assert await called == (fd, "argument")
            assert ours.recv(10) == b"%d" % turn
        assert loop.remove_reader(fd) is False
        assert loop.remove_writer(fd) is False

    run(factory, main())


@both_loops
def test_a_callback_is_called_as_long_as_there_is_something(factory, pair):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair
        theirs.send(b"1234")
        received = []
        done = loop.create_future()

        def callback():
            received.append(ours.recv(1))
            if len(received) == 4:
                loop.remove_reader(ours)
                done.set_result(None)

        loop.add_reader(ours, callback)
        await done
        assert received == [b"1", b"2", b"3", b"4"]

    run(factory, main())


@both_loops
def test_one_callback_takes_the_place_of_another(factory, pair):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = pair
        called = []
        loop.add_reader(ours, called.append, "first")
        loop.add_reader(ours, called.append, "second")
        theirs.send(b"x")
        while not called:
            await asyncio.sleep(0)
        assert set(called) == {"second"}
        # What is scheduled already is not called either.
        loop.add_reader(ours, lambda: (called.append("third"), loop.remove_reader(ours)))
        while "third" not in called:
            await asyncio.sleep(0)
        before = len(called)
        await asyncio.sleep(0.001)
        assert len(called) == before

    run(factory, main())


@both_loops
def test_a_callback_has_the_context_of_who_added_it(factory, pair):
    async def main():
        loop = asyncio.get_running_loop()
        ours, _ = pair
        VARIABLE.set("of the task")
        seen = loop.create_future()

        def callback():
            loop.remove_writer(ours)
            seen.set_result(VARIABLE.get())
            VARIABLE.set("of the callback")

        loop.add_writer(ours, callback)
        assert await seen == "of the task"
        assert VARIABLE.get() == "of the task"

    run(factory, main())


@both_loops
def test_a_number_that_comes_again_is_another_descriptor(factory):
    async def main():
        loop = asyncio.get_running_loop()
        numbers = set()
        for turn in range(20):
            # Now one kind, now another, and now one that blocks.
            if turn % 2:
                reading, writing = os.pipe()
                os.set_blocking(reading, bool(turn % 4 == 1))
            else:
                reading, writing = (each.detach() for each in socket.socketpair())
            numbers.add(reading)
            called = first_call(loop, loop.add_reader, reading)
            await asyncio.sleep(0)
            assert not called.done()
            os.write(writing, b"x")
            await called
            assert os.read(reading, 10) == b"x"
            os.close(reading)
            os.close(writing)
        assert len(numbers) < 20

    run(factory, main())


@both_loops
@pytest.mark.parametrize("blocks", [False, True])
def test_a_descriptor_is_left_as_it_was(factory, blocks):
    async def main():
        loop = asyncio.get_running_loop()
        reading, writing = os.pipe()
        os.set_blocking(reading, blocks)
        before = fcntl.fcntl(reading, fcntl.F_GETFL)
        os.write(writing, b"x")
        await first_call(loop, loop.add_reader, reading)
        await asyncio.sleep(0)
        assert fcntl.fcntl(reading, fcntl.F_GETFL) == before
        # Another may watch it, with an epoll of its own.
        os.close(reading)
        os.close(writing)

    run(factory, main())


@both_loops
def test_what_cannot_be_watched_is_refused(factory, pair, tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        ours, _ = pair
        for bad in ("text", 1.5, None, object()):
            with pytest.raises((ValueError, TypeError)):
                loop.add_reader(bad, print)
            with pytest.raises((ValueError, TypeError)):
                loop.remove_writer(bad)
        with open(tmp_path / "file", "w") as file, pytest.raises(PermissionError):
            loop.add_reader(file, print)
        number = os.dup(0)
        os.close(number)
        with pytest.raises(OSError, match="Bad file descriptor"):
            loop.add_reader(number, print)
        with pytest.raises(TypeError):
            loop.add_reader(ours)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        for method in (loop.add_reader, loop.add_writer):
            for fd in (ours, ours.fileno()):
                with pytest.raises(RuntimeError, match="is used by transport"):
                    method(fd, print)
        for method in (loop.remove_reader, loop.remove_writer):
            with pytest.raises(RuntimeError, match="is used by transport"):
                method(ours.fileno())
        transport.abort()

    run(factory, main())


@both_loops
def test_a_datagram_transport_s_descriptor_is_its_own(factory):
    async def main():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        number = transport.get_extra_info("socket").fileno()
        with pytest.raises(RuntimeError, match="is used by transport"):
            loop.add_reader(number, print)
        transport.close()
        assert loop.remove_reader(number) is False
        await asyncio.sleep(0)

    run(factory, main())


@both_loops
def test_a_loop_that_is_closed_watches_nothing(factory, pair):
    loop = factory()
    ours, _ = pair
    called = []
    loop.add_reader(ours, called.append, 1)
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.add_reader(ours, print)
    assert loop.remove_reader(ours) is False
    assert called == []


@both_loops
@pytest.mark.parametrize("direction", ["reader", "writer"])
def test_another_thread_adds_and_removes_while_the_loop_runs(factory, direction, pair):
    ours, theirs = pair

    async def main():
        loop = asyncio.get_running_loop()
        add, remove = getattr(loop, f"add_{direction}"), getattr(loop, f"remove_{direction}")
        calls, called = [], asyncio.Event()

        def callback(*arguments):
            calls.append((arguments, threading.get_ident()))
            called.set()

        assert await asyncio.to_thread(add, ours, callback, "argument") is None
        theirs.send(b"something to read")
        await called.wait()
        assert calls[0] == (("argument",), threading.get_ident())
        assert await asyncio.to_thread(remove, ours) is True
        before = len(calls)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(calls) == before
        assert remove(ours) is False

    run(factory, main())


def test_another_thread_s_descriptor_is_asked_for_its_number_at_once(pair):
    ours, theirs = pair
    askers = []

    class Descriptor:
        def fileno(self):
            askers.append(threading.get_ident())
            return ours.fileno()

    async def main():
        loop = asyncio.get_running_loop()
        called = asyncio.Event()
        await asyncio.to_thread(loop.add_reader, Descriptor(), called.set)
        theirs.send(b"something to read")
        await called.wait()
        assert loop.remove_reader(ours) is True
        assert threading.get_ident() not in askers

    run(pyuv.asyncio.new_event_loop, main())
