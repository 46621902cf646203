"""aio-pika on pyuv's event loop, with RabbitMQ."""

import asyncio

import aio_pika
import pytest
from bodies import data
from onloop import run

pytestmark = pytest.mark.timeout(180)


def test_messages_go_through_a_queue(rabbitmq):
    bodies = [data(number * 37 % 5000, number) for number in range(1000)] + [data(5_000_000, 1)]

    async def main():
        async with await aio_pika.connect_robust(rabbitmq.url()) as connection:
            sending, receiving = await connection.channel(), await connection.channel()
            await receiving.set_qos(prefetch_count=50)
            queue = await receiving.declare_queue(auto_delete=True)

            async def publish(body):
                # It is confirmed.
                await sending.default_exchange.publish(aio_pika.Message(body), queue.name)

            publishing = asyncio.gather(*map(publish, bodies))
            received = []
            async with queue.iterator() as messages:
                async for message in messages:
                    async with message.process():
                        received.append(message.body)
                    if len(received) == len(bodies):
                        break
            await publishing
            return received

    assert sorted(run(main())) == sorted(bodies)


def test_everybody_gets_what_is_fanned_out(rabbitmq):
    texts = [f"näws {number}".encode() for number in range(200)]

    async def main():
        async with await aio_pika.connect(rabbitmq.url()) as telling:
            channel = await telling.channel()
            exchange = await channel.declare_exchange("news", aio_pika.ExchangeType.FANOUT, auto_delete=True)
            ready = asyncio.Semaphore(0)

            async def listen():
                heard = []
                async with await aio_pika.connect(rabbitmq.url()) as connection:
                    queue = await (await connection.channel()).declare_queue(exclusive=True)
                    await queue.bind("news")
                    ready.release()
                    async with queue.iterator(no_ack=True) as messages:
                        async for message in messages:
                            heard.append(message.body)
                            if len(heard) == len(texts):
                                break
                return heard

            listening = [asyncio.create_task(listen()) for _ in range(10)]
            for _ in listening:
                await ready.acquire()
            for text in texts:
                await exchange.publish(aio_pika.Message(text), "")
            return await asyncio.gather(*listening)

    assert run(main()) == [texts] * 10


def test_what_is_given_up_is_delivered_again(rabbitmq):
    async def main():
        async with await aio_pika.connect(rabbitmq.url()) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            with pytest.raises(aio_pika.exceptions.QueueEmpty):
                await queue.get(timeout=5)
            taken = asyncio.Event()

            async def work():
                async with queue.iterator() as messages:
                    async for message in messages:
                        async with message.process(requeue=True):
                            taken.set()
                            await asyncio.Event().wait()

            task = asyncio.create_task(work())
            await channel.default_exchange.publish(aio_pika.Message(b"once more"), queue.name)
            await taken.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            queue = await channel.declare_queue(queue.name, passive=True)
            return await queue.get(timeout=5)

    message = run(main())
    assert (message.body, message.redelivered) == (b"once more", True)
