"""grpclib on pyuv's event loop, client and server, plain and by TLS; the messages are protobuf's own."""

import asyncio
import contextlib

import grpclib
import pytest
from bodies import data
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value
from grpclib.client import Channel, StreamStreamMethod, StreamUnaryMethod, UnaryStreamMethod, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler, Status
from grpclib.server import Server
from onloop import run
from tlsutil import client_context, server_context

METHODS = {
    "Echo": (Cardinality.UNARY_UNARY, UnaryUnaryMethod, BytesValue, BytesValue),
    "Count": (Cardinality.UNARY_STREAM, UnaryStreamMethod, Int64Value, Int64Value),
    "Sum": (Cardinality.STREAM_UNARY, StreamUnaryMethod, Int64Value, Int64Value),
    "Talk": (Cardinality.STREAM_STREAM, StreamStreamMethod, BytesValue, BytesValue),
    "Refuse": (Cardinality.UNARY_UNARY, UnaryUnaryMethod, BytesValue, BytesValue),
    "Never": (Cardinality.UNARY_UNARY, UnaryUnaryMethod, BytesValue, BytesValue),
}
both_ways = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


class Service:
    """What code that protoc generates would call a service."""

    def __init__(self):
        self.waiting = asyncio.Semaphore(0)
        self.gone = asyncio.Semaphore(0)

    def __mapping__(self):
        return {
            f"/tests.Service/{name}": Handler(getattr(self, name.lower()), kind, asks, answers)
            for name, (kind, _, asks, answers) in METHODS.items()
        }

    async def echo(self, stream):
        await stream.send_message(await stream.recv_message())

    async def count(self, stream):
        for number in range((await stream.recv_message()).value):
            await stream.send_message(Int64Value(value=number))

    async def sum(self, stream):
        total = 0
        async for message in stream:
            total += message.value
        await stream.send_message(Int64Value(value=total))

    async def talk(self, stream):
        async for message in stream:
            await stream.send_message(message)

    async def refuse(self, stream):
        request = await stream.recv_message()
        raise grpclib.GRPCError(Status.RESOURCE_EXHAUSTED, request.value.decode())

    async def never(self, stream):
        await stream.recv_message()
        self.waiting.release()
        try:
            await asyncio.Event().wait()
        finally:
            self.gone.release()


class Stub:
    """And this a stub."""

    def __init__(self, channel):
        for name, (_, method, asks, answers) in METHODS.items():
            setattr(self, name, method(channel, f"/tests.Service/{name}", asks, answers))


@contextlib.asynccontextmanager
async def serving(tls):
    service = Service()
    context, ours = server_context(), client_context()
    context.set_alpn_protocols(["h2"])
    ours.set_alpn_protocols(["h2"])
    server = Server([service])
    await server.start("127.0.0.1", 0, ssl=context if tls else None)
    port = server._server.sockets[0].getsockname()[1]
    async with Channel("localhost", port, ssl=ours if tls else None) as channel:
        yield service, Stub(channel)
    server.close()
    await server.wait_closed()


@both_ways
def test_hundreds_of_calls_at_once(tls):
    bodies = [data(number * 131 % 20_000, number) for number in range(300)]

    async def main():
        async with serving(tls) as (_, stub):
            answers = await asyncio.gather(*(stub.Echo(BytesValue(value=body)) for body in bodies))
            return [answer.value for answer in answers]

    assert run(main()) == bodies


@both_ways
def test_a_call_of_some_megabytes(tls):
    body = data(3_900_000, 1)

    async def main():
        async with serving(tls) as (_, stub):
            return (await stub.Echo(BytesValue(value=body))).value

    assert run(main()) == body


@both_ways
def test_streams_go_both_ways_at_once(tls):
    messages = [data(20_000, number) for number in range(100)]

    async def main():
        async with serving(tls) as (_, stub):

            async def talk():
                async with stub.Talk.open() as stream:
                    await stream.send_request()

                    async def send():
                        for message in messages:
                            await stream.send_message(BytesValue(value=message))
                        await stream.end()

                    sending = asyncio.create_task(send())
                    received = [message.value async for message in stream]
                    await sending
                    return received

            return await asyncio.gather(*(talk() for _ in range(5)))

    assert run(main()) == [messages] * 5


@both_ways
def test_one_side_streams(tls):
    async def main():
        async with serving(tls) as (_, stub):
            total = await stub.Sum([Int64Value(value=number) for number in range(500)])
            numbers = await stub.Count(Int64Value(value=500))
            return total.value, [number.value for number in numbers]

    assert run(main()) == (sum(range(500)), list(range(500)))


@both_ways
def test_calls_that_fail_time_out_or_are_cancelled(tls):
    async def main():
        async with serving(tls) as (service, stub):
            with pytest.raises(grpclib.GRPCError, match="enough") as refused:
                await stub.Refuse(BytesValue(value=b"enough"))
            assert refused.value.status is Status.RESOURCE_EXHAUSTED
            tasks = [asyncio.create_task(stub.Never(BytesValue())) for _ in range(20)]
            for _ in tasks:
                await service.waiting.acquire()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
            for _ in tasks:
                await service.gone.acquire()
            # Client and server each have a clock for it.
            with pytest.raises((asyncio.TimeoutError, grpclib.GRPCError)) as late:
                await stub.Never(BytesValue(), timeout=0.1)
            assert getattr(late.value, "status", None) in (None, Status.DEADLINE_EXCEEDED)
            assert (await stub.Echo(BytesValue(value=b"goes on"))).value == b"goes on"

    run(main())
