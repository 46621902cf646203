"""Pipe transports: every file object that asyncio takes, flow control, and whose descriptor it is."""

import asyncio
import os
import socket

import pytest
from asyncioutil import Recorder, both_loops, collected_warnings, failing, first_report, give_to_somebody, run

from util import collect, open_fds


class Flow(Recorder):
    def pause_writing(self):
        self.calls.append("pause_writing")

    def resume_writing(self):
        self.calls.append("resume_writing")


def read_end(kind):
    """A file object of this kind that one reads from, and the number of the other end."""
    if kind == "socket":
        ours, theirs = socket.socketpair()
        return ours, theirs.detach()
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb", {"buffered": -1, "raw": 0}[kind]), writer


def write_end(kind):
    """The same for what one writes to."""
    if kind == "socket":
        ours, theirs = socket.socketpair()
        return ours, theirs.detach()
    reader, writer = os.pipe()
    return os.fdopen(writer, "wb", {"buffered": -1, "raw": 0}[kind]), reader


kinds = pytest.mark.parametrize("kind", ["raw", "buffered", "socket"])


@both_loops
@kinds
def test_what_a_pipe_brings_is_read_to_its_end(factory, kind):
    async def main():
        loop = asyncio.get_running_loop()
        file, other = read_end(kind)
        transport, protocol = await loop.connect_read_pipe(Recorder, file)
        assert transport.get_extra_info("pipe") is file
        os.write(other, b"one ")
        while not protocol.data:
            await asyncio.sleep(0.001)
        transport.pause_reading()
        os.write(other, b"two")
        await asyncio.sleep(0.01)
        assert protocol.data == b"one "
        transport.resume_reading()
        os.close(other)
        assert await protocol.lost is None
        assert protocol.data == b"one two"
        assert protocol.calls == ["connection_made", "eof_received", "connection_lost"]

    run(factory, main())


@both_loops
@kinds
def test_a_pipe_that_nobody_reads_pauses_its_protocol(factory, kind):
    async def main():
        loop = asyncio.get_running_loop()
        file, other = write_end(kind)
        transport, protocol = await loop.connect_write_pipe(Flow, file)
        data = os.urandom(1 << 20)
        transport.write(data)
        assert protocol.calls == ["connection_made", "pause_writing"]
        assert 65536 < transport.get_write_buffer_size() < len(data)
        transport.write_eof()
        with os.fdopen(other, "rb") as reader:
            assert await loop.run_in_executor(None, reader.read) == data
        assert await protocol.lost is None
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing", "connection_lost"]

    run(factory, main())


@both_loops
def test_a_reader_that_goes_is_a_broken_pipe(factory):
    async def main():
        loop = asyncio.get_running_loop()
        file, other = write_end("raw")
        transport, protocol = await loop.connect_write_pipe(Recorder, file)
        transport.write(bytes(1 << 20))
        os.close(other)
        assert isinstance(await protocol.lost, BrokenPipeError)
        transport.write(b"goes nowhere")

    run(factory, main())


@both_loops
def test_a_reader_that_goes_is_noticed_by_whoever_writes_nothing(factory):
    async def main():
        loop = asyncio.get_running_loop()
        file, other = write_end("raw")
        _, protocol = await loop.connect_write_pipe(Recorder, file)
        os.close(other)
        await asyncio.wait_for(protocol.lost, 30)

    run(factory, main())


@both_loops
def test_a_regular_file_is_refused_and_stays_its_owners(factory, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")

    async def main():
        loop = asyncio.get_running_loop()
        for connect, mode in ((loop.connect_read_pipe, "rb"), (loop.connect_write_pipe, "ab")):
            with path.open(mode) as file:
                with pytest.raises(ValueError, match="Pipe transport is"):
                    await connect(Recorder, file)
                assert os.fstat(file.fileno()).st_size == len(b"content")

    run(factory, main())


@both_loops
@pytest.mark.parametrize("ends", ["read", "write"])
@kinds
def test_a_descriptor_is_closed_once_and_nobody_elses_is(factory, ends, kind):
    async def main():
        loop = asyncio.get_running_loop()
        for end in ("close", "abort", "cancel", "peer"):
            file, other = read_end(kind) if ends == "read" else write_end(kind)
            number = file.fileno()
            connect = loop.connect_read_pipe if ends == "read" else loop.connect_write_pipe
            connecting = asyncio.ensure_future(connect(Recorder, file))
            if end == "cancel":
                await asyncio.sleep(0)
                connecting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await connecting
                await asyncio.sleep(0.01)
            else:
                transport, protocol = await connecting
                if end == "peer":
                    os.close(other)
                elif ends == "read":
                    # A transport that reads has no abort().
                    transport.close()
                else:
                    getattr(transport, end)()
                await protocol.lost
                await asyncio.sleep(0)
            assert file.fileno() == -1 if kind == "socket" else file.closed
            give_to_somebody(number)
            file.close()
            del file, connecting
            transport = protocol = None
            collect()
            await asyncio.sleep(0.01)
            os.close(number)
            if end != "peer":
                os.close(other)

    run(factory, main())


@both_loops
def test_cancelled_connects_leave_no_descriptor(factory):
    async def main():
        loop = asyncio.get_running_loop()
        for rounds in range(5):
            before = open_fds() if rounds else None
            for connect, make in (
                (loop.connect_read_pipe, read_end),
                (loop.connect_write_pipe, write_end),
            ):
                file, other = make("raw")
                connecting = asyncio.ensure_future(connect(Recorder, file))
                for _ in range(rounds):
                    await asyncio.sleep(0)
                connecting.cancel()
                (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
                if not isinstance(outcome, asyncio.CancelledError):
                    outcome[0].close()
                    await outcome[1].lost
                await asyncio.sleep(0.01)
                # One that was cancelled before it began has touched nothing.
                assert file.closed or rounds == 0
                file.close()
                os.close(other)
            assert before in (None, open_fds())

    run(factory, main())


@both_loops
def test_a_transport_that_is_left_open_is_warned_about_and_closed(factory):
    loop = factory()
    file, other = read_end("raw")
    transport, protocol = loop.run_until_complete(loop.connect_read_pipe(asyncio.Protocol, file))
    number = file.fileno()
    loop.close()
    # What goes with its last reference warns at once; it is to go in the collection.
    transport.itself = transport
    del transport, protocol
    assert any("unclosed transport" in text for text in collected_warnings())
    assert file.closed
    give_to_somebody(number)
    del file
    collect()
    os.close(number)
    os.close(other)


@both_loops
@pytest.mark.parametrize("method", ["data_received", "eof_received", "connection_lost"])
def test_an_exception_of_a_protocol_is_reported(factory, method):
    async def main():
        loop = asyncio.get_running_loop()
        reported = first_report()
        file, other = read_end("raw")
        transport, _ = await loop.connect_read_pipe(failing(Recorder, method), file)
        os.write(other, b"data")
        os.close(other)
        assert isinstance((await reported)["exception"], ZeroDivisionError)
        transport.close()
        while not file.closed:
            await asyncio.sleep(0.001)

    run(factory, main())
