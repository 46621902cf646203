"""SQLAlchemy's asyncio on pyuv's event loop, with PostgreSQL: its greenlets switch inside of tasks."""

import asyncio

import greenlet
import pytest
import sqlalchemy
from onloop import run
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncAttrs, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SLEEPING = sqlalchemy.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


@pytest.fixture(params=["asyncpg", "psycopg"])
def url(request, postgres):
    return postgres.url(f"postgresql+{request.param}")


class Engine:
    """An engine with the tables, for an `async with` block."""

    def __init__(self, url):
        self.engine = create_async_engine(url, pool_size=10, max_overflow=10)

    async def __aenter__(self):
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)
        return self.engine, async_sessionmaker(self.engine, expire_on_commit=False)

    async def __aexit__(self, *_):
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
        await self.engine.dispose()


def titles(name):
    return [f"{name}'s book {number}" for number in range(5)]


def test_sessions_side_by_side(url):
    names = [f"author {number}" for number in range(100)]

    async def main():
        async with Engine(url) as (_, session_maker):

            async def write(name):
                async with session_maker() as session, session.begin():
                    session.add(Author(name=name, books=[Book(title=title) for title in titles(name)]))

            async def read(name):
                async with session_maker() as session:
                    author = await session.scalar(select(Author).where(Author.name == name))
                    # What is loaded when it is asked for, and awaited.
                    books = await author.awaitable_attrs.books
                    return [book.title for book in books]

            await asyncio.gather(*map(write, names))
            return await asyncio.gather(*map(read, names))

    assert run(main()) == list(map(titles, names))


def test_synchronous_code_runs_in_greenlets_and_waits_for_the_loop(url):
    async def main():
        async with Engine(url) as (_, session_maker):
            task = asyncio.current_task()

            def work(session):
                assert greenlet.getcurrent().parent is not None
                assert asyncio.current_task() is task
                session.add(Author(name="A", books=[Book(title="B")]))
                session.commit()
                session.expire_all()
                # Loaded lazily, by a switch to the task's greenlet.
                return [
                    (book.title, book.author.name) for book in session.scalars(select(Author)).one().books
                ]

            async with session_maker() as session:
                return await session.run_sync(work)

    assert run(main()) == [("B", "A")]


def test_results_stream(url):
    async def main():
        async with Engine(url) as (engine, _), engine.connect() as connection:
            query = sqlalchemy.text("SELECT n, n * n FROM generate_series(1, 5000) n")
            return [tuple(row) async for row in await connection.stream(query)]

    assert run(main()) == [(n, n * n) for n in range(1, 5001)]


def test_a_cancelled_task_rolls_back(url):
    async def main():
        async with Engine(url) as (_, session_maker):

            async def write():
                async with session_maker() as session, session.begin():
                    session.add(Author(name="never"))
                    await session.flush()
                    await session.execute(sqlalchemy.text("SELECT pg_sleep(600)"))

            tasks = [asyncio.create_task(write()) for _ in range(10)]
            async with session_maker() as session:
                while await session.scalar(SLEEPING) < len(tasks):
                    # A transaction sees the same all along.
                    await session.rollback()
                for task in tasks:
                    task.cancel()
                ends = await asyncio.gather(*tasks, return_exceptions=True)
                assert {type(end) for end in ends} == {asyncio.CancelledError}
                return await session.scalar(select(sqlalchemy.func.count()).select_from(Author))

    assert run(main()) == 0
