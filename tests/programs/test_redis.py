"""redis-py on pyuv's event loop, with Redis."""

import asyncio

import pytest
import redis.asyncio
from bodies import data
from onloop import run
from redis.exceptions import ConnectionError, TimeoutError, WatchError


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def client(request, redis_server):
    """Makes a client; with a database that is empty."""

    def make(**options):
        return redis.asyncio.Redis(
            host=redis_server.host, port=redis_server.port, protocol=request.param, **options
        )

    async def empty():
        async with make() as asking:
            await asking.flushall()

    run(empty())
    return make


def test_values_come_back_as_they_went(client):
    values = {f"key {number}": data(number * 97 % 9000, number) for number in range(500)}
    values["big"] = data(8_000_000, 1)

    async def main():
        async with client(max_connections=30) as asking:
            # A pool raises where it has no connection left.
            limit = asyncio.Semaphore(25)

            async def there_and_back(key):
                async with limit:
                    await asking.set(key, values[key])
                    return await asking.get(key)

            return dict(zip(values, await asyncio.gather(*map(there_and_back, values)), strict=True))

    assert run(main()) == values


def test_pipelines(client):
    async def main():
        async with client() as asking:

            async def count(name):
                async with asking.pipeline(transaction=name % 2 == 0) as pipeline:
                    for _ in range(1000):
                        pipeline.incr(f"counter {name}")
                    return await pipeline.execute()

            return await asyncio.gather(*map(count, range(20)))

    assert run(main()) == [list(range(1, 1001))] * 20


def test_a_watched_key_that_changes_ends_a_transaction(client):
    async def main():
        async with client() as asking:

            async def add():
                tries = 0
                while True:
                    tries += 1
                    async with asking.pipeline() as pipeline:
                        try:
                            await pipeline.watch("sum")
                            value = int(await pipeline.get("sum") or 0)
                            pipeline.multi()
                            pipeline.set("sum", value + 1)
                            await pipeline.execute()
                            return tries
                        except WatchError:
                            continue

            tries = await asyncio.gather(*(add() for _ in range(20)))
            return int(await asking.get("sum")), sum(tries)

    total, tries = run(main())
    assert total == 20
    assert tries > 20


def test_what_is_published_is_heard(client):
    messages = [data(200, number) for number in range(500)]

    async def main():
        async with client() as asking:
            ready = asyncio.Semaphore(0)

            async def listen():
                heard = []
                async with asking.pubsub() as listening:
                    await listening.subscribe("news")
                    async for message in listening.listen():
                        if message["type"] == "subscribe":
                            ready.release()
                            continue
                        heard.append(message["data"])
                        if len(heard) == len(messages):
                            break
                return heard

            tasks = [asyncio.create_task(listen()) for _ in range(10)]
            for _ in tasks:
                await ready.acquire()
            for message in messages:
                assert await asking.publish("news", message) == len(tasks)
            return await asyncio.gather(*tasks)

    assert run(main()) == [messages] * 10


def test_blocking_calls_are_cancelled(client):
    async def main():
        async with client() as asking:
            tasks = [asyncio.create_task(asking.blpop("queue")) for _ in range(20)]

            async def blocked():
                return (await asking.info("clients"))["blocked_clients"]

            while await blocked() < len(tasks):
                await asyncio.sleep(0.01)
            for task in tasks[:10]:
                task.cancel()
            ends = await asyncio.gather(*tasks[:10], return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
            while await blocked() > 10:
                await asyncio.sleep(0.01)
            for number in range(10):
                await asking.rpush("queue", number)
            got = await asyncio.gather(*tasks[10:])
            return sorted(int(value) for _, value in got)

    assert run(main()) == list(range(10))


def test_a_timeout_and_a_killed_connection(client):
    async def main():
        async with client(socket_timeout=0.05, retry=None) as hasty:
            with pytest.raises(TimeoutError):
                await hasty.blpop("never")
            assert await hasty.ping()
        async with client(retry=None) as asking, asking.client() as one:
            number = await one.client_id()
            waiting = asyncio.create_task(one.blpop("never"))
            while (await asking.info("clients"))["blocked_clients"] < 1:
                await asyncio.sleep(0.01)
            await asking.client_kill_filter(_id=number)
            with pytest.raises(ConnectionError):
                await waiting

    run(main())
