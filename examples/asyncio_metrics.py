"""An echo server, and Prometheus is told how its loop is: `python asyncio_metrics.py [PORT [METRICS_PORT]]`.

What takes the loop longer than a tenth of a second is written to stderr. Ctrl-C ends it.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterator

import pyuv.asyncio
from pyuv.asyncio import Metrics, SlowCallback

COUNTERS = ("turns", "callbacks", "connections_made", "bytes_read", "bytes_written")
GAUGES = ("ready", "connections", "requests", "executor_threads", "executor_queue")


def exposition(metrics: Metrics) -> Iterator[str]:
    """The lines of Prometheus' text format."""
    for name in COUNTERS:
        yield f"# TYPE pyuv_{name}_total counter"
        yield f"pyuv_{name}_total {getattr(metrics, name)}"
    for name in GAUGES:
        yield f"# TYPE pyuv_{name} gauge"
        yield f"pyuv_{name} {getattr(metrics, name)}"
    yield "# TYPE pyuv_seconds_total counter"
    yield f'pyuv_seconds_total{{state="busy"}} {metrics.busy!r}'
    yield f'pyuv_seconds_total{{state="idle"}} {metrics.idle!r}'
    yield "# TYPE pyuv_turn_seconds histogram"
    turns = 0
    for bound, count in zip((*metrics.lag.bounds, float("inf")), metrics.lag.counts, strict=True):
        turns += count
        limit = "+Inf" if bound == float("inf") else repr(bound)
        yield f'pyuv_turn_seconds_bucket{{le="{limit}"}} {turns}'
    yield f"pyuv_turn_seconds_sum {metrics.lag.total!r}"
    yield f"pyuv_turn_seconds_count {turns}"


async def scrape(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, metrics: Metrics) -> None:
    """Answers one request of HTTP's, whatever it is for."""
    try:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=5)
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        writer.transport.abort()
        return
    body = "".join(f"{line}\n" for line in exposition(metrics)).encode()
    kind = "Content-Type: text/plain; version=0.0.4; charset=utf-8"
    writer.write(f"HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def complain(report: SlowCallback) -> None:
    print(report, file=sys.stderr)


async def main(port: int, metrics_port: int) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, pyuv.asyncio.EventLoop)
    # The first look begins to measure times.
    loop.metrics()
    loop.slow_callback_hook = complain
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    exporter = await asyncio.start_server(
        lambda reader, writer: scrape(reader, writer, loop.metrics()), "127.0.0.1", metrics_port
    )
    for what in (server, exporter):
        print("listening on port", what.sockets[0].getsockname()[1], flush=True)
    async with server, exporter:
        await server.serve_forever()


if __name__ == "__main__":
    ports = [int(argument) for argument in sys.argv[1:3]]
    with contextlib.suppress(KeyboardInterrupt):
        pyuv.asyncio.run(main(*ports, *[0, 0][len(ports) :]))
