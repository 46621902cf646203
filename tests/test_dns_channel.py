"""`pyuv.dns.Channel.query`: answers, callbacks, and what it refuses."""

import socket
import time

import pytest
import pyuv
from pyuv import dns

from util import Recorder, ask, time_limit


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


def test_garbage_is_an_error(make_channel):
    result, errorno = ask(make_channel(timeout=0.1, tries=2), "garbage.example.com")
    assert result is None
    assert errorno in dns.errorcode
    assert errorno != dns.ARES_SUCCESS


def test_a_server_that_never_answers_times_out_and_leaves_nothing_active(loop, make_channel):
    channel = make_channel(timeout=0.1, tries=2)
    start = time.monotonic()
    assert ask(channel, "timeout.example.com") == (None, dns.ARES_ETIMEOUT)
    assert 0.19 <= time.monotonic() - start < 5
    assert loop.run(pyuv.UV_RUN_NOWAIT) is False
    assert channel.active_queries == 0


def test_a_dead_server_gives_way_to_one_that_lives(dns_server, make_channel):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{silent.getsockname()[1]}"
        message, errorno = ask(
            make_channel(servers=[dead, dns_server.address], timeout=0.1), "www.example.com"
        )
    assert errorno is None
    assert message.answer[0].data.addr == "192.0.2.10"


def test_a_cached_answer_comes_in_a_later_turn(make_channel):
    channel = make_channel(query_cache_max_ttl=60)
    first = ask(channel, "www.example.com")
    assert ask(channel, "www.example.com") == first


def test_without_servers_the_error_comes_in_a_later_turn(channel):
    channel.servers = []
    assert channel.servers == []
    assert ask(channel, "www.example.com") == (None, dns.ARES_ENOSERVER)


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
        ("a\tb.example", r"\\009"),
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
