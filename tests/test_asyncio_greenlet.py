"""Greenlets that switch inside of tasks, as SQLAlchemy's do: libuv is not on the stack, or stays below."""

import asyncio

import greenlet
import pytest
import pyuv.asyncio
from asyncioutil import run


async def spawn(function, *arguments):
    """Runs a function that awaits by `wait_for` in a greenlet of its own."""
    runner = greenlet.greenlet(function)
    runner.gr_context = greenlet.getcurrent().gr_context
    awaitable = runner.switch(*arguments)
    while not runner.dead:
        awaitable = runner.switch(await awaitable)
    return awaitable


def wait_for(awaitable):
    """Awaits, in a function that is no coroutine."""
    return greenlet.getcurrent().parent.switch(awaitable)


def test_tasks_switch_greenlets():
    def count(to):
        return sum(wait_for(asyncio.sleep(0, 1)) for _ in range(to))

    async def main():
        return await asyncio.gather(*(spawn(count, 200) for _ in range(50)))

    assert run(pyuv.asyncio.new_event_loop, main()) == [200] * 50


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="eager tasks are new in Python 3.12")
def test_eager_tasks_of_data_received_switch_greenlets():
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)
        tasks = []

        class Echo(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport = transport

            def data_received(self, data):
                def answer():
                    wait_for(asyncio.sleep(0))
                    self.transport.write(data)
                    wait_for(asyncio.sleep(0.001))

                tasks.append(loop.create_task(spawn(answer)))

        async def ask():
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for number in range(100):
                writer.write(number.to_bytes(10))
                assert await reader.readexactly(10) == number.to_bytes(10)
            writer.close()
            await writer.wait_closed()

        server = await loop.create_server(Echo, "127.0.0.1", 0)
        await asyncio.gather(*(ask() for _ in range(20)))
        await asyncio.gather(*tasks)
        server.close()
        return len(tasks)

    assert run(pyuv.asyncio.new_event_loop, main()) == 2000
