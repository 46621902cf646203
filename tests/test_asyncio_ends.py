"""Exceptions of protocols, and what ends the program: from every callback, at any point."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from asyncioutil import Recorder, both_loops, connected, failing, first_report, nonblocking, reports, run

from util import collect, open_fds

ENDS = [KeyboardInterrupt, SystemExit]


@both_loops
@pytest.mark.parametrize("method", ["connection_made", "pause_writing", "resume_writing"])
def test_an_exception_of_a_protocol_is_reported_and_the_connection_goes_on(factory, method):
    async def main():
        loop = asyncio.get_running_loop()
        reported = first_report()
        transport, protocol, peer = await connected(failing(Recorder, method))
        transport.write(bytes(1_000_000))
        received = 0
        while received < 1_000_000:
            received += len(await loop.sock_recv(peer, 1 << 20))
        context = await reported
        assert isinstance(context["exception"], ZeroDivisionError)
        transport.close()
        assert await protocol.lost is None
        peer.close()

    run(factory, main())


@both_loops
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_protocol_factory_that_raises_leaves_no_descriptor(factory):
    def fail():
        raise ZeroDivisionError("factory")

    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()
        # asyncio says nothing of it before Python 3.14, except in debug mode.
        loop.set_debug(True)
        server = await loop.create_server(fail, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        before = None
        for _ in range(3):
            with nonblocking() as sock:
                await loop.sock_connect(sock, address)
                while not contexts:
                    await asyncio.sleep(0.001)
                assert isinstance(contexts[-1]["exception"], ZeroDivisionError)
                contexts.clear()
                # What the server has no protocol for it drops.
                collect()
                assert await asyncio.wait_for(loop.sock_recv(sock, 1), 30) == b""
            await asyncio.sleep(0.01)
            assert before in (None, open_fds())
            before = open_fds()
        server.close()

    run(factory, main())


@both_loops
@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize(
    "method", ["connection_made", "data_received", "eof_received", "connection_lost", "pause_writing"]
)
def test_what_ends_the_program_leaves_every_callback_of_a_protocol(factory, method, kind):
    loop = factory()
    ours, theirs = socket.socketpair()
    tasks = []
    protocol = failing(Recorder, method, kind)

    async def begin():
        tasks.append(loop.create_task(loop.create_connection(protocol, sock=ours)))
        transport, _ = await asyncio.shield(tasks[0])
        theirs.send(b"data")
        theirs.shutdown(socket.SHUT_WR)
        transport.write(bytes(1_000_000))
        if method == "connection_lost":
            transport.abort()
        await asyncio.sleep(30)

    with pytest.raises(kind, match=method):
        loop.run_until_complete(begin())
    assert not loop.is_running()
    # asyncio may tell the end of the data again: this time it is taken.
    delattr(protocol, method)

    async def end():
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        (outcome, *_) = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(outcome, tuple):
            outcome[0].abort()
        await asyncio.sleep(0.01)

    loop.run_until_complete(end())
    loop.close()
    theirs.close()
    ours.close()


@both_loops
@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize(
    "where",
    [
        "call_soon",
        "call_later",
        "call_soon_threadsafe",
        "reader",
        "signal",
        "done callback",
        "handler",
        "task",
    ],
)
def test_what_ends_the_program_leaves_the_loop_from_everywhere(factory, where, kind):
    loop = factory()
    reader, writer = os.pipe()

    def end(*_):
        raise kind(where)

    async def fail():
        end()

    match where:
        case "call_soon":
            loop.call_soon(end)
        case "call_later":
            loop.call_later(0.01, end)
        case "call_soon_threadsafe":
            threading.Timer(0.01, loop.call_soon_threadsafe, (end,)).start()
        case "reader":
            loop.add_reader(reader, end)
            os.write(writer, b"x")
        case "signal":
            loop.add_signal_handler(signal.SIGUSR1, end)
            loop.call_soon(os.kill, os.getpid(), signal.SIGUSR1)
        case "done callback":
            future = loop.create_future()
            future.add_done_callback(end)
            loop.call_soon(future.set_result, None)
        case "handler":
            loop.set_exception_handler(end)
            loop.call_soon(lambda: 1 / 0)
        case "task":
            task = loop.create_task(fail())
    with pytest.raises(kind, match=where):
        loop.run_forever()
    assert not loop.is_running()
    loop.remove_reader(reader)
    loop.remove_signal_handler(signal.SIGUSR1)
    os.close(reader)
    os.close(writer)
    if where == "task":
        assert isinstance(task.exception(), kind)
    # It runs again as if nothing had been.
    assert loop.run_until_complete(asyncio.sleep(0.001, "again")) == "again"
    loop.close()


INTERRUPTED = """
import asyncio, os, random, signal, sys, threading, time
import pyuv.asyncio

