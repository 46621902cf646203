import gc
import os
import socket
import threading
import time
import weakref

import pytest
import pyuv
from dnsserver import DNSServer
from pyuv import dns
from pyuv.error import DNSError, HandleClosedError

from util import Recorder, collect, in_child, open_fds, time_limit


@pytest.fixture(scope="module")
def server():
    with DNSServer() as server:
        yield server


@pytest.fixture
def make(loop, server):
    """Makes channels that ask the server, and closes them after the test."""
    channels = []

    def make(**options):
        channel = dns.Channel(loop, **{"servers": [server.address]} | options)
        channels.append(channel)
        return channel

    yield make
    for channel in channels:
        if not loop.closed and not channel.closed:
            channel.close()


@pytest.fixture
def channel(make):
    return make()


def ask(channel, name, rtype="A"):
    """What the callback of one query gets."""
    recorder = Recorder()
    channel.query(name, rtype, recorder)
    assert len(recorder) == 0
    with time_limit(channel.loop):
        channel.loop.run()
    assert len(recorder) == 1
    return recorder.calls[0]


# Answers


def test_an_address(channel):
    message, errorno = ask(channel, "www.example.com")
    assert errorno is None
    assert type(message) is dns.Message
    assert message.rcode == dns.Rcode.NOERROR
    assert message.question[0].name == "www.example.com"
    assert [(r.name, r.type, r.ttl, r.data.addr) for r in message.answer] == [
        ("www.example.com", dns.RecordType.A, 300, "192.0.2.10")
    ]


@pytest.mark.parametrize(
    ("name", "rtype", "data"),
    [
        ("two.example.com", "A", {dns.A("192.0.2.21"), dns.A("192.0.2.22")}),
        ("www.example.com", "AAAA", {dns.AAAA("2001:db8::10")}),
        ("alias.example.com", "CNAME", {dns.CNAME("www.example.com")}),
        (
            "example.com",
            "MX",
            {dns.MX(10, "mail.example.com"), dns.MX(20, "backup.mail.example.com")},
        ),
        ("example.com", "NS", {dns.NS("ns1.example.com"), dns.NS("ns2.example.com")}),
        ("10.2.0.192.in-addr.arpa", "PTR", {dns.PTR("www.example.com")}),
        (
            "example.com",
            "SOA",
            {dns.SOA("ns1.example.com", r"hostmaster\.dns.example.com", 2024010101, 7200, 3600, 1209600, 60)},
        ),
        (
            "_sip._tcp.example.com",
            "SRV",
            {
                dns.SRV(10, 60, 5060, "sip1.example.com"),
                dns.SRV(10, 40, 5060, "sip2.example.com"),
                dns.SRV(20, 0, 5061, ""),
            },
        ),
        ("several.txt.example.com", "TXT", {dns.TXT([b"one", b"", b"three"])}),
    ],
)
def test_every_type_of_record_is_typed(channel, name, rtype, data):
    message, errorno = ask(channel, name, rtype)
    assert errorno is None
    assert {record.data for record in message.answer} == data


@pytest.mark.parametrize("rtype", ["MX", "mx", "TYPE15", 15, dns.RecordType.MX])
def test_a_type_is_a_name_or_a_number(channel, rtype):
    message, _ = ask(channel, "example.com", rtype)
    assert {record.data.priority for record in message.answer} == {10, 20}


@pytest.mark.parametrize(
    "name", ["www.example.com", "www.example.com.", b"www.example.com", "WWW.EXAMPLE.COM"]
)
def test_a_name_is_text_or_bytes(channel, name):
    message, errorno = ask(channel, name)
    assert errorno is None
    assert message.answer[0].data.addr == "192.0.2.10"


def test_a_name_that_is_not_ascii_is_asked_for_in_idna(channel):
    recorder = Recorder()
    channel.query("b\u00fccher.wild.example.com", "A", recorder)
    channel.loop.run()
    (message, errorno) = recorder.calls[0]
    assert errorno is None
    assert message.question[0].name == "xn--bcher-kva.wild.example.com"


@pytest.mark.parametrize(
    ("name", "rtype", "code"),
    [
        ("no-such-name.example.com", "A", dns.ARES_ENOTFOUND),
        ("www.example.com", "MX", dns.ARES_ENODATA),
        ("servfail.example.com", "A", dns.ARES_ESERVFAIL),
        ("refused.example.com", "A", dns.ARES_EREFUSED),
        ("notimp.example.com", "A", dns.ARES_ENOTIMP),
    ],
)
def test_what_the_server_refuses_is_a_c_ares_code(channel, name, rtype, code):
    assert ask(channel, name, rtype) == (None, code)


