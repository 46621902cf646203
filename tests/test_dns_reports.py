"""What users of pycares and aiodns reported: none of it happens here."""

import os
import socket
import threading
import time

import pyuv
from pyuv import dns

from util import Recorder, ask, in_child, open_fds, time_limit


def inotify_watches():
    """How many inotify descriptors this process has."""
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return sum("inotify" in link for link in links)


def test_timeout_before_the_first_query_is_none():
    lines = in_child(
        """
        import pyuv

        loop = pyuv.Loop()
        channel = pyuv.dns.Channel(loop, [])
        print(channel.timeout())
        channel = pyuv.dns.Channel(loop, ["192.0.2.1"])
        print(channel.timeout())
        channel.close()
        """
    )
    assert lines == ["None", "None"]


def test_collecting_channels_with_lookups_in_flight_hangs_nothing(udp_peer):
    """By any thread, in any order, and at the end of the process."""
    lines = in_child(
        """
        import gc
        import sys
        import threading
        import pyuv
        from pyuv.dns import Channel, Message, Question

        def abandon():
            loop = pyuv.Loop()
            for _ in range(5):
                channel = Channel(loop, [sys.argv[1]])
                channel.loop_again = loop
                channel.query("x.example", "A", print)
                channel.search("x", "A", print)
                channel.send(Message(question=[Question("x.example", "A")]), print)
                channel.getaddrinfo("x.example", 80, print)
                channel.gethostbyaddr("192.0.2.1", print)
                channel.reinit(print)
                channel.server_state_callback = print
            loop.run(pyuv.UV_RUN_NOWAIT)

        for _ in range(5):
            abandon()
            thread = threading.Thread(target=abandon)
            thread.start()
            thread.join()
            thread = threading.Thread(target=gc.collect)
            thread.start()
            thread.join()
        abandon()
        print("end")
        """,
        udp_peer.address,
    )
    assert lines[-1] == "end"


def test_channels_leave_no_inotify_watch_no_thread_and_no_descriptor(loop, dns_server):
    def state():
        return inotify_watches(), open_fds(), threading.active_count(), len(os.listdir("/proc/self/task"))

    loop.run()
    before = state()
    for number in range(10_000):
        channel = dns.Channel(loop, [dns_server.address])
        if number % 1000 == 0:
            ask(channel, "www.example.com")
            assert inotify_watches() == before[0]
        channel.close()
        if number % 100 == 0:
            loop.run()
    loop.run()
    # Threads and descriptors that other tests left may have gone meanwhile.
    assert all(now <= then for now, then in zip(state(), before, strict=True))


def test_a_server_that_does_not_read_does_not_freeze_the_loop(loop):
    """Queries that fill the socket to a TCP server wait; the loop goes on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        options = {"socket_send_buffer_size": 4096, "flags": dns.ARES_FLAG_USEVC, "max_in_flight": 1000}
        channel = dns.Channel(loop, [address], timeout=1, tries=1, **options)
        recorder = Recorder()
        record = dns.Record("", dns.RawData(65280, bytes(20_000)))
        query = dns.Message(question=[dns.Question("x.example", "A")], additional=[record])
        for _ in range(1000):
            channel.send(query, recorder)
        turns, latest, longest = 0, time.monotonic(), 0.0

        def tick(timer):
            nonlocal turns, latest, longest
            now = time.monotonic()
            turns, longest, latest = turns + 1, max(longest, now - latest), now

        timer = pyuv.Timer(loop)
        timer.start(tick, 0.01, 0.01)
        timer.ref = False
        with time_limit(loop):
            loop.run()
        timer.close()
        channel.close()
    assert len(recorder) == 1000
    assert turns > 20
    assert longest < 0.5


def test_an_exception_in_any_callback_wedges_nothing(loop, channel):
    loop.excepthook = hook = Recorder()

    def fail(*_):
        raise ValueError

    channel.server_state_callback = fail
    for method, arguments in [
        ("query", ("www.example.com", "A")),
        ("search", ("www.example.com", "A")),
        ("send", (dns.Message(question=[dns.Question("www.example.com", "A")]),)),
        ("getaddrinfo", ("www.example.com", 80)),
        ("gethostbyname", ("www.example.com", socket.AF_INET)),
        ("gethostbyaddr", ("192.0.2.10",)),
        ("getnameinfo", (("192.0.2.10", 80), 0)),
        ("reinit", ()),
    ]:
        getattr(channel, method)(*arguments, callback=fail)
    with time_limit(loop):
        loop.run()
    # Eight callbacks, and as many reports of the server as there were queries.
    assert len(hook) == 8 + 8
    assert {call[0] for call in hook.calls} == {ValueError}
    channel.server_state_callback = None
    assert ask(channel, "www.example.com")[1] is None


def test_a_channel_works_when_inotify_has_run_out(dns_server):
    lines = in_child(
        """
        import ctypes
        import sys
        import pyuv

        libc = ctypes.CDLL(None)
        count = 0
        while libc.inotify_init1(0) != -1:
            count += 1
        assert count > 0
        loop = pyuv.Loop()
        channel = pyuv.dns.Channel(loop, [sys.argv[1]])
        channel.query("www.example.com", "A", lambda message, errorno: print(message.answer[0].data.addr))
        loop.run()
        message = pyuv.dns.resolve("www.example.com", servers=[sys.argv[1]], timeout=20)
        print(message.answer[0].data.addr)
        """,
        dns_server.address,
    )
    assert lines == ["192.0.2.10"] * 2


def test_a_channel_is_made_and_closed_without_a_free_descriptor(dns_server):
    lines = in_child(
        """
        import os
        import resource
        import socket
        import sys
        import pyuv

        loop = pyuv.Loop()
        loop.run()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        answer = lambda result, errorno: print(result is not None, errorno)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        channel = pyuv.dns.Channel(loop, [sys.argv[1]], tries=1)
        pyuv.dns.Channel(loop, [sys.argv[1]]).close()
        channel.getaddrinfo("www.example.com", 80, answer)
        channel.gethostbyname("www.example.com", socket.AF_INET, answer)
        channel.reinit(answer)
        loop.run()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        channel.getaddrinfo("www.example.com", 80, answer)
        loop.run()
        """,
        dns_server.address,
    )
    refused = f"False {dns.ARES_ECONNREFUSED}"
    assert sorted(lines[:3]) == [refused, refused, "False None"]
    assert lines[3:] == ["True None"]
