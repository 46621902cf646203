"""The programs in examples/ that are asyncio's, each run as one."""

import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from util import finish

EXAMPLES = Path(__file__).parent.parent / "examples"
# A line of Prometheus' text format: a sample, or the type of those that follow.
SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([^"]+)"\})? (\S+)')
TYPE = re.compile(r"# TYPE [a-z_]+ (counter|gauge|histogram)")


@contextlib.contextmanager
def started(name, ports, *arguments):
    """A program of these, and the ports that it listens on."""
    command = [sys.executable, "-X", "faulthandler", "-W", "error", EXAMPLES / name, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as program:
        try:
            lines = [program.stdout.readline() for _ in range(ports)]
            found = [re.fullmatch(r"listening on port (\d+)\n", line) for line in lines]
            assert all(found), lines
            yield program, [int(match[1]) for match in found]
        finally:
            program.kill()


def scraped(port):
    """The samples, by name and label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = answer.read().decode().splitlines()
    samples = [SAMPLE.fullmatch(line) for line in lines if not TYPE.fullmatch(line)]
    assert all(samples), lines
    return {(sample[1], sample[3]): float(sample[4]) for sample in samples}


def test_metrics_are_told_to_prometheus():
    with started("asyncio_metrics.py", 2) as (program, (port, metrics_port)):
        before = scraped(metrics_port)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            for _ in range(10):
                client.sendall(b"x" * 100)
                assert client.recv(100, socket.MSG_WAITALL) == b"x" * 100
            after = scraped(metrics_port)
        # The connections that ask are connections, too.
        assert after["pyuv_connections_made_total", None] - before["pyuv_connections_made_total", None] == 2
        assert after["pyuv_bytes_read_total", None] - before["pyuv_bytes_read_total", None] >= 1000
        assert after["pyuv_turns_total", None] > before["pyuv_turns_total", None]
        assert after["pyuv_seconds_total", "busy"] > before["pyuv_seconds_total", "busy"]
        buckets = [number for (name, _), number in after.items() if name == "pyuv_turn_seconds_bucket"]
        assert buckets == sorted(buckets)
        assert after["pyuv_turn_seconds_bucket", "+Inf"] == after["pyuv_turn_seconds_count", None] > 0
        program.send_signal(signal.SIGINT)
        assert finish(program) == []


class Client:
    """Asks for one answer after the other, and says how the connection ended."""

    def __init__(self):
        self.answers = 0

    async def run(self, port):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return "refused"
        try:
            while True:
                asked = b"question %d\n" % self.answers
                writer.write(asked)
                answer = await reader.readline()
                if not answer:
                    return "ended"
                assert answer == b"answer to " + asked
                self.answers += 1
        except ConnectionError:
            return "reset"
        finally:
            writer.close()


def test_under_load_a_server_answers_what_has_come_before_it_ends():
    async def main(program, port):
        clients = [Client() for _ in range(50)]
        running = [asyncio.create_task(client.run(port)) for client in clients]
        while min(client.answers for client in clients) < 3:
            await asyncio.sleep(0.01)
        program.terminate()
        ends = await asyncio.wait_for(asyncio.gather(*running), 40)
        # A question that was not read is reset by the system; one that was is answered.
        assert set(ends) <= {"ended", "reset"}
        with socket.socket() as late:
            assert late.connect_ex(("127.0.0.1", port)) != 0

    with started("asyncio_drain.py", 1, "0", "20") as (program, [port]):
        asyncio.run(main(program, port))
        assert finish(program) == ["reset: 0"]


def test_after_its_time_a_server_resets_who_is_not_answered():
    async def main(program, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        # So many answers that somebody who does not read them holds the server up.
        writer.transport.pause_reading()
        question = b"x" * 60_000 + b"\n"
        filling = asyncio.create_task(fill(writer, question))
        while writer.transport.get_write_buffer_size() == 0:
            await asyncio.sleep(0.01)
        program.terminate()
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(filling, 40)
        writer.close()

    async def fill(writer, question):
        while True:
            writer.write(question)
            await writer.drain()

    with started("asyncio_drain.py", 1, "0", "0.2") as (program, [port]):
        asyncio.run(main(program, port))
        assert finish(program) == ["reset: 1"]