def test_an_answer_that_does_not_fit_comes_over_tcp(channel):
    message, errorno = ask(channel, "truncate.wild.example.com")
    assert errorno is None
    assert message.answer[0].data.addr == "192.0.2.60"


def test_garbage_is_an_error(make):
    result, errorno = ask(make(timeout=0.1, tries=2), "garbage.example.com")
    assert result is None
    assert errorno in dns.errorcode
    assert errorno != dns.ARES_SUCCESS


def test_a_server_that_never_answers_times_out_and_leaves_nothing_active(loop, make):
    channel = make(timeout=0.1, tries=2)
    start = time.monotonic()
    assert ask(channel, "timeout.example.com") == (None, dns.ARES_ETIMEOUT)
    assert 0.19 <= time.monotonic() - start < 5
    assert loop.run(pyuv.UV_RUN_NOWAIT) is False
    assert channel.active_queries == 0


def test_a_dead_server_gives_way_to_one_that_lives(server, make):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{silent.getsockname()[1]}"
        message, errorno = ask(make(servers=[dead, server.address], timeout=0.1), "www.example.com")
    assert errorno is None
    assert message.answer[0].data.addr == "192.0.2.10"


def test_a_cached_answer_comes_in_a_later_turn(make):
    channel = make(query_cache_max_ttl=60)
    first = ask(channel, "www.example.com")
    assert ask(channel, "www.example.com") == first


def test_without_servers_the_error_comes_in_a_later_turn(channel):
    channel.servers = []
    assert channel.servers == []
    assert ask(channel, "www.example.com") == (None, dns.ARES_ENOSERVER)


# Callbacks


def test_queries_from_a_callback(loop, channel):
    names = ["two.example.com", "ns1.example.com", "mail.example.com"]
    seen = []

    def answered(message, errorno):
        seen.append((message.question[0].name, errorno))
        if names:
            channel.query(names.pop(), "A", answered)

    channel.query("www.example.com", "A", answered)
    with time_limit(loop):
        loop.run()
    assert seen == [(f"{name}.example.com", None) for name in ("www", "mail", "ns1", "two")]


def test_closing_inside_a_callback_ends_the_others_once(loop, channel):
    recorder = Recorder()
    for _ in range(5):
        channel.query("timeout.example.com", "A", recorder)
    channel.query("www.example.com", "A", lambda message, errorno: channel.close())
    with time_limit(loop):
        loop.run()
    assert recorder.calls == [(None, dns.ARES_EDESTRUCTION)] * 5
    loop.close()


def test_an_exception_goes_to_excepthook_and_the_others_are_called(loop, channel):
    recorder, hook = Recorder(), Recorder()
    loop.excepthook = hook
    channel.servers = []
    channel.query("www.example.com", "A", lambda message, errorno: 1 / 0)
    channel.query("www.example.com", "A", recorder)
    loop.run()
    assert [call[0] for call in hook.calls] == [ZeroDivisionError]
    assert recorder.calls == [(None, dns.ARES_ENOSERVER)]


def test_keyboard_interrupt_leaves_run(loop, channel):
    def interrupt(message, errorno):
        raise KeyboardInterrupt

    recorder = Recorder()
    channel.query("www.example.com", "A", interrupt)
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    channel.query("www.example.com", "A", recorder)
    loop.run()
    assert recorder.calls[0][1] is None


# Many


def test_a_hundred_thousand_queries_at_once(loop, make):
    channel = make(query_cache_max_ttl=0)
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


def test_queries_beyond_max_in_flight_wait_their_turn(loop, make):
    channel = make(max_in_flight=4)
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


def test_cancelling_ends_queries_that_wait_too(loop, make):
    channel = make(max_in_flight=2)
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


# Life


def test_an_idle_channel_is_collected(loop, make):
    with_cycle = dns.Channel(loop)
    with_cycle.self = with_cycle
    reference = weakref.ref(with_cycle)
    del with_cycle
    collect()
    assert reference() is None
    loop.close()


def test_a_channel_with_queries_is_kept_by_its_loop(loop, server):
    recorder = Recorder()
    channel = dns.Channel(loop, [server.address])
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


