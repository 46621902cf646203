"""A pyuv loop inside another event loop, here asyncio's: `python embed.py`.

The outer loop waits for the pyuv loop's descriptor and its next timer, and runs it for one round when either
comes.
"""

import asyncio
from contextlib import closing
from typing import Any

import pyuv


class Embedded:
    """Has the asyncio loop of this thread run a pyuv loop."""

    def __init__(self, loop: pyuv.Loop) -> None:
        self.loop = loop
        self.outer = asyncio.get_running_loop()
        self.running = False
        self.timer: asyncio.TimerHandle | None = None
        self.arm()

    def run(self) -> None:
        """One round of what is due."""
        self.disarm()
        self.running = True
        try:
            self.loop.run(pyuv.UV_RUN_NOWAIT)
        finally:
            self.running = False
            self.arm()

    def arm(self) -> None:
        """Has asyncio wait for what the loop waits for now: after whatever was started outside of a round."""
        if self.running:
            return
        self.disarm()
        self.loop.update_time()
        timeout = self.loop.get_timeout()
        if self.loop.alive:
            self.outer.add_reader(self.loop.fileno(), self.run)
        if timeout >= 0:
            self.timer = self.outer.call_later(timeout, self.run)

    def disarm(self) -> None:
        self.outer.remove_reader(self.loop.fileno())
        if self.timer is not None:
            self.timer.cancel()

    def close(self) -> None:
        self.disarm()


async def main() -> None:
    done = asyncio.Event()
    ticks: list[pyuv.Timer] = []

    def on_tick(timer: pyuv.Timer) -> None:
        ticks.append(timer)
        print("pyuv: tick", len(ticks))
        if len(ticks) == 3:
            timer.close()
            done.set()

    def on_datagram(
        udp: pyuv.UDP, address: tuple[Any, ...], flags: int, data: bytes, error: int | None
    ) -> None:
        print("pyuv: got", data.decode())
        pyuv.Timer(udp.loop).start(on_tick, 0.01, 0.01)

    with pyuv.Loop() as loop, closing(Embedded(loop)) as embedded:
        udp = pyuv.UDP(loop)
        udp.bind(("127.0.0.1", 0))
        udp.start_recv(on_datagram)
        embedded.arm()
        transport, _ = await embedded.outer.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=udp.getsockname()[:2]
        )
        transport.sendto(b"a datagram of asyncio's")
        await done.wait()
        transport.close()
    print("asyncio: done")


if __name__ == "__main__":
    asyncio.run(main())
