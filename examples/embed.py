"""A pyuv loop inside another event loop, here asyncio's: `python embed.py`.

A thread waits until the pyuv loop has something to do, and has the outer loop run it for one round.
"""

import asyncio
import select
import threading
from typing import Any

import pyuv


class Embedded:
    """Runs `loop` from the asyncio loop of the thread that makes this."""

    def __init__(self, loop: pyuv.Loop) -> None:
        self.loop = loop
        self.outer = asyncio.get_running_loop()
        self.round_over = threading.Event()
        self.done = self.outer.create_future()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self) -> None:
        """Waits for events, as many rounds as there are. (Another thread must not touch the loop
        while it runs, and these two take turns.)"""
        poller = select.poll()
        poller.register(self.loop.fileno(), select.POLLIN)
        while self.loop.alive:
            timeout = self.loop.get_timeout()
            poller.poll(None if timeout < 0 else timeout * 1000)
            self.round_over.clear()
            self.outer.call_soon_threadsafe(self.run_once)
            self.round_over.wait()
        self.outer.call_soon_threadsafe(self.done.set_result, None)

    def run_once(self) -> None:
        self.loop.run(pyuv.UV_RUN_NOWAIT)
        self.round_over.set()


async def main() -> None:
    loop = pyuv.Loop()
    ticks: list[pyuv.Timer] = []

    def on_tick(timer: pyuv.Timer) -> None:
        ticks.append(timer)
        print("pyuv: tick", len(ticks))
        if len(ticks) == 3:
            timer.close()

    def on_datagram(
        udp: pyuv.UDP, address: tuple[Any, ...], flags: int, data: bytes, error: int | None
    ) -> None:
        print("pyuv: got", data.decode())
        udp.close()

    pyuv.Timer(loop).start(on_tick, 0.01, 0.01)
    udp = pyuv.UDP(loop)
    udp.bind(("127.0.0.1", 0))
    udp.start_recv(on_datagram)
    address = udp.getsockname()[:2]

    embedded = Embedded(loop)
    transport, _ = await embedded.outer.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=address
    )
    transport.sendto(b"a datagram of asyncio's")
    await embedded.done
    embedded.thread.join()
    transport.close()
    print("asyncio: done")


if __name__ == "__main__":
    asyncio.run(main())
