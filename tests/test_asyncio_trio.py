"""trio as a guest of pyuv's event loop: each has a loop of pyuv's, and asks that one."""

import asyncio

import pyuv.asyncio
import trio
from pyuv.asyncio import fs as asyncio_fs
from pyuv.trio import current_loop
from pyuv.trio import fs as trio_fs


def test_each_task_asks_the_loop_that_it_runs_on(tmp_path):
    async def guest():
        assert current_loop() is not None
        await trio_fs.write_text(tmp_path / "trio", "by trio")
        await trio.sleep(0.01)
        return await trio_fs.read_text(tmp_path / "asyncio"), current_loop()

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio_fs.write_text(tmp_path / "asyncio", "by asyncio")
        ended = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=ended.set_result,
            host_uses_signal_set_wakeup_fd=True,
        )
        while not (await asyncio_fs.AsyncPath(tmp_path / "trio").exists()):
            await asyncio.sleep(0.001)
        text, guests = (await ended).unwrap()
        assert guests is not loop.uv
        return text, await asyncio_fs.read_text(tmp_path / "trio")

    async def bounded():
        async with asyncio.timeout(20):
            return await main()

    assert pyuv.asyncio.run(bounded()) == ("by asyncio", "by trio")
