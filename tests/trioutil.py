"""trio for tests."""

import trio


def run(main, *arguments):
    """Runs a coroutine function under trio, for 20 seconds at most."""

    async def bounded():
        with trio.fail_after(20):
            return await main(*arguments)

    return trio.run(bounded)