def test_a_forgotten_loop_is_collected_with_its_channels_and_their_callbacks(server):
    class Target:
        pass

    before = open_fds()
    target = keep = Target()
    target.loop = pyuv.Loop()
    target.channel = dns.Channel(target.loop, [server.address])
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
        lambda channel: channel.close(),
        lambda channel: channel.timeout(),
        lambda channel: channel.servers,
        lambda channel: setattr(channel, "servers", []),
    ],
)
def test_a_closed_channel_says_so(channel, use):
    channel.close()
    with pytest.raises(HandleClosedError, match="channel is closed"):
        use(channel)


def test_many_channels_leave_no_descriptor_no_thread_and_no_memory(server):
    before = open_fds(), threading.active_count(), len(os.listdir("/proc/self/task"))
    loop = pyuv.Loop()
    for number in range(2000):
        channel = dns.Channel(loop, [server.address])
        if number % 10 == 0:
            channel.query("timeout.example.com", "A", print)
            channel.close()
            loop.excepthook = Recorder()
        del channel
    gc.collect()
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


def test_an_idle_channel_does_not_keep_the_loop_running(loop, make):
    make(flags=dns.ARES_FLAG_STAYOPEN)
    assert loop.run() is False
    channel = make(flags=dns.ARES_FLAG_STAYOPEN)
    ask(channel, "www.example.com")
    assert loop.run() is False


def test_the_process_ends_with_queries_in_flight(server):
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
            server.address,
        )
        assert lines == ["1"]


def test_without_a_free_descriptor_queries_fail_and_the_channel_lives(server):
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
        server.address,
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


def test_channels_can_be_subclassed_referenced_and_given_attributes(loop, server):
    class Own(dns.Channel):
        def __init__(self, loop, name):
            super().__init__(loop, servers=[server.address])
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


# Options


def test_timeout_without_queries_is_none(channel):
    assert channel.timeout() is None
    channel.query("timeout.example.com", "A", lambda *arguments: None)
    assert 0 < channel.timeout() <= 2
    channel.cancel()
    channel.loop.run()
    assert channel.timeout() is None


def test_servers_are_read_and_set(channel, server):
    assert channel.servers == [server.address]
    channel.servers = ["192.0.2.1", "192.0.2.2:5353", "::1", "[2001:db8::1]:53"]
    assert channel.servers == ["192.0.2.1:53", "192.0.2.2:5353", "[::1]:53", "[2001:db8::1]:53"]
    channel.servers = (server.address,)
    assert ask(channel, "www.example.com")[1] is None


