"""psycopg on pyuv's event loop, which it has watch its sockets, with PostgreSQL."""

import asyncio
import random

import psycopg
import pytest
from onloop import run
from tlsutil import CERTIFICATE

PARAMETERS = {"plain": "sslmode=disable", "tls": f"sslmode=verify-full&sslrootcert={CERTIFICATE}"}


@pytest.fixture(params=PARAMETERS)
def address(request, postgres):
    url = postgres.url().replace("127.0.0.1", "localhost")
    return f"{url}?{PARAMETERS[request.param]}"


def connect(address, **options):
    return psycopg.AsyncConnection.connect(address, **options)


def test_many_connections_at_once(address):
    async def ask(number):
        async with await connect(address) as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT n, repeat(n::text, 100) FROM generate_series(1, %s) n", [number])
            return await cursor.fetchall()

    async def main():
        return await asyncio.gather(*map(ask, range(1, 41)))

    answers = run(main())
    assert answers == [[(n, str(n) * 100) for n in range(1, number + 1)] for number in range(1, 41)]


def test_copy_in_and_out_is_byte_for_byte(address):
    chance = random.Random(1)
    records = [(key, chance.randbytes(chance.randrange(2000))) for key in range(3000)]

    async def main():
        async with await connect(address) as connection, connection.cursor() as cursor:
            await cursor.execute("CREATE TEMPORARY TABLE things (key int, data bytea)")
            async with cursor.copy("COPY things FROM STDIN") as copy:
                for record in records:
                    await copy.write_row(record)
            async with cursor.copy(
                "COPY (SELECT * FROM things ORDER BY key) TO STDOUT (FORMAT BINARY)"
            ) as copy:
                copy.set_types(["int4", "bytea"])
                copied = [row async for row in copy.rows()]
            await cursor.execute("SELECT * FROM things ORDER BY key")
            return copied, await cursor.fetchall()

    assert run(main()) == (records, records)


def test_a_pipeline(address):
    async def main():
        async with await connect(address) as connection, connection.pipeline():
            cursors = [await connection.execute("SELECT %s::int * 2", [number]) for number in range(1000)]
            return [await cursor.fetchone() for cursor in cursors]

    assert run(main()) == [(number * 2,) for number in range(1000)]


def test_what_is_notified_is_heard(address):
    async def main():
        async with (
            await connect(address, autocommit=True) as listening,
            await connect(address, autocommit=True) as telling,
        ):
            await listening.execute("LISTEN news")
            for number in range(200):
                await telling.execute("SELECT pg_notify('news', %s)", [str(number)])
            return [note.payload async for note in listening.notifies(stop_after=200)]

    # It gives what came together with the last one too.
    assert run(main())[:200] == [str(number) for number in range(200)]


def test_a_query_is_ended_in_the_middle(address):
    async def main():
        async with await connect(address, autocommit=True) as connection:
            task = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))
            async with await connect(address, autocommit=True) as watching:
                sleeping = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
                while (
                    await (await watching.execute(sleeping, [connection.info.backend_pid])).fetchone()
                ) != (1,):
                    await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # psycopg cancels it at the server, and the connection goes on.
            assert await (await connection.execute("SELECT 1")).fetchone() == (1,)

    run(main())
