"""Datagram transports: UDP and Unix, flow control, failures, and whose descriptor it is."""

import asyncio
import os
import socket
import sys
import tempfile

import pytest
from asyncioutil import both_loops, failing, first_report, give_to_somebody, reports, run

from util import open_fds

# So many datagrams of 800 bytes are more than the system keeps for somebody who does not receive.
MANY = 3000


class Datagrams(asyncio.DatagramProtocol):
    """Notes what it is told."""

    def __init__(self):
        loop = asyncio.get_running_loop()
        self.came = asyncio.Queue()
        self.errors = asyncio.Queue()
        self.calls = []
        self.resumed = asyncio.Event()
        self.lost = loop.create_future()

    def connection_made(self, transport):
        self.calls.append("connection_made")

    def datagram_received(self, data, address):
        self.came.put_nowait((data, address))

    def error_received(self, error):
        self.errors.put_nowait(error)

    def pause_writing(self):
        self.calls.append("pause_writing")

    def resume_writing(self):
        self.calls.append("resume_writing")
        self.resumed.set()

    def connection_lost(self, exception):
        self.calls.append("connection_lost")
        self.lost.set_result(exception)


@pytest.fixture
def folder():
    """Short enough for the address of a Unix socket."""
    with tempfile.TemporaryDirectory() as path:
        yield path


async def endpoint(**options):
    return await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, **options)


def skip_where_the_count_is_wrong(factory):
    """Until 3.13.3 Python 3.13 never takes back 8 bytes that it counts for each datagram."""
    if factory is asyncio.SelectorEventLoop and (3, 13) <= sys.version_info < (3, 14):
        transport = asyncio.selector_events._SelectorDatagramTransport
        if not hasattr(transport, "_header_size"):
            pytest.skip("this Python's own datagram transports pause for ever")


