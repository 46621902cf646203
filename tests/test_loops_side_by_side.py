"""Four loops in four threads, each with a little of everything, that send to one another.

With a GIL this tests that loops share nothing that they should not; without one, the same for good.
"""

import os
import threading

import pytest
import pyuv
from dnsserver import DNSServer
from pyuv import dns, fs

LOOPS = 4
ROUNDS = 50


class Side:
    """One loop: rounds of an echo, a file, a query, work in the pool, and a nudge to the next."""

    def __init__(self, number, path, address):
        self.loop = pyuv.Loop()
        self.errors = []
        self.loop.excepthook = lambda *error: self.errors.append(error)
        self.path = path / f"file-{number}"
        self.channel = dns.Channel(self.loop, servers=[address])
        self.seen = dict.fromkeys(("echoed", "written", "answered", "worked", "nudged"), 0)
        self.nudge = pyuv.Async(self.loop, self.nudged)
        self.next = None
        self.ending = False

        self.server = pyuv.TCP(self.loop)
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(self.connected)
        self.client = pyuv.TCP(self.loop)
        self.client.connect(self.server.getsockname(), self.begin)

    def count(self, what):
        self.seen[what] += 1
        if self.ending or min(self.seen[each] for each in self.seen if each != "nudged") < ROUNDS:
            return
        self.ending = True
        for handle in self.loop.handles:
            # The thread before this one may still have something to send.
            if handle is not self.nudge and not handle.closed:
                handle.close()
        self.nudge.ref = False
        self.channel.close()

    def connected(self, server, error):
        assert error is None
        self.accepted = pyuv.TCP(self.loop)
        server.accept(self.accepted)
        self.accepted.start_read(lambda stream, data, error: data and stream.write(data))

    def begin(self, client, error):
        assert error is None
        client.start_read(self.echoed)
        client.write(b"x" * 1000)
        self.write()
        self.ask()
        self.work()

    def echoed(self, client, data, error):
        if data and not client.closed:
            client.write(bytes(data))
            self.next.nudge.send()
            self.count("echoed")

    def write(self):
        fs.write_file(self.loop, os.fspath(self.path), os.urandom(100), callback=self.written)

    def written(self, request):
        assert request.error is None
        if self.seen["written"] < ROUNDS:
            self.write()
        self.count("written")

    def ask(self):
        self.channel.query("example.com", "MX", self.answered)

    def answered(self, message, error):
        if error == dns.ARES_EDESTRUCTION:
            return
        assert error is None
        if self.seen["answered"] < ROUNDS:
            self.ask()
        self.count("answered")

    def work(self):
        self.loop.queue_work(lambda: sum(range(100)), self.worked)

    def worked(self, error):
        assert error is None
        if self.seen["worked"] < ROUNDS:
            self.work()
        self.count("worked")

    def nudged(self, _):
        self.seen["nudged"] += 1


@pytest.mark.timeout(120)
def test_four_loops_in_four_threads(tmp_path):
    with DNSServer() as server:
        sides = [Side(number, tmp_path, server.address) for number in range(LOOPS)]
        for number, side in enumerate(sides):
            side.next = sides[(number + 1) % LOOPS]
        threads = [threading.Thread(target=side.loop.run) for side in sides]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for side in sides:
        side.nudge.close()
        side.loop.run()
        side.loop.close()
        assert side.errors == []
        assert side.seen["nudged"] > 0
        assert min(side.seen.values()) > 0
