"""How many lookups a `pyuv.dns.Channel` takes, and how long it lives."""

import os
import threading
import weakref

import pytest
import pyuv
from pyuv import dns
from pyuv.error import HandleClosedError

from util import IN_FORK, Recorder, ask, collect, in_child, linux, open_fds, time_limit


def test_a_hundred_thousand_queries_at_once(loop, make_channel):
    channel = make_channel(query_cache_max_ttl=0)
    channel.servers = []
    count = 0

    def count_up(message, errorno):
        nonlocal count
        count += errorno == dns.ARES_ENOSERVER

    for _ in range(100_000):
        channel.query("www.example.com", "A", count_up)
    assert channel.active_queries == 100_000
    with time_limit(loop):
        loop.run()
    assert count == 100_000


def test_queries_beyond_max_in_flight_wait_their_turn(loop, make_channel):
    channel = make_channel(max_in_flight=4)
    assert channel.max_in_flight == 4
    recorder = Recorder()
    for number in range(300):
        channel.query(f"n{number}.wild.example.com", "A", recorder)
    assert channel.active_queries == 300
    with time_limit(loop):
        loop.run()
    assert sorted(message.question[0].name for message, errorno in recorder.calls) == sorted(
        f"n{number}.wild.example.com" for number in range(300)
    )


def test_cancelling_ends_queries_that_wait_too(loop, make_channel):
    channel = make_channel(max_in_flight=2)
    recorder = Recorder()
    for _ in range(10):
        channel.query("timeout.example.com", "A", recorder)
    channel.cancel()
    assert len(recorder) == 0
    with time_limit(loop):
        loop.run()
    assert recorder.calls == [(None, dns.ARES_ECANCELLED)] * 10
    assert ask(channel, "www.example.com")[1] is None


def test_the_default_of_max_in_flight(channel):
    assert channel.max_in_flight == 256


def test_an_idle_channel_is_collected(loop, make_channel):
    with_cycle = dns.Channel(loop)
    with_cycle.self = with_cycle
    reference = weakref.ref(with_cycle)
    del with_cycle
    collect()
    assert reference() is None
    loop.close()


def test_a_channel_with_queries_is_kept_by_its_loop(loop, dns_server):
    recorder = Recorder()
    channel = dns.Channel(loop, [dns_server.address])
    channel.query("www.example.com", "A", recorder)
    reference = weakref.ref(channel)
    del channel
    collect()
    assert reference() is not None
    with time_limit(loop):
        loop.run()
    assert recorder.calls[0][1] is None
    collect()
    assert reference() is None


def test_a_forgotten_loop_is_collected_with_its_channels_and_their_callbacks(dns_server):
    class Target:
        pass

    before = open_fds()
    target = keep = Target()
    target.loop = pyuv.Loop()
    target.channel = dns.Channel(target.loop, [dns_server.address])
    target.channel.query("timeout.example.com", "A", lambda *arguments: keep)
    assert open_fds() > before
    references = [weakref.ref(target), weakref.ref(target.loop), weakref.ref(target.channel)]
    target = keep = None
    collect()
    assert [reference() for reference in references] == [None, None, None]
    assert open_fds() == before


def test_closing_ends_each_query_once(loop, channel):
    recorder = Recorder()
    for _ in range(5):
        channel.query("timeout.example.com", "A", recorder)
    assert not channel.closed
    channel.close()
    assert channel.closed
    assert len(recorder) == 0
    loop.run()
    assert recorder.calls == [(None, dns.ARES_EDESTRUCTION)] * 5
    loop.close()


@pytest.mark.parametrize(
    "use",
    [
        lambda channel: channel.query("www.example.com", "A", print),
        lambda channel: channel.cancel(),
        lambda channel: channel.timeout(),
        lambda channel: channel.servers,
        lambda channel: setattr(channel, "servers", []),
    ],
)
def test_a_closed_channel_says_so(channel, use):
    channel.close()
    with pytest.raises(HandleClosedError, match="channel is closed"):
        use(channel)


def test_a_with_block_closes_the_channel_and_a_second_close_does_nothing(loop, make_channel):
    with make_channel() as channel:
        assert not channel.closed
    assert channel.closed
    channel.close()
    loop.run()


def test_many_channels_leave_no_descriptor_no_thread_and_no_memory(dns_server):
    before = open_fds(), threading.active_count(), len(os.listdir("/proc/self/task"))
    loop = pyuv.Loop()
    for number in range(2000):
        channel = dns.Channel(loop, [dns_server.address])
        if number % 10 == 0:
            channel.query("timeout.example.com", "A", print)
            channel.close()
            loop.excepthook = Recorder()
        del channel
    collect()
    while loop.run(pyuv.UV_RUN_NOWAIT):
        pass
    loop.close()
    assert (open_fds(), threading.active_count(), len(os.listdir("/proc/self/task"))) == before


def test_a_loop_cannot_be_closed_under_a_channel(loop, channel):
    with pytest.raises(pyuv.error.UVError, match="DNS channel"):
        loop.close()
    assert ask(channel, "www.example.com")[1] is None
    loop.run()
    assert loop.handles == []


def test_an_idle_channel_does_not_keep_the_loop_running(loop, make_channel):
    make_channel(flags=dns.ARES_FLAG_STAYOPEN)
    assert loop.run() is False
    channel = make_channel(flags=dns.ARES_FLAG_STAYOPEN)
    ask(channel, "www.example.com")
    assert loop.run() is False


