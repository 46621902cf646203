"""What is let go at once, without the collector: programs that hold large things count on it."""

import asyncio
import gc
import weakref

import pytest
from asyncioutil import both_loops, run


@pytest.fixture
def no_collector():
    """Nothing is collected meanwhile, so that what goes goes by its count."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@both_loops
@pytest.mark.usefixtures("no_collector")
def test_a_loop_that_is_closed_goes_with_the_last_who_has_it(factory):
    loop = factory()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    gone = weakref.ref(loop)
    del loop
    assert gone() is None


@both_loops
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.usefixtures("no_collector")
def test_an_exception_that_is_kept_does_not_keep_the_future_it_came_from(factory, debug):
    kept = []

    async def fails():
        raise LookupError

    async def waits():
        task = asyncio.create_task(fails())
        gone = weakref.ref(task)
        try:
            await task
        except LookupError as error:
            kept.append(error)
        del task
        return gone

    async def main():
        gone = await asyncio.create_task(waits())
        assert gone() is None

    run(factory, main(), debug=debug)
    assert len(kept) == 1
