"""A server that ends well: `python asyncio_drain.py [PORT [SECONDS]]`. It answers each line, a moment later.

After SIGTERM it takes no more connections, closes those that wait for a request, and answers the requests
that have come; those that are not answered after so many seconds, 5 if nothing is said, are reset.
"""

import asyncio
import contextlib
import signal
import sys

import pyuv.asyncio

# What an answer takes, in seconds.
WORK = 0.005


class Server:
    """Answers lines, until it is told to drain."""

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        self.writers: set[asyncio.StreamWriter] = set()
        self.nobody_left = asyncio.Event()

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """The next line, or nothing at the end of the connection or of the server."""
        line = asyncio.ensure_future(reader.readline())
        drains = asyncio.ensure_future(self.draining.wait())
        await asyncio.wait((line, drains), return_when=asyncio.FIRST_COMPLETED)
        drains.cancel()
        if not line.done():
            # What was read in this very turn is a request still.
            await asyncio.sleep(0)
        if not line.done():
            line.cancel()
            return b""
        return line.result()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while line := await self.request(reader):
                await asyncio.sleep(WORK)
                writer.write(b"answer to " + line)
                await writer.drain()
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            writer.transport.abort()
        finally:
            self.writers.discard(writer)
            if not self.writers:
                self.nobody_left.set()

    async def drain(self, seconds: float) -> int:
        """Ends all connections, and says how many had to be reset."""
        self.draining.set()
        if not self.writers:
            return 0
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.nobody_left.wait(), seconds)
        late = list(self.writers)
        for writer in late:
            writer.transport.abort()
        return len(late)


async def main(port: int, seconds: float) -> None:
    server = Server()
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", port, backlog=1000)
    print("listening on port", listener.sockets[0].getsockname()[1], flush=True)
    await terminated.wait()
    listener.close()
    print("reset:", await server.drain(seconds), flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    pyuv.asyncio.run(main(int((arguments or ["0"])[0]), float((arguments[1:] or ["5"])[0])))