def test_servers_may_change_with_queries_in_flight(loop, channel, server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        channel.servers = [f"127.0.0.1:{silent.getsockname()[1]}"]
        recorder = Recorder()
        channel.query("www.example.com", "A", recorder)
        channel.servers = [server.address]
        with time_limit(loop):
            loop.run()
    assert recorder.calls[0][0].answer[0].data.addr == "192.0.2.10"


def test_the_port_of_servers_that_name_none(loop, server):
    channel = dns.Channel(loop, [server.host], udp_port=server.port, tcp_port=server.port)
    assert ask(channel, "www.example.com")[1] is None
    channel.close()


def test_servers_come_from_resolv_conf(loop, tmp_path):
    path = tmp_path / "resolv.conf"
    for text, expected in [
        ("nameserver 192.0.2.7\n", ["192.0.2.7:53"]),
        ("nameserver\nnonsense\0\nnameserver x\n", ["127.0.0.1:53"]),
        ("", ["127.0.0.1:53"]),
    ]:
        path.write_text(text)
        channel = dns.Channel(loop, resolvconf_path=path)
        assert channel.servers == expected
        channel.close()
    channel = dns.Channel(loop, resolvconf_path=tmp_path / "missing")
    assert channel.servers == ["127.0.0.1:53"]
    channel.close()


def test_tcp_alone(make):
    message, errorno = ask(make(flags=dns.ARES_FLAG_USEVC), "tcp-only.wild.example.com")
    assert errorno is None
    assert message.answer[0].data.addr == "192.0.2.60"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"servers": ["localhost"]}, ValueError, "'?localhost"),
        ({"servers": ["127.0.0.1:99999"]}, ValueError, "127.0.0.1:99999"),
        ({"servers": ["[::1"]}, ValueError, r"\[::1"),
        ({"servers": ["127.0.0.1,127.0.0.2"]}, ValueError, "127.0.0.1,127.0.0.2"),
        ({"servers": ["fe80::1"]}, ValueError, "fe80::1"),
        ({"servers": "127.0.0.1"}, TypeError, "127.0.0.1"),
        ({"servers": [1]}, TypeError, "1"),
        ({"servers": 1}, TypeError, "int"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"timeout": -1.5}, ValueError, "-1.5"),
        ({"timeout": float("nan")}, ValueError, "NaN"),
        ({"timeout": 1e11}, ValueError, "timeout"),
        ({"tries": 0}, ValueError, "tries 0"),
        ({"tries": -1}, ValueError, "tries -1"),
        ({"tries": 1 << 70}, ValueError, "tries 1180591620717411303424"),
        ({"tries": "3"}, TypeError, "tries"),
        ({"ndots": -1}, ValueError, "ndots -1"),
        ({"flags": 1 << 30}, ValueError, "0x40000000"),
        ({"domains": "example.com"}, TypeError, "example.com"),
        ({"domains": ["a\0b"]}, ValueError, "domain"),
        ({"lookups": "x"}, ValueError, "x"),
        ({"udp_port": 65536}, ValueError, "udp_port 65536"),
        ({"tcp_port": -1}, ValueError, "tcp_port -1"),
        ({"max_in_flight": 0}, ValueError, "max_in_flight 0"),
        ({"max_in_flight": 40000}, ValueError, "40000"),
        ({"query_cache_max_ttl": -1}, ValueError, "query_cache_max_ttl -1"),
        ({"resolvconf_path": "a\0b"}, ValueError, "resolvconf_path"),
        ({"hosts_path": "a\0b"}, ValueError, "hosts_path"),
        ({"no_such_option": 1}, TypeError, "no_such_option"),
    ],
)
def test_a_wrong_option_is_named(loop, options, error, text):
    with pytest.raises(error, match=text):
        dns.Channel(loop, **options)
    assert loop.run() is False
    loop.close()


def test_no_server_at_all_is_an_error_where_that_is_asked_for(loop):
    with pytest.raises(DNSError) as caught:
        dns.Channel(loop, flags=dns.ARES_FLAG_NO_DFLT_SVR, resolvconf_path="/no/such/file")
    assert caught.value.args[0] == dns.ARES_ENOSERVER


# Arguments


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "''|\"\""),
        ("a" * 64 + ".example.com", "a{64}"),
        ("a\0b.example.com", "NUL"),
        (b"a\0b.example.com", "NUL"),
        ("a..b", "a..b"),
        (".".join(["a" * 60] * 5), "a{60}"),
        (b"b\xc3\xbccher.example", "bytes must be ASCII"),
        ("\u00fc" * 64 + ".example", "\u00fc{64}"),
        ("\ud800.example", "bad domain name"),
        ("a b.example", "a b.example"),
    ],
)
def test_a_name_that_cannot_be_asked_for_is_named(channel, name, text):
    with pytest.raises(ValueError, match=text):
        channel.query(name, "A", print)
    assert channel.active_queries == 0
    assert channel.loop.run() is False


@pytest.mark.parametrize(
    ("rtype", "error", "text"),
    [
        ("NOSUCHTYPE", ValueError, "NOSUCHTYPE"),
        ("", ValueError, "record type"),
        (65536, ValueError, "65536"),
        (-1, ValueError, "-1"),
        (None, TypeError, "record type"),
        (1.5, TypeError, "record type"),
    ],
)
def test_a_wrong_type_is_named(channel, rtype, error, text):
    with pytest.raises(error, match=text):
        channel.query("www.example.com", rtype, print)


def test_a_callback_must_be_callable(channel):
    with pytest.raises(TypeError, match="'nothing'"):
        channel.query("www.example.com", "A", "nothing")
    with pytest.raises(TypeError, match="None"):
        channel.query("www.example.com", "A", None)
    with pytest.raises(TypeError):
        channel.query("www.example.com", "A")
    with pytest.raises(TypeError, match="int"):
        channel.query(5, "A", print)


def test_a_loop_is_needed():
    with pytest.raises(TypeError):
        dns.Channel()
    with pytest.raises(TypeError):
        dns.Channel("loop")
    closed = pyuv.Loop()
    closed.close()
    with pytest.raises(RuntimeError, match="closed"):
        dns.Channel(closed)
