"""Stream transports: what protocols are told, flow control, and whose descriptor it is."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
import weakref

import pytest
import pyuv.asyncio
from asyncioutil import (
    Recorder,
    both_loops,
    collected_warnings,
    connected,
    failing,
    first_report,
    give_to_somebody,
    reports,
    run,
)

from util import collect, open_fds


@both_loops
def test_a_protocol_is_told_of_a_connection_in_order(factory):
    async def main():
        transport, protocol, peer = await connected()
        assert isinstance(transport, asyncio.Transport)
        assert protocol.transport is transport
        assert transport.get_protocol() is protocol
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(peer, b"hello")
        while protocol.data != b"hello":
            await asyncio.sleep(0.001)
        transport.write(b"to ")
        transport.writelines([b"the ", bytearray(b"peer"), memoryview(b"!")])
        received = b""
        while len(received) < 12:
            received += await loop.sock_recv(peer, 100)
        assert received == b"to the peer!"
        peer.close()
        assert await protocol.lost is None
        assert protocol.calls == ["connection_made", "eof_received", "connection_lost"]
        assert transport.is_closing()

    run(factory, main())


@both_loops
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
def test_servers_of_every_family(factory, family, tmp_path):
    async def serve(reader, writer):
        writer.write(await reader.read())
        writer.write_eof()
        writer.close()

    async def main():
        if family == socket.AF_UNIX:
            path = str(tmp_path / "socket")
            server = await asyncio.start_unix_server(serve, path)
            reader, writer = await asyncio.open_unix_connection(path)
        else:
            host = "127.0.0.1" if family == socket.AF_INET else "::1"
            server = await asyncio.start_server(serve, host, 0)
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection(host, port)
            assert writer.get_extra_info("peername")[:2] == (host, port)
        assert writer.get_extra_info("socket").family == family
        data = bytes(range(256)) * 4000
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == data
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(factory, main())


@both_loops
def test_a_write_has_reached_the_kernel_when_it_returns(factory):
    async def main():
        transport, protocol, peer = await connected()
        transport.write(b"now")
        assert peer.recv(10) == b"now"
        transport.writelines([b"and ", b"now"])
        assert peer.recv(10) == b"and now"
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_a_write_after_the_connection_was_lost_does_not_raise(factory, caplog):
    async def main():
        transport, protocol, peer = await connected()
        transport.abort()
        for _ in range(10):
            transport.write(b"x")
            transport.writelines([b"x"])
        await protocol.lost
        transport.write(b"x")
        peer.close()

    run(factory, main())
    assert "socket.send() raised exception." in caplog.text


@both_loops
def test_wrong_writes_are_refused(factory):
    async def main():
        transport, protocol, peer = await connected()
        for wrong in ("text", 1, None, [b"list"]):
            with pytest.raises(TypeError, match="data argument must be"):
                transport.write(wrong)
        transport.write(b"")
        transport.writelines([])
        transport.write_eof()
        transport.write_eof()
        with pytest.raises(RuntimeError, match="write_eof"):
            transport.write(b"x")
        with pytest.raises(RuntimeError, match="write_eof"):
            transport.writelines([b"x"])
        assert peer.recv(10) == b""
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


class Flow(Recorder):
    def pause_writing(self):
        self.calls.append("pause_writing")

    def resume_writing(self):
        self.calls.append("resume_writing")


@both_loops
def test_a_protocol_pauses_while_its_peer_reads_nothing(factory):
    async def main():
        transport, protocol, peer = await connected(Flow)
        assert transport.get_write_buffer_limits() == (16384, 65536)
        data = os.urandom(1 << 20)
        transport.write(data)
        assert protocol.calls == ["connection_made", "pause_writing"]
        assert 65536 < transport.get_write_buffer_size() < len(data)
        transport.write(b"more")
        assert protocol.calls == ["connection_made", "pause_writing"]
        received = bytearray()
        loop = asyncio.get_running_loop()
        while len(received) < len(data) + 4:
            received += await loop.sock_recv(peer, 1 << 20)
        assert received == data + b"more"
        while transport.get_write_buffer_size():
            await asyncio.sleep(0.001)
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]
        transport.set_write_buffer_limits(high=100)
        assert transport.get_write_buffer_limits() == (25, 100)
        with pytest.raises(ValueError, match="high"):
            transport.set_write_buffer_limits(high=1, low=2)
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_close_writes_what_is_queued_and_abort_does_not(factory):
    async def main():
        loop = asyncio.get_running_loop()
        data = os.urandom(1 << 20)
        for close in ("close", "abort"):
            transport, protocol, peer = await connected()
            transport.write(data)
            getattr(transport, close)()
            received = bytearray()
            while piece := await loop.sock_recv(peer, 1 << 20):
                received += piece
            assert await protocol.lost is None
            assert (received == data) == (close == "close")
            assert data.startswith(received)
            peer.close()

    run(factory, main())


@both_loops
def test_bytes_that_wait_are_what_they_were_when_they_were_written(factory):
    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await connected()
        transport.write(b"a" * (1 << 20))
        transport.write(bytearray(b"b") * 1000)
        transport.writelines([b"c" * 1000, b"", bytearray(b"d") * 1000])
        transport.close()
        received = bytearray()
        while piece := await loop.sock_recv(peer, 1 << 20):
            received += piece
        assert received == b"a" * (1 << 20) + b"b" * 1000 + b"c" * 1000 + b"d" * 1000
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_reading_pauses_and_resumes(factory):
    async def main():
        transport, protocol, peer = await connected()
        assert transport.is_reading()
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        peer.send(b"waits")
        await asyncio.sleep(0.02)
        assert protocol.data == b""
        transport.resume_reading()
        transport.resume_reading()
        while protocol.data != b"waits":
            await asyncio.sleep(0.001)
        transport.close()
        assert not transport.is_reading()
        transport.resume_reading()
        await protocol.lost
        peer.close()

    run(factory, main())


class Buffered(asyncio.BufferedProtocol):
    """Reads into a buffer of 10 bytes, and does something odd when it is asked for it."""

    def __init__(self, odd=None):
        self.odd = odd
        self.buffer = bytearray(10)
        self.data = bytearray()
        self.calls = []
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, sizehint):
        self.calls.append("get_buffer")
        if self.odd == "raise":
            raise OSError("no buffer")
        if self.odd == "empty":
            return bytearray()
        if self.odd == "read-only":
            return b"0123456789"
        if self.odd:
            getattr(self.transport, self.odd)()
        return memoryview(self.buffer)

    def buffer_updated(self, nbytes):
        self.calls.append("buffer_updated")
        self.data += self.buffer[:nbytes]

    def eof_received(self):
        self.calls.append("eof_received")

    def connection_lost(self, exception):
        self.lost.set_result(exception)


@both_loops
def test_a_buffered_protocol_reads_into_its_own_buffer(factory):
    async def main():
        _, protocol, peer = await connected(Buffered)
        peer.send(b"more than ten bytes")
        peer.shutdown(socket.SHUT_WR)
        assert await protocol.lost is None
        assert protocol.data == b"more than ten bytes"
        assert protocol.calls[-1] == "eof_received"
        peer.close()

    run(factory, main())


@both_loops
@pytest.mark.parametrize("odd", ["pause_reading", "close", "abort"])
def test_a_buffered_protocol_may_end_things_in_get_buffer(factory, odd):
    async def main():
        transport, protocol, peer = await connected(lambda: Buffered(odd))
        peer.send(b"data")
        if odd == "pause_reading":
            while not protocol.data:
                await asyncio.sleep(0.001)
            assert not transport.is_reading()
            protocol.odd = None
            transport.resume_reading()
            peer.send(b"!")
            while protocol.data != b"data!":
                await asyncio.sleep(0.001)
            transport.close()
        assert await protocol.lost is None
        peer.close()

    run(factory, main())


@both_loops
@pytest.mark.parametrize("odd", ["raise", "empty", "read-only"])
def test_a_bad_buffer_ends_the_connection(factory, odd):
    async def main():
        contexts = reports()
        _, protocol, peer = await connected(lambda: Buffered(odd))
        peer.send(b"data")
        assert isinstance(await protocol.lost, (OSError, RuntimeError, BufferError, TypeError))
        assert "buffer_updated" not in protocol.calls
        # An OSError is the connection's affair.
        assert len(contexts) == (odd != "raise")
        peer.close()

    run(factory, main())


@both_loops
def test_protocols_change_in_the_middle(factory):
    async def main():
        transport, first, peer = await connected()
        peer.send(b"first")
        while not first.data:
            await asyncio.sleep(0.001)
        second = Buffered()
        second.transport = transport
        transport.set_protocol(second)
        peer.send(b"second")
        while not second.data:
            await asyncio.sleep(0.001)
        third = Recorder()
        transport.set_protocol(third)
        peer.send(b"third")
        while not third.data:
            await asyncio.sleep(0.001)
        assert (first.data, second.data, third.data) == (b"first", b"second", b"third")
        peer.close()
        await third.lost

    run(factory, main())


@both_loops
@pytest.mark.parametrize("method", ["data_received", "eof_received", "connection_lost"])
def test_an_exception_of_a_protocol_is_reported(factory, method):
    async def main():
        loop = asyncio.get_running_loop()
        reported = first_report()
        transport, protocol, peer = await connected(failing(Recorder, method))
        peer.send(b"data")
        peer.shutdown(socket.SHUT_WR)
        context = await reported
        assert isinstance(context["exception"], ZeroDivisionError)
        if method in ("data_received", "eof_received"):
            assert context["transport"] is transport
            assert context["protocol"] is protocol
            assert isinstance(await protocol.lost, ZeroDivisionError)
        assert await loop.sock_recv(peer, 10) == b""
        peer.close()

    run(factory, main())


@both_loops
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_leaves_a_protocol(factory, kind):
    class Ending(Recorder):
        def data_received(self, data):
            raise kind("now")

    loop = factory()

    async def begin():
        return await connected(Ending)

    transport, _, peer = loop.run_until_complete(begin())
    peer.send(b"x")
    with pytest.raises(kind, match="now"):
        loop.run_forever()
    transport.abort()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    peer.close()


@both_loops
def test_half_closed_connections_are_kept_where_the_protocol_wants_it(factory):
    class Keeping(Recorder):
        def eof_received(self):
            self.calls.append("eof_received")
            return True

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await connected(Keeping)
        peer.send(b"question")
        peer.shutdown(socket.SHUT_WR)
        while "eof_received" not in protocol.calls:
            await asyncio.sleep(0.001)
        assert not transport.is_closing()
        transport.write(b"answer")
        assert await loop.sock_recv(peer, 100) == b"answer"
        transport.write_eof()
        assert await loop.sock_recv(peer, 100) == b""
        transport.close()
        assert await protocol.lost is None
        peer.close()

    run(factory, main())


@both_loops
def test_a_reset_is_the_protocols_exception(factory):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as server:
            transport, protocol = await asyncio.get_running_loop().create_connection(
                Recorder, *server.getsockname()
            )
            peer, _ = server.accept()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            assert isinstance(await protocol.lost, ConnectionResetError)
            assert transport.is_closing()

    run(factory, main())


@both_loops
def test_a_descriptor_is_closed_once_and_nobody_elses_is(factory):
    async def main():
        loop = asyncio.get_running_loop()
        for end in ("close", "abort", "cancel"):
            # The first time a loop opens what it keeps.
            before = open_fds() if end != "close" else None
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            number = ours.fileno()
            connecting = asyncio.ensure_future(loop.create_connection(Recorder, sock=ours))
            if end == "cancel":
                await asyncio.sleep(0)
                connecting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await connecting
                await asyncio.sleep(0.01)
            else:
                transport, protocol = await connecting
                getattr(transport, end)()
                await protocol.lost
                await asyncio.sleep(0)
            assert ours.fileno() == -1
            give_to_somebody(number)
            ours.close()
            del ours, connecting
            collect()
            await asyncio.sleep(0.01)
            os.close(number)
            theirs.close()
            assert before in (None, open_fds())

    run(factory, main())


@both_loops
def test_a_closed_socket_is_refused(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ours.close()
        # asyncio's own loop says so by itself, or the system does.
        with pytest.raises((OSError, ValueError, asyncio.TimeoutError)):
            await asyncio.wait_for(loop.create_connection(Recorder, sock=ours), 0.5)
        theirs.close()

    run(factory, main())


def test_a_socket_that_its_user_closes_takes_nobodys_descriptor_along():
    async def main():
        transport, protocol, peer = await connected()
        sock = transport.get_extra_info("socket")._sock
        number = sock.fileno()
        sock.close()
        give_to_somebody(number)
        transport.abort()
        await protocol.lost
        await asyncio.sleep(0.01)
        os.close(number)
        peer.close()

    run(pyuv.asyncio.new_event_loop, main())


def test_the_number_of_a_socket_that_its_user_has_closed_is_the_next_connections():
    async def main():
        loop = asyncio.get_running_loop()
        before, ended, peer = await connected()
        sock = before.get_extra_info("socket")._sock
        number = sock.fileno()
        sock.close()
        ours, theirs = socket.socketpair()
        if ours.fileno() != number:
            os.dup2(ours.fileno(), number)
            ours.close()
            ours = socket.socket(fileno=number)
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        assert await ended.lost is None
        theirs.send(b"to the next one")
        while protocol.data != b"to the next one":
            await asyncio.sleep(0.001)
        theirs.close()
        assert await protocol.lost is None
        assert transport.is_closing()
        peer.close()

    run(pyuv.asyncio.new_event_loop, main())


@both_loops
def test_a_transport_that_is_left_open_is_warned_about_and_closed(factory):
    loop = factory()

    async def begin():
        return await connected()

    transport, protocol, peer = loop.run_until_complete(begin())
    gone = weakref.ref(transport)
    loop.close()
    del transport, protocol
    assert any("unclosed transport" in text for text in collected_warnings())
    assert gone() is None
    assert peer.recv(1) == b""
    peer.close()


@both_loops
def test_transports_of_a_loop_that_is_dropped_are_collected(factory):
    loop = factory()

    async def begin():
        return await connected()

    transport, protocol, peer = loop.run_until_complete(begin())
    gone = weakref.ref(transport)
    del transport, protocol, loop
    collected_warnings()
    assert gone() is None
    assert peer.recv(1) == b""
    peer.close()


@both_loops
def test_a_variable_set_when_the_task_connects_is_seen_by_the_protocol(factory):
    import contextvars

    variable = contextvars.ContextVar("variable")

    class Seeing(Recorder):
        def data_received(self, data):
            self.lost.set_result(variable.get())

        def connection_lost(self, exception):
            pass

    async def main():
        variable.set("the task's")
        transport, protocol, peer = await connected(Seeing)
        peer.send(b"x")
        assert await protocol.lost == "the task's"
        transport.close()
        peer.close()

    run(factory, main())


@both_loops
def test_add_reader_refuses_a_transports_descriptor(factory):
    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await connected()
        with pytest.raises(RuntimeError, match="is used by transport"):
            loop.add_reader(transport.get_extra_info("socket").fileno(), print)
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_a_file_is_sent(factory, tmp_path):
    path = tmp_path / "file"
    data = os.urandom(3_000_000)
    path.write_bytes(data)

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await connected()

        async def receive():
            received = bytearray()
            while len(received) < 4 + len(data) - 1000:
                received += await loop.sock_recv(peer, 1 << 20)
            return bytes(received)

        receiving = asyncio.ensure_future(receive())
        transport.write(b"head")
        with path.open("rb") as file:
            sending = asyncio.ensure_future(loop.sendfile(transport, file, 1000))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="sendfile is in progress"):
                transport.write(b"x")
            assert await sending == len(data) - 1000
        assert await receiving == b"head" + data[1000:]
        transport.write(b"tail")
        assert await loop.sock_recv(peer, 100) == b"tail"
        transport.close()
        await protocol.lost
        peer.close()

    run(factory, main())


@both_loops
def test_many_connections_at_once(factory):
    async def main():
        async def serve(reader, writer):
            writer.write(await reader.readexactly(1000))
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def ask(number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            data = number.to_bytes(4, "big") * 250
            writer.write(data)
            assert await reader.read() == data
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500)
        port = server.sockets[0].getsockname()[1]
        # The first time a loop opens what it keeps.
        await ask(0)
        await asyncio.sleep(0.01)
        before = open_fds() - len(server.sockets)
        for _ in range(3):
            await asyncio.gather(*(ask(number) for number in range(200)))
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)
        assert open_fds() == before

    run(factory, main())


@both_loops
def test_a_childs_stdout_is_a_pipe(factory):
    program = "import os, stat; print(stat.S_ISFIFO(os.fstat(1).st_mode))"

    async def main():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=subprocess.PIPE, stdin=subprocess.PIPE
        )
        out, _ = await child.communicate(b"x" * 1_000_000)
        return out

    assert run(factory, main()).strip() == b"True"


@both_loops
def test_a_spawn_that_fails_leaves_no_descriptor(factory):
    async def main():
        for _ in range(2):
            before = open_fds()
            with pytest.raises(FileNotFoundError):
                await asyncio.create_subprocess_exec("no such program", stdout=subprocess.PIPE)
        assert open_fds() == before

    run(factory, main())


@both_loops
def test_an_error_of_a_datagram_goes_to_error_received(factory):
    class Datagrams(asyncio.DatagramProtocol):
        def __init__(self):
            self.errors = asyncio.Queue()
            self.came = asyncio.Queue()

        def error_received(self, error):
            self.errors.put_nowait(error)

        def datagram_received(self, data, address):
            self.came.put_nowait(data)

    async def main():
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            address = nobody.getsockname()
        transport, protocol = await loop.create_datagram_endpoint(Datagrams, remote_addr=address)
        transport.sendto(b"to nobody")
        assert isinstance(await protocol.errors.get(), ConnectionRefusedError)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
            somebody.bind(address)
            transport.sendto(b"to somebody")
            _, ours = somebody.recvfrom(100)
            somebody.sendto(b"back", ours)
            assert await protocol.came.get() == b"back"
        transport.close()

    run(factory, main())


@both_loops
def test_low_level_datagrams_and_connects(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
        ):
            for sock in (one, two):
                sock.setblocking(False)
                sock.bind(("127.0.0.1", 0))
            receiving = asyncio.ensure_future(loop.sock_recvfrom(two, 100))
            await asyncio.sleep(0)
            await loop.sock_sendto(one, b"datagram", two.getsockname())
            assert await receiving == (b"datagram", one.getsockname())
            buffer = bytearray(10)
            await loop.sock_sendto(two, b"back", one.getsockname())
            assert await loop.sock_recvfrom_into(one, buffer) == (4, two.getsockname())
        with socket.socket() as refused, socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            refused.setblocking(False)
            with pytest.raises(ConnectionRefusedError):
                await loop.sock_connect(refused, closed.getsockname())

    run(factory, main())


@both_loops
def test_a_cancelled_sock_connect_leaves_nothing_behind(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.socket() as full, socket.socket() as ours:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = []
            ours.setblocking(False)
            # A backlog that is full answers nobody.
            for _ in range(20):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
                fillers.append(filler)
            connecting = asyncio.ensure_future(loop.sock_connect(ours, full.getsockname()))
            await asyncio.sleep(0.05)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert not loop.remove_writer(ours)
            for filler in fillers:
                filler.close()

    run(factory, main())


TWICE = """
import asyncio, sys, pyuv.asyncio
async def main():
    loop = asyncio.get_running_loop()
    for text in (b"one", b"two"):
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
        transport.write(text)
    await asyncio.sleep(0.01)
{run}(main())
"""


@pytest.mark.parametrize("runner", ["asyncio.run", "pyuv.asyncio.run"])
def test_stdout_is_connected_twice(runner):
    command = [sys.executable, "-W", "ignore", "-c", TWICE.format(run=runner)]
    assert subprocess.run(command, capture_output=True, timeout=50).stdout == b"onetwo"


@both_loops
def test_the_collector_may_close_a_transport_on_another_thread(factory):
    """A StreamWriter that is finalized asks its transport, and closes it from Python 3.12 on."""

    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol, peer = await connected()

        def elsewhere():
            assert transport.is_closing() is False
            assert "fd=" in repr(transport)
            loop.call_soon_threadsafe(int)
            transport.close()

        with peer:
            await loop.run_in_executor(None, elsewhere)
            assert await asyncio.wait_for(protocol.lost, 20) is None
            assert transport.is_closing() is True
            assert peer.recv(1) == b""

    run(factory, main())
