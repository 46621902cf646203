"""Whose descriptor is it: connections end in every way while another thread opens and closes descriptors."""

import asyncio
import os
import random
import socket
import threading

import pytest
import pyuv.asyncio
from asyncioutil import Recorder, collected_warnings, run

SECONDS = 2


class Somebody(threading.Thread):
    """Opens pipes, looks whether they stay its own, and closes them."""

    def __init__(self):
        super().__init__()
        self.ended = threading.Event()
        self.rounds = 0
        self.faults = []

    def run(self):
        while not self.ended.is_set():
            try:
                self.look()
            except OSError as error:
                self.faults.append(error)
            self.rounds += 1

    def look(self):
        pipes = [os.pipe() for _ in range(5)]
        tokens = [os.urandom(8) for _ in pipes]
        for (reader, writer), token in zip(pipes, tokens, strict=True):
            os.set_blocking(reader, False)
            os.write(writer, token)
        os.sched_yield()
        for (reader, writer), token in zip(pipes, tokens, strict=True):
            read = os.read(reader, 100)
            if read != token:
                self.faults.append(f"{read!r} is not {token!r}")
            os.close(reader)
            os.close(writer)


async def connect(numbers, address):
    """A connection that is cancelled, aborted, closed or dropped."""
    loop = asyncio.get_running_loop()
    kind = numbers.randrange(5)
    if kind == 0:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        transport, _ = await loop.create_connection(Recorder, sock=ours)
        transport.write(b"x" * numbers.choice([1, 1000, 500_000]))
        numbers.choice([transport.abort, transport.close, theirs.close])()
        await asyncio.sleep(0)
        transport.abort()
        theirs.close()
    elif kind == 1:
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
            await loop.sock_sendall(sock, b"question")
            await loop.sock_recv(sock, 100)
    elif kind == 2:
        reader, writer = os.pipe()
        transport, _ = await loop.connect_read_pipe(asyncio.Protocol, os.fdopen(reader, "rb", 0))
        os.write(writer, b"x")
        os.close(writer)
        await asyncio.sleep(0)
        transport.close()
    elif kind == 3:
        transport, _ = await loop.create_connection(Recorder, *address)
        with open(__file__, "rb") as file:
            await loop.sendfile(transport, file)
        transport.close()
    else:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"question")
        await reader.read(numbers.randrange(1, 10))
        writer.close()


async def answer(reader, writer):
    try:
        while data := await reader.read(1000):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def torture(seed, somebody):
    numbers = random.Random(seed)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    begun = 0
    end = loop.time() + SECONDS
    while loop.time() < end or somebody.rounds <= 100:
        tasks = [asyncio.ensure_future(connect(numbers, address)) for _ in range(20)]
        begun += len(tasks)
        await asyncio.sleep(numbers.choice([0, 0.001, 0.005]))
        for task in numbers.sample(tasks, 10):
            task.cancel()
        await asyncio.wait(tasks, timeout=5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    server.close()
    return begun


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("seed", range(3))
def test_nobodys_descriptor_is_closed_or_written_to(seed):
    somebody = Somebody()
    somebody.start()
    try:
        begun = run(pyuv.asyncio.new_event_loop, torture(seed, somebody))
        collected_warnings()
    finally:
        somebody.ended.set()
        somebody.join()
    assert somebody.faults == []
    assert begun > 100
    assert somebody.rounds > 100