def test_the_process_ends_with_queries_in_flight(dns_server):
    for end in ("", "raise SystemExit(0)", "import gc; del loop, channel; gc.collect()"):
        lines = in_child(
            f"""
            import sys
            import pyuv

            loop = pyuv.Loop()
            channel = pyuv.dns.Channel(loop, [sys.argv[1]])
            channel.query("timeout.example.com", "A", print)
            loop.run(pyuv.UV_RUN_NOWAIT)
            print(channel.active_queries)
            {end}
            """,
            dns_server.address,
        )
        assert lines == ["1"]


def test_without_a_free_descriptor_queries_fail_and_the_channel_lives(dns_server):
    lines = in_child(
        """
        import os
        import resource
        import sys
        import pyuv

        loop = pyuv.Loop()
        channel = pyuv.dns.Channel(loop, [sys.argv[1]], tries=1)
        answer = lambda message, errorno: print(message and message.answer[0].data.addr, errorno)
        loop.run(pyuv.UV_RUN_NOWAIT)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        channel.query("www.example.com", "A", answer)
        try:
            while loop.run(pyuv.UV_RUN_NOWAIT):
                pass
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        channel.query("www.example.com", "A", answer)
        loop.run()
        """,
        dns_server.address,
    )
    assert lines == [f"None {dns.ARES_ECONNREFUSED}", "192.0.2.10 None"]


def test_another_thread_may_not_ask_while_the_loop_runs(loop, channel):
    errors = []

    def elsewhere():
        try:
            channel.query("www.example.com", "A", print)
        except RuntimeError as error:
            errors.append(error)

    def answered(message, errorno):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    channel.query("www.example.com", "A", answered)
    with time_limit(loop):
        loop.run()
    assert len(errors) == 1
    assert "another thread" in str(errors[0])


def test_channels_can_be_subclassed_referenced_and_given_attributes(loop, dns_server):
    class Own(dns.Channel):
        def __init__(self, loop, name):
            super().__init__(loop, servers=[dns_server.address])
            self.name = name

    channel = Own(loop, "mine")
    assert channel.name == "mine"
    assert channel.loop is loop
    assert weakref.ref(channel)() is channel
    assert repr(channel).startswith("<test_channels_can_be")
    assert "with 0 queries" in repr(channel)
    channel.close()
    assert "closed" in repr(channel)


def test_a_subclass_that_forgets_init_is_told(loop):
    class Forgetful(dns.Channel):
        def __init__(self, loop):
            pass

    channel = Forgetful(loop)
    for use in (channel.cancel, channel.close, channel.timeout, lambda: channel.servers):
        with pytest.raises(RuntimeError, match="__init__"):
            use()
    with pytest.raises(RuntimeError, match="__init__"):
        channel.query("www.example.com", "A", print)


def test_init_runs_once(loop, channel):
    with pytest.raises(RuntimeError, match="second time"):
        channel.__init__(loop)


FORKED = """
import pyuv
from pyuv import dns
loop = pyuv.Loop()
channel = dns.Channel(loop, [sys.argv[1]], flags=dns.ARES_FLAG_STAYOPEN, timeout=20, tries=1)
told = []
tell = lambda answer, error: told.append(error and dns.errorcode[error])
channel.query("www.example.com", "A", tell)
loop.run()
def sockets():
    links = (os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdecimal()
             and os.path.lexists(f"/proc/self/fd/{fd}"))
    return {link for link in links if link.startswith("socket:")}
"""


@linux
def test_a_forked_child_asks_by_sockets_of_its_own(dns_server):
    code = """
parents = sockets()
def use():
    try:
        channel.query("www.example.com", "A", tell)
    except RuntimeError as error:
        print("fork" in str(error))
    loop.fork()
    channel.query("www.example.com", "AAAA", tell)
    loop.run()
    print(told, len(parents) > 0, parents & sockets())
    channel.close()
    loop.run()
    loop.close()
print(in_fork(use))
channel.query("www.example.com", "AAAA", tell)
loop.run()
print(told)
"""
    lines = in_child(IN_FORK + FORKED + code, dns_server.address)
    assert lines == ["True", "[None, None] True set()", "0", "[None, None]"]


@pytest.mark.parametrize(
    "use",
    [
        "channel.query('www.example.com', 'A', tell)",
        "channel.getaddrinfo('www.example.com', 0, tell)",
        "channel.gethostbyname('www.example.com', socket.AF_INET, tell)",
        "channel.servers",
        "channel.timeout()",
        "channel.configuration",
        "setattr(channel, 'servers', channel.servers)",
        "channel.cancel()",
        "channel.reinit()",
    ],
)
def test_what_is_in_flight_when_the_process_forks_ends_in_the_child_at_once(dns_server, use):
    code = f"""
import socket, time
channel.query("timeout.example.com", "A", tell)
def use():
    loop.fork()
    begun = time.monotonic()
    {use}
    loop.run()
    print(told[1], set(told[2:]) <= {{None}}, time.monotonic() - begun < 10, channel.active_queries)
print(in_fork(use))
print(channel.active_queries)
"""
    lines = in_child(IN_FORK + FORKED + code, dns_server.address)
    assert lines == ["ARES_ECANCELLED True True 0", "0", "1"]
