"""What `call_soon` and `call_later` give: asyncio's own classes, with lives of their own."""

import asyncio
import contextvars
import gc
import math
import threading
import weakref

import pytest
from asyncioutil import FACTORIES, both_loops, reports, run

VARIABLE = contextvars.ContextVar("VARIABLE")


class Witness:
    """Something that can be watched going."""

    def __call__(self, *arguments):
        pass


@both_loops
def test_they_are_asyncios(factory):
    async def main():
        loop = asyncio.get_running_loop()
        soon = loop.call_soon(int)
        later = loop.call_later(100, int)
        from_elsewhere = loop.call_soon_threadsafe(int)
        assert all(isinstance(handle, asyncio.Handle) for handle in (soon, later, from_elsewhere))
        assert isinstance(later, asyncio.TimerHandle)
        assert not hasattr(soon, "__dict__")
        assert not soon.cancelled()
        soon.cancel()
        assert soon.cancelled()
        later.cancel()
        assert "cancelled" in repr(later)

    run(factory, main())


@both_loops
def test_many_are_made_again_and_again_and_call_what_they_were_made_for(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = []
        for turn in range(5):
            kept = [loop.call_soon(called.append, (turn, number)) for number in range(3_000)]
            for handle in kept[::3]:
                handle.cancel()
            await asyncio.sleep(0)
            assert called == [(turn, number) for number in range(3_000) if number % 3]
            assert [handle.cancelled() for handle in kept[:6]] == [True, False, False] * 2
            called.clear()

    run(factory, main())


@both_loops
def test_weak_references_to_them_end_with_them(factory):
    async def main():
        loop = asyncio.get_running_loop()
        ended = []
        called = []
        references = [weakref.ref(loop.call_soon(called.append, number), ended.append) for number in range(3)]
        # The queue has them.
        assert all(reference() is not None for reference in references)
        await asyncio.sleep(0)
        assert called == [0, 1, 2]
        assert ended == references
        # What is made next in the same memory is nothing of theirs.
        again = [loop.call_soon(int) for _ in range(3)]
        assert [reference() for reference in references] == [None] * 3
        del again

    run(factory, main())


@both_loops
def test_what_was_called_is_let_go_at_once(factory):
    async def main():
        loop = asyncio.get_running_loop()
        witness = Witness()
        gone = weakref.ref(witness)
        loop.call_soon(witness, witness)
        del witness
        assert gone() is not None
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gone() is None

    run(factory, main())


@both_loops
def test_one_that_is_kept_is_collected_with_what_it_keeps(factory):
    async def main():
        loop = asyncio.get_running_loop()

        def cycle(make):
            witness = Witness()
            witness.handle = make(witness)
            return weakref.ref(witness)

        soon = cycle(loop.call_soon)
        threadsafe = cycle(loop.call_soon_threadsafe)
        timer = cycle(lambda witness: loop.call_later(0, witness))
        await asyncio.sleep(0.02)
        assert all(gone() is not None for gone in (soon, threadsafe, timer))
        gc.collect()
        assert [gone() for gone in (soon, threadsafe, timer)] == [None] * 3

    run(factory, main())


@both_loops
def test_one_that_is_cancelled_and_kept_is_collected(factory):
    async def main():
        loop = asyncio.get_running_loop()
        witness = Witness()
        context = contextvars.copy_context()
        context.run(VARIABLE.set, witness)
        witness.handle = loop.call_soon(int, context=context)
        witness.handle.cancel()
        gone = weakref.ref(witness)
        await asyncio.sleep(0)
        del witness, context
        gc.collect()
        assert gone() is None

    run(factory, main())


@both_loops
@pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")
@pytest.mark.parametrize("runs", [False, True])
def test_a_loop_that_nobody_has_is_collected_with_all_that_is_queued(factory, runs):
    def scheduled(loop, make):
        witness = Witness()
        witness.handle = make(witness)
        return weakref.ref(witness)

    def abandoned():
        loop = factory()
        gone = []

        def schedule():
            gone.append(scheduled(loop, loop.call_soon))
            gone.append(scheduled(loop, loop.call_soon_threadsafe))
            gone.append(scheduled(loop, lambda witness: loop.call_later(100, witness)))
            loop.call_soon(Witness(), loop)

        if runs:
            loop.call_soon(loop.stop)
            loop.call_soon(schedule)
            loop.run_forever()
        else:
            schedule()
        return [weakref.ref(loop), *gone]

    gone = abandoned()
    assert len(gone) == 4
    gc.collect()
    assert [reference() for reference in gone] == [None] * 4


@both_loops
def test_the_last_of_a_long_chain_is_let_go(factory):
    async def main():
        loop = asyncio.get_running_loop()
        witness = Witness()
        gone = weakref.ref(witness)
        handle = loop.call_soon(witness)
        del witness
        for number in range(100_000):
            # Each is had by the next one alone, through what that calls or is to call it with.
            callback, args = (handle.cancelled, ()) if number % 2 else (int, (handle,))
            handle = loop.call_later(100, callback, *args) if number % 3 else loop.call_soon(callback, *args)
            if not number % 3 and args:
                handle.cancel()
        return handle, gone

    async def later():
        handle, gone = await main()
        loop = asyncio.get_running_loop()
        return handle, gone, loop

    handle, gone, loop = run(factory, later())
    assert loop.is_closed()
    del handle
    gc.collect()
    assert gone() is None


@both_loops
def test_classes_that_derive_from_theirs(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = []

        class Slotted(type(loop.call_soon(int))):
            __slots__ = ("more",)

        class Open(type(loop.call_later(100, int))):
            pass

        for number in range(2_000):
            slotted = Slotted(called.append, (number,), loop)
            slotted.more = Witness()
            open_one = Open(loop.time(), called.append, (number,), loop)
            open_one.more = Witness()
            gone = [weakref.ref(it) for it in (slotted, slotted.more, open_one, open_one.more)]
            slotted._run()
            open_one._run()
            del slotted, open_one
            assert [reference() for reference in gone] == [None] * 4
            # Whoever is made next is not one of them.
            assert type(loop.call_soon(int)) is Slotted.__base__
        assert called == [number for number in range(2_000) for _ in range(2)]
        await asyncio.sleep(0)

    run(factory, main())


@both_loops
def test_they_go_in_other_threads(factory):
    async def main():
        loop = asyncio.get_running_loop()
        called = []

        def drop(handles):
            while handles:
                handles.pop()

        for _ in range(20):
            kept = [loop.call_soon(called.append, number) for number in range(500)]
            await asyncio.sleep(0)
            threads = [threading.Thread(target=drop, args=(kept[half::2],)) for half in range(2)]
            del kept
            for thread in threads:
                thread.start()
            for _ in range(500):
                loop.call_soon(called.append, None)
                await asyncio.sleep(0)
            for thread in threads:
                thread.join()
        assert len(called) == 20 * 1_000

    run(factory, main())


@both_loops
def test_an_exception_is_told_with_a_handle_that_has_what_was_called(factory):
    async def main():
        loop = asyncio.get_running_loop()

        def failing(*arguments):
            raise ValueError(arguments)

        told = reports()
        loop.call_soon(failing, 1, 2)
        kept = loop.call_soon(failing, 3)
        await asyncio.sleep(0)
        first, second = told
        assert str(first["exception"]) == "(1, 2)"
        assert "failing(" in first["message"]
        assert isinstance(first["handle"], asyncio.Handle)
        assert first["handle"]._args == (1, 2)
        assert second["handle"] is kept

    run(factory, main())


def test_what_asyncio_gives_a_loop_is_in_slots():
    """With a dict that is not empty CPython 3.13 would look there for each method first."""

    async def main():
        assert vars(asyncio.get_running_loop()) == {}

    run(FACTORIES["pyuv"], main())


@both_loops
def test_a_timer_says_what_call_at_was_given(factory):
    async def main():
        loop = asyncio.get_running_loop()
        whole = math.ceil(loop.time()) + 100
        timers = [loop.call_at(when, int) for when in (whole, float(whole))]
        assert [(timer.when(), type(timer.when())) for timer in timers] == [(whole, int), (whole, float)]
        assert type(loop.call_later(100, int).when()) is float

    for debug in (False, True):
        run(factory, main(), debug=debug)
