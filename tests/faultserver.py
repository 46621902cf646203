"""A DNS server that does wrong, on loopback, UDP and TCP on one ephemeral port, in a thread of this process.

What it does with a query is a *fault*, a function of the `Query`; an async one may take its time::

    with FaultServer(faults.drop, faults.answer) as server:
        channel = pyuv.dns.Channel(loop, servers=[server.address])

The first query gets the first fault, the second the next, and so on; the last fault is for all that follow.
`server.queries` holds what was asked. The faults that exist are in faults.py.
"""

import asyncio
import contextlib
import inspect
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import Self

from dnsserver import bind

HEADER = 12
READ = 1 << 16
# SO_LINGER's struct: on, and no time at all.
ABORT = struct.pack("ii", 1, 0)


class Query:
    """One query: its bytes, how it came, and ways to answer it."""

    def __init__(self, server: "FaultServer", wire: bytes, peer: tuple | None, writer=None) -> None:
        self.server = server
        self.wire = wire
        self.peer = peer
        self.writer: asyncio.StreamWriter | None = writer

    @property
    def tcp(self) -> bool:
        """Whether it came over TCP."""
        return self.writer is not None

    @property
    def question(self) -> bytes:
        """The question's bytes: name, type and class."""
        end = HEADER
        while self.wire[end]:
            end += self.wire[end] + 1
        return self.wire[HEADER : end + 5]

    def send(self, message: bytes) -> None:
        """Answers with these bytes."""
        if self.writer is not None:
            self.writer.write(len(message).to_bytes(2) + message)
        else:
            assert self.peer is not None
            self.server.udp.sendto(message, self.peer)

    def send_from_elsewhere(self, message: bytes) -> None:
        """Answers from a port that was not asked."""
        assert self.peer is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((self.server.host, 0))
            other.sendto(message, self.peer)

    def send_raw(self, stream: bytes) -> None:
        """Sends bytes over TCP as they are, without a length before them."""
        assert self.writer is not None
        self.writer.write(stream)

    def close(self) -> None:
        """Ends the TCP connection."""
        assert self.writer is not None
        self.writer.close()

    def reset(self) -> None:
        """Ends the TCP connection with RST."""
        assert self.writer is not None
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self.writer.transport.abort()


Fault = Callable[[Query], Awaitable[None] | None]


class FaultServer:
    """The server, between the ends of a `with` block."""

    def __init__(self, *faults: Fault, host: str = "127.0.0.1", tcp: bool = True) -> None:
        self.host = host
        self.port = 0
        self.queries: list[Query] = []
        # What went wrong in a fault: a test's own mistake, raised at the block's end.
        self.errors: list[BaseException] = []
        self._faults = list(faults)
        self._tcp = tcp
        self._tasks: set[asyncio.Task] = set()

    @property
    def address(self) -> str:
        """``address:port``, as `Channel` takes servers."""
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self.udp, self.listener = bind(self.host, 0)
        self.port = self.udp.getsockname()[1]
        if not self._tcp:
            self.listener.close()
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self.errors:
            raise self.errors[0]

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._loop.add_reader(self.udp, self._receive)
        listening = await asyncio.start_server(self._converse, sock=self.listener) if self._tcp else None
        started.set()
        await self._stop.wait()
        self._loop.remove_reader(self.udp)
        self.udp.close()
        if listening is not None:
            listening.close()
        # Conversations included: each closes its connection.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                wire, peer = self.udp.recvfrom(READ)
                self._begin(Query(self, wire, peer))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    length = int.from_bytes(await reader.readexactly(2))
                    query = Query(self, await reader.readexactly(length), None, writer)
                    self._begin(query)
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()

    def _begin(self, query: Query) -> None:
        fault = self._faults[min(len(self.queries), len(self._faults) - 1)]
        self.queries.append(query)
        try:
            doing = fault(query)
        except Exception as error:
            self.errors.append(error)
            return
        if inspect.isawaitable(doing):
            task = asyncio.ensure_future(doing)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)