async def unix_pair(folder):
    """A transport that sends, and a socket that receives."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.setblocking(False)
    peer.bind(f"{folder}/peer")
    transport, protocol = await endpoint(family=socket.AF_UNIX, remote_addr=f"{folder}/peer")
    return transport, protocol, peer


@both_loops
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_datagrams_go_both_ways(factory, host):
    async def main():
        transport, protocol = await endpoint(local_addr=(host, 0))
        address = transport.get_extra_info("sockname")
        client, answers = await endpoint(remote_addr=address[:2])
        assert client.get_extra_info("peername")[:2] == address[:2]
        # asyncio sends empty ones from Python 3.13 on.
        for size in (0, 1, 1000, 60_000) if sys.version_info >= (3, 13) else (1, 1000, 60_000):
            data = os.urandom(size)
            client.sendto(data)
            came, sender = await protocol.came.get()
            assert came == data
            assert sender == client.get_extra_info("sockname")
            transport.sendto(data[::-1], sender)
            assert (await answers.came.get())[0] == data[::-1]
        for each in (transport, client):
            each.close()
            assert each.is_closing()
        assert await protocol.lost is None
        assert await answers.lost is None

    run(factory, main())


@both_loops
def test_unix_datagrams_go_both_ways(factory, folder):
    async def main():
        server, protocol = await endpoint(family=socket.AF_UNIX, local_addr=f"{folder}/server")
        client, answers = await endpoint(
            family=socket.AF_UNIX, local_addr=f"{folder}/client", remote_addr=f"{folder}/server"
        )
        assert server.get_extra_info("socket").family == socket.AF_UNIX
        assert client.get_extra_info("sockname") == f"{folder}/client"
        assert client.get_extra_info("peername") == f"{folder}/server"
        for data in (b"x", os.urandom(30_000)):
            client.sendto(data)
            assert await protocol.came.get() == (data, f"{folder}/client")
            server.sendto(data[::-1], f"{folder}/client")
            assert await answers.came.get() == (data[::-1], f"{folder}/server")
        server.close()
        client.close()
        await asyncio.gather(protocol.lost, answers.lost)

    run(factory, main())


@both_loops
def test_a_unix_endpoint_takes_the_place_of_a_stale_socket(factory, folder):
    async def main():
        for _ in range(2):
            transport, protocol = await endpoint(family=socket.AF_UNIX, local_addr=f"{folder}/socket")
            transport.close()
            await protocol.lost
            # What was closed has left its name behind.
            assert os.path.exists(f"{folder}/socket")

    run(factory, main())


@both_loops
def test_a_socket_that_is_there_already(factory):
    async def main():
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        transport, protocol = await endpoint(sock=ours)
        theirs.send(b"question")
        assert (await protocol.came.get())[0] == b"question"
        assert transport.get_extra_info("socket").fileno() == ours.fileno()
        transport.close()
        await protocol.lost
        theirs.close()

    run(factory, main())


@both_loops
def test_a_protocol_pauses_while_nobody_receives(factory, folder):
    skip_where_the_count_is_wrong(factory)

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await unix_pair(folder)
        sent = [number.to_bytes(4, "big") * 200 for number in range(MANY)]
        for data in sent:
            transport.sendto(data)
        waiting = transport.get_write_buffer_size()
        assert waiting > transport.get_write_buffer_limits()[1]
        assert protocol.calls == ["connection_made", "pause_writing"]
        received = []
        while len(received) < MANY:
            received.append(await loop.sock_recv(peer, 1000))
        assert received == sent
        await protocol.resumed.wait()
        assert transport.get_write_buffer_size() == 0
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_what_a_protocol_that_heeds_its_pauses_sends_stays_within_the_limits(factory, folder):
    skip_where_the_count_is_wrong(factory)

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await unix_pair(folder)
        transport.set_write_buffer_limits(high=10_000, low=1_000)
        assert transport.get_write_buffer_limits() == (1_000, 10_000)
        most = 0

        async def send():
            nonlocal most
            for number in range(MANY):
                transport.sendto(number.to_bytes(4, "big") * 200)
                most = max(most, transport.get_write_buffer_size())
                if protocol.calls[-1] == "pause_writing":
                    protocol.resumed.clear()
                    await protocol.resumed.wait()

        sending = asyncio.ensure_future(send())
        for number in range(MANY):
            assert await loop.sock_recv(peer, 1000) == number.to_bytes(4, "big") * 200
        await sending
        # asyncio counts some bytes more for each datagram, from Python 3.14 on.
        assert 0 < most < 10_000 + 1_000
        assert protocol.calls.count("pause_writing") == protocol.calls.count("resume_writing") > 0
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_close_sends_what_waits_and_abort_does_not(factory, folder):
    async def main():
        loop = asyncio.get_running_loop()
        for end in ("close", "abort"):
            os.makedirs(f"{folder}/{end}")
            transport, protocol, peer = await unix_pair(f"{folder}/{end}")
            sent = [number.to_bytes(4, "big") * 200 for number in range(MANY)]
            for data in sent:
                transport.sendto(data)
            getattr(transport, end)()
            received = []

            async def receive(received=received, peer=peer):
                while True:
                    received.append(await loop.sock_recv(peer, 1000))

            receiving = asyncio.ensure_future(receive())
            assert await protocol.lost is None
            # What the system has taken it has; a datagram socket tells nobody of its end.
            while end == "close" and len(received) < MANY:
                await asyncio.sleep(0.001)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            assert received == sent[: len(received)]
            assert (len(received) == MANY) == (end == "close")
            peer.close()

    run(factory, main())


@both_loops
def test_a_datagram_to_nowhere_is_told_to_the_protocol_that_goes_on(factory, folder):
    async def main():
        transport, protocol = await endpoint(family=socket.AF_UNIX, local_addr=f"{folder}/ours")
        transport.sendto(b"x", f"{folder}/nobody")
        assert isinstance(await protocol.errors.get(), FileNotFoundError)
        transport.sendto(b"to myself", f"{folder}/ours")
        assert await protocol.came.get() == (b"to myself", f"{folder}/ours")
        transport.close()
        assert await protocol.lost is None

    run(factory, main())


@both_loops
def test_a_datagram_that_is_too_long_is_told_to_the_protocol_that_goes_on(factory):
    async def main():
        receiver, received = await endpoint(local_addr=("127.0.0.1", 0))
        transport, protocol = await endpoint(remote_addr=receiver.get_extra_info("sockname"))
        transport.sendto(bytes(70_000))
        error = await protocol.errors.get()
        assert isinstance(error, OSError)
        assert "too long" in str(error)
        transport.sendto(b"short")
        assert (await received.came.get())[0] == b"short"
        transport.close()
        receiver.close()
        assert await protocol.lost is None

    run(factory, main())


@both_loops
def test_wrong_datagrams_are_refused(factory):
    async def main():
        receiver, _ = await endpoint(local_addr=("127.0.0.1", 0))
        address = receiver.get_extra_info("sockname")
        transport, _ = await endpoint(remote_addr=address)
        for wrong in ("text", 1, None):
            with pytest.raises(TypeError, match="data argument must be"):
                transport.sendto(wrong)
        with pytest.raises(ValueError, match="Invalid address"):
            transport.sendto(b"x", ("127.0.0.1", 1))
        transport.sendto(bytearray(b"same address"), address)
        transport.close()
        receiver.close()

    run(factory, main())


@both_loops
@pytest.mark.parametrize("method", ["datagram_received", "error_received"])
def test_an_exception_of_a_protocol_is_reported(factory, method):
    async def main():
        loop = asyncio.get_running_loop()
        reported = first_report()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            transport, protocol = await loop.create_datagram_endpoint(
                failing(Datagrams, method), remote_addr=peer.getsockname()
            )
            if method == "datagram_received":
                peer.sendto(b"x", transport.get_extra_info("sockname"))
        if method == "error_received":
            # Nobody is there any more.
            transport.sendto(b"x")
        context = await reported
        assert isinstance(context["exception"], ZeroDivisionError)
        transport.abort()
        await protocol.lost

    run(factory, main())


@both_loops
def test_an_endpoint_leaves_no_descriptor(factory, folder):
    async def main():
        loop = asyncio.get_running_loop()
        most = 0
        for number in range(3):
            transport, protocol = await endpoint(local_addr=("127.0.0.1", 0))
            transport.close()
            await protocol.lost
            with pytest.raises(FileNotFoundError):
                await endpoint(family=socket.AF_UNIX, remote_addr=f"{folder}/nobody")
            taken, _ = await endpoint(local_addr=("127.0.0.1", 0))
            with pytest.raises(OSError, match="in use"):
                await endpoint(local_addr=taken.get_extra_info("sockname"))
            taken.abort()
            cancelled = asyncio.ensure_future(endpoint(local_addr=("127.0.0.1", 0)))
            for _ in range(number):
                await asyncio.sleep(0)
            cancelled.cancel()
            for outcome in await asyncio.gather(cancelled, return_exceptions=True):
                assert isinstance(outcome, asyncio.CancelledError)
            # What the first has opened for good is there by now; the rest goes, if later.
            await loop.create_task(asyncio.sleep(0.01))
            most = most or open_fds()
            while open_fds() > most:
                await asyncio.sleep(0.01)

    # It ends, or the descriptors stay.
    run(factory, asyncio.wait_for(main(), 60))


@both_loops
def test_a_descriptor_is_closed_once(factory):
    async def main():
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        number = ours.fileno()
        transport, protocol = await endpoint(sock=ours)
        transport.close()
        await protocol.lost
        await asyncio.sleep(0)
        assert ours.fileno() == -1
        give_to_somebody(number)
        ours.close()
        del ours, transport
        await asyncio.sleep(0.01)
        os.close(number)
        theirs.close()

    run(factory, main())


@both_loops
def test_many_endpoints_at_once(factory):
    async def main():
        server, protocol = await endpoint(local_addr=("127.0.0.1", 0))
        address = server.get_extra_info("sockname")

        async def ask(number):
            transport, answers = await endpoint(remote_addr=address)
            data = number.to_bytes(4, "big") * 100
            transport.sendto(data)
            assert (await asyncio.wait_for(answers.came.get(), 30))[0] == data[::-1]
            transport.close()
            await answers.lost

        async def serve():
            while True:
                data, sender = await protocol.came.get()
                server.sendto(data[::-1], sender)

        serving = asyncio.ensure_future(serve())
        for _ in range(3):
            await asyncio.gather(*(ask(number) for number in range(100)))
        serving.cancel()
        server.close()
        await protocol.lost

    run(factory, main())


async def settle(transport, protocol):
    transport.close()
    await protocol.lost


@both_loops
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_many_senders_are_told_apart(factory, host):
    async def main():
        transport, protocol = await endpoint(local_addr=(host, 0))
        address = transport.get_extra_info("sockname")
        family = transport.get_extra_info("socket").family
        senders = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(300)]
        # By its senders' own addresses first, and again when they have been forgotten and are known.
        for turn in range(3):
            for number, sender in enumerate(senders):
                sender.sendto(b"%d %d" % (turn, number), address)
                data, where = await protocol.came.get()
                assert data == b"%d %d" % (turn, number)
                assert where == (host, sender.getsockname()[1], *address[2:])
                transport.sendto(data, where)
                assert sender.recv(100) == data
        for sender in senders:
            sender.close()
        await settle(transport, protocol)

    run(factory, main())


@both_loops
@pytest.mark.parametrize("end", ["pause_reading", "close", "abort"])
def test_nothing_is_received_once_a_protocol_says_so(factory, end):
    """In the middle of what has come."""

    class Ending(Datagrams):
        def datagram_received(self, data, address):
            super().datagram_received(data, address)
            getattr(self.transport, end)()

        def connection_made(self, transport):
            self.transport = transport

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(Ending, local_addr=("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(5):
                sender.sendto(b"%d" % number, transport.get_extra_info("sockname"))
        assert (await protocol.came.get())[0] == b"0"
        for _ in range(5):
            await asyncio.sleep(0.001)
        assert protocol.came.empty()
        if end == "pause_reading":
            transport.resume_reading()
            assert (await protocol.came.get())[0] == b"1"
            transport.close()
        await protocol.lost
        assert protocol.came.empty()

    run(factory, main())


@both_loops
def test_what_comes_behind_an_exception_is_received(factory):
    class Failing(Datagrams):
        def datagram_received(self, data, address):
            super().datagram_received(data, address)
            raise ZeroDivisionError(data)

    async def main():
        loop = asyncio.get_running_loop()
        told = reports()
        transport, protocol = await loop.create_datagram_endpoint(Failing, local_addr=("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(40):
                sender.sendto(b"%d" % number, transport.get_extra_info("sockname"))
        came = [(await protocol.came.get())[0] for _ in range(40)]
        assert came == [b"%d" % number for number in range(40)]
        assert [context["exception"].args for context in told] == [(data,) for data in came]
        await settle(transport, protocol)

    run(factory, main())


@both_loops
def test_the_protocol_may_change_between_two_datagrams(factory):
    class First(Datagrams):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            super().datagram_received(data, address)
            self.next = Datagrams()
            self.transport.set_protocol(self.next)

    async def main():
        loop = asyncio.get_running_loop()
        transport, first = await loop.create_datagram_endpoint(First, local_addr=("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for data in (b"first", b"second", b"third"):
                sender.sendto(data, transport.get_extra_info("sockname"))
        assert (await first.came.get())[0] == b"first"
        assert [(await first.next.came.get())[0] for _ in range(2)] == [b"second", b"third"]
        await settle(transport, first.next)

    run(factory, main())


@both_loops
def test_addresses_of_every_kind(factory):
    async def main():
        transport, protocol = await endpoint(local_addr=("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            port = peer.getsockname()[1]
            for address in (("127.0.0.1", port), ("localhost", port), ("127.0.0.1", port)):
                for data in (b"bytes", bytearray(b"bytearray"), memoryview(b"memoryview")):
                    transport.sendto(data, address)
                    assert peer.recv(100) == data
            # An address of another family: what the system says is told.
            transport.sendto(b"x", ("::1", port))
        assert isinstance(await protocol.errors.get(), OSError)
        await settle(transport, protocol)

    run(factory, main())


@both_loops
def test_what_was_sent_in_vain_is_told_when_the_system_knows(factory):
    async def main():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            address = peer.getsockname()
        transport, protocol = await endpoint(remote_addr=address)
        for _ in range(3):
            transport.sendto(b"to nobody")
            assert isinstance(await protocol.errors.get(), ConnectionRefusedError)
        await settle(transport, protocol)

    run(factory, main())


@both_loops
def test_the_descriptor_of_a_socket_that_was_closed_is_somebody_elses(factory):
    async def main():
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        transport, protocol = await loop.create_datagram_endpoint(Datagrams, sock=sock)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            number = sock.detach()
            # It has an address, and would be one to send with.
            transport.sendto(b"x", peer.getsockname())
            peer.setblocking(False)
            with pytest.raises(BlockingIOError):
                peer.recv(100)
        assert isinstance(await protocol.errors.get(), OSError)
        transport.abort()
        await protocol.lost
        os.close(number)

    run(factory, main())
