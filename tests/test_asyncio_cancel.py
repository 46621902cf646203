"""Connects and low-level operations that are cancelled at every step."""

import asyncio
import socket

import pytest
from asyncioutil import Recorder, both_loops, nonblocking, reports, run

from util import open_fds


async def of_tcp(loop, address):
    return await loop.create_connection(Recorder, *address)


async def of_a_name(loop, address):
    return await loop.create_connection(Recorder, "localhost", address[1], family=socket.AF_INET)


async def of_a_race(loop, address):
    return await loop.create_connection(Recorder, *address, happy_eyeballs_delay=0.01)


async def of_a_local_address(loop, address):
    return await loop.create_connection(Recorder, *address, local_addr=("127.0.0.1", 0))


async def of_a_socket(loop, address):
    sock = socket.socket()
    sock.setblocking(False)
    try:
        await loop.sock_connect(sock, address)
        return await loop.create_connection(Recorder, sock=sock)
    except BaseException:
        sock.close()
        raise


async def of_an_accepted_socket(loop, address):
    ours, theirs = socket.socketpair()
    theirs.close()
    try:
        return await loop.connect_accepted_socket(Recorder, ours)
    except BaseException:
        ours.close()
        raise


async def of_streams(loop, address):
    _, writer = await asyncio.open_connection(*address)
    return writer, None


CONNECTS = [
    of_tcp,
    of_a_name,
    of_a_race,
    of_a_local_address,
    of_a_socket,
    of_an_accepted_socket,
    of_streams,
]


@both_loops
# Of a race that is cancelled when it was won asyncio drops the socket, which closes it.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("connect", CONNECTS)
def test_a_connect_is_cancelled_at_every_step(factory, connect):
    """Either it is cancelled and leaves nothing, or it was done already."""

    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        outcomes = {"cancelled": 0, "done": 0}
        # The first time a loop opens what it keeps.
        transport, _ = await connect(loop, address)
        transport.close()
        await asyncio.sleep(0.05)
        before = open_fds()
        for steps in range(30):
            connecting = asyncio.ensure_future(connect(loop, address))
            for _ in range(steps):
                await asyncio.sleep(0)
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
            if isinstance(outcome, asyncio.CancelledError):
                outcomes["cancelled"] += 1
            else:
                outcomes["done"] += 1
                outcome[0].close()
            # An exception has the frames that it came through, and what they have.
            del connecting, outcome
            if steps % 5 == 4:
                while open_fds() > before:
                    await asyncio.sleep(0.01)
        assert outcomes["cancelled"] > 0
        server.close()
        assert contexts == []

    run(factory, main())


@both_loops
def test_a_low_level_operation_is_cancelled_and_done_again(factory):
    async def main():
        loop = asyncio.get_running_loop()
        one, other = socket.socketpair()
        one.setblocking(False)
        other.setblocking(False)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            for operation in (
                lambda: loop.sock_recv(one, 10),
                lambda: loop.sock_recv_into(one, bytearray(10)),
                lambda: loop.sock_accept(listener),
                lambda: loop.sock_sendall(other, bytes(10_000_000)),
            ):
                waiting = asyncio.ensure_future(operation())
                await asyncio.sleep(0.01)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert not loop.remove_reader(one)
                assert not loop.remove_writer(other)
                assert not loop.remove_reader(listener)
            while await asyncio.wait_for(loop.sock_recv(one, 1 << 20), 30):
                try:
                    one.recv(1 << 20)
                except BlockingIOError:
                    break
            await loop.sock_sendall(other, b"again")
            received = b""
            while not received.endswith(b"again"):
                received = received[-4:] + await loop.sock_recv(one, 1 << 20)
            accepting = asyncio.ensure_future(loop.sock_accept(listener))
            await loop.sock_connect(client := nonblocking(), listener.getsockname())
            (await accepting)[0].close()
            client.close()
        one.close()
        other.close()

    run(factory, main())
