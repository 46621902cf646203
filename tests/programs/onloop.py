"""A program's coroutine on pyuv's event loop."""

import asyncio

import pyuv.asyncio


def run(main, **options):
    """What it returns. Nothing is told to the exception handler, and no task is left behind."""
    reports = []

    async def on_loop():
        loop = asyncio.get_running_loop()
        assert isinstance(loop, pyuv.asyncio.EventLoop)
        loop.set_exception_handler(lambda loop, context: reports.append(context))
        result = await main
        if ending := asyncio.all_tasks() - {asyncio.current_task()}:
            _, left = await asyncio.wait(ending, timeout=10)
            assert not left, left
        return result

    result = pyuv.asyncio.run(on_loop(), **options)
    assert reports == []
    return result