async def serve(reader, writer):
    try:
        while data := await reader.read(1000):
            writer.write(data)
    finally:
        writer.close()

async def ask(address):
    while True:
        reader, writer = await asyncio.open_connection(*address)
        try:
            for _ in range(10):
                writer.write(b"x" * 100)
                await reader.readexactly(100)
                await asyncio.sleep(random.choice([0, 0, 0.001]))
        finally:
            writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    threading.Timer(random.random() * 0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(ask(address))

for _ in range(int(sys.argv[1])):
    try:
        {run}(main())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("runner", ["asyncio.run", "pyuv.asyncio.run"])
def test_ctrl_c_ends_a_program_at_any_point(runner):
    rounds = 20
    program = INTERRUPTED.replace("{run}", runner)
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(rounds)],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert ended.stdout.split() == ["interrupted"] * rounds, ended.stderr
    assert ended.returncode == 0, ended.stderr


ANYWHERE = """
import asyncio, signal, socket, sys
import pyuv.asyncio

class Ended(KeyboardInterrupt):
    pass

def end(*_):
    if loop.is_running():
        raise Ended

async def connected():
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)
    return reader, writer, theirs

async def ask():
    while True:
        reader, writer, peer = await connected()
        peer.send(b"x" * 1000)
        writer.write(b"x" * 1000)
        await reader.readexactly(1000)
        writer.transport.abort()
        peer.close()
        try:
            await writer.wait_closed()
        except ConnectionError:
            pass

async def again():
    reader, writer, peer = await connected()
    peer.send(b"answer")
    assert await reader.readexactly(6) == b"answer"
    writer.close()
    await writer.wait_closed()
    peer.close()

loop = pyuv.asyncio.new_event_loop()
loop.set_exception_handler(lambda loop, context: None)
signal.signal(signal.SIGALRM, end)
for number in range(int(sys.argv[1])):
    tasks = [loop.create_task(ask()) for _ in range(3)]
    # Of a finaliser's exceptions Python only says that they are ignored: the next one arrives.
    signal.setitimer(signal.ITIMER_REAL, 0.001 + number % 50 * 0.0002, 0.02)
    try:
        loop.run_forever()
    except Ended:
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("ended", flush=True)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait_for(again(), 20))
loop.close()
"""


def test_an_exception_of_a_signal_handler_at_any_point_leaves_a_loop_that_runs():
    """Python's own handler raises wherever the loop is, in its own Python too: it runs again afterwards."""
    rounds = 200
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "faulthandler", "-c", ANYWHERE, str(rounds)],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert ended.stdout.split() == ["ended"] * rounds, ended.stderr
    assert ended.returncode == 0, ended.stderr


@both_loops
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_loop_is_closed_while_everything_goes_on(factory):
    loop = factory()
    ran, contexts = [], []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))

    async def work():
        try:
            await asyncio.sleep(3600)
        finally:
            ran.append(True)

    async def begin():
        made = await connected()
        made[0].write(bytes(10_000_000))
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        loop.call_later(3600, ran.append, "timer")
        loop.call_soon(ran.append, "soon")
        return made, server, loop.create_task(work())

    made, server, task = loop.run_until_complete(begin())
    ran.clear()
    begin = time.monotonic()
    loop.close()
    assert time.monotonic() - begin < 20
    assert ran == []
    assert not task.done()
    made[2].close()
    task._log_destroy_pending = False
    del made, server, task
    assert contexts == []
    collect()
