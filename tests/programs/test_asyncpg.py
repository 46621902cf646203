"""asyncpg on pyuv's event loop, with PostgreSQL by TCP, by TLS and by a Unix socket."""

import asyncio
import datetime
import decimal
import io
import random
import uuid

import asyncpg
import pytest
from onloop import run
from tlsutil import client_context

WAYS = ["tcp", "tls", "unix"]


@pytest.fixture(params=WAYS)
def options(request, postgres):
    """How to connect."""
    common = {
        "user": "postgres",
        "password": postgres.password,
        "database": "postgres",
        "port": postgres.port,
    }
    ways = {
        "tcp": {"host": postgres.host, "ssl": False},
        "tls": {"host": "localhost", "ssl": client_context()},
        "unix": {"host": str(postgres.folder), "ssl": False},
    }
    return common | ways[request.param]


def rows(number):
    """Rows with a column of every kind that is used most."""
    chance = random.Random(number)
    start = datetime.datetime(2020, 2, 29, 12, tzinfo=datetime.UTC)
    return [
        (
            key,
            f"näme {key}" * chance.randrange(3),
            chance.randbytes(chance.randrange(3000)),
            decimal.Decimal(chance.randrange(10**12)) / 1000,
            start + datetime.timedelta(microseconds=chance.randrange(10**15)),
            uuid.UUID(int=chance.getrandbits(128)),
            [chance.randrange(1000) for _ in range(chance.randrange(5))],
            None if key % 3 else chance.random(),
        )
        for key in range(number)
    ]


COLUMNS = (
    "key int, name text, data bytea, price numeric, at timestamptz, id uuid, numbers int[], maybe float8"
)


def test_the_way_is_the_one_asked_for(options):
    async def main():
        connection = await asyncpg.connect(**options)
        encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        address = await connection.fetchval("SELECT inet_client_addr()")
        await connection.close()
        return encrypted, address is None

    unix = options["host"].startswith("/")
    assert run(main()) == (bool(options["ssl"]), unix)


def test_rows_come_back_as_they_went(options):
    expected = rows(2000)

    async def main():
        connection = await asyncpg.connect(**options)
        await connection.execute(f"CREATE TEMPORARY TABLE things ({COLUMNS})")
        places = ", ".join(f"${number}" for number in range(1, 9))
        await connection.executemany(f"INSERT INTO things VALUES ({places})", expected[:500])
        await connection.copy_records_to_table("things", records=expected[500:])
        async with connection.transaction():
            by_cursor = [
                tuple(row)
                async for row in connection.cursor("SELECT * FROM things ORDER BY key", prefetch=70)
            ]
        at_once = [tuple(row) for row in await connection.fetch("SELECT * FROM things ORDER BY key")]
        await connection.close()
        return at_once, by_cursor

    assert run(main()) == (expected, expected)


def test_copy_in_and_out_is_byte_for_byte(options):
    lines = b"".join(
        b"%d\t%s\n" % (number, random.Random(number).randbytes(50).hex().encode()) for number in range(40_000)
    )

    async def pieces():
        for offset in range(0, len(lines), 60_000):
            await asyncio.sleep(0)
            yield lines[offset : offset + 60_000]

    async def main():
        connection = await asyncpg.connect(**options)
        await connection.execute("CREATE TEMPORARY TABLE lines (key int, text text)")
        assert await connection.copy_to_table("lines", source=pieces()) == "COPY 40000"
        out = io.BytesIO()
        await connection.copy_from_query("SELECT * FROM lines ORDER BY key", output=out)
        streamed = bytearray()

        async def add(piece):
            await asyncio.sleep(0)
            streamed.extend(piece)

        await connection.copy_from_query("SELECT * FROM lines ORDER BY key", output=add)
        await connection.close()
        return out.getvalue(), bytes(streamed)

    assert run(main()) == (lines, lines)


def test_many_ask_a_pool(options):
    async def main():
        async with asyncpg.create_pool(min_size=5, max_size=25, **options) as pool:

            async def ask(number):
                async with pool.acquire() as connection, connection.transaction():
                    return await connection.fetchval(
                        "SELECT sum(n) FROM generate_series(1, $1::int) n", number
                    )

            return await asyncio.gather(*map(ask, range(1, 301)))

    assert run(main()) == [number * (number + 1) // 2 for number in range(1, 301)]


def test_what_is_notified_is_heard(options):
    payloads = [f"näws {number}" for number in range(500)]

    async def main():
        heard, all_heard = [], asyncio.Event()

        def listener(connection, pid, channel, payload):
            heard.append(payload)
            if len(heard) == len(payloads):
                all_heard.set()

        listening = await asyncpg.connect(**options)
        telling = await asyncpg.connect(**options)
        await listening.add_listener("news", listener)
        for payload in payloads:
            await telling.execute("SELECT pg_notify('news', $1)", payload)
        await all_heard.wait()
        await listening.remove_listener("news", listener)
        await listening.close()
        await telling.close()
        return heard

    assert run(main()) == payloads


def test_a_query_is_ended_in_the_middle(options):
    """Cancelling and a timeout cancel the query at the server, by a connection of their own."""

    async def main():
        async with asyncpg.create_pool(min_size=1, max_size=10, **options) as pool:

            async def sleep(seconds):
                async with pool.acquire() as connection:
                    await connection.execute("SELECT pg_sleep(600)", timeout=seconds)

            with pytest.raises(TimeoutError):
                await sleep(0.05)
            tasks = [asyncio.create_task(sleep(None)) for _ in range(8)]
            sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            while await pool.fetchval(sleeping) < len(tasks):
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
            while await pool.fetchval(sleeping):
                await asyncio.sleep(0.01)
            assert await asyncio.gather(*(pool.fetchval("SELECT $1::int", n) for n in range(50))) == list(
                range(50)
            )

    run(main())


def test_a_lost_connection_is_told(options):
    async def main():
        connection = await asyncpg.connect(**options)
        killing = await asyncpg.connect(**options)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        waiting = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))
        await asyncio.sleep(0)
        await killing.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
            await waiting
        await lost.wait()
        assert connection.is_closed()
        await killing.close()

    run(main())
