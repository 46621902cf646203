"""The options of `pyuv.dns.Channel`, and its servers."""

import socket

import pytest
from pyuv import dns
from pyuv.error import DNSError

from util import Recorder, ask, time_limit


def test_timeout_without_queries_is_none(channel):
    assert channel.timeout() is None
    channel.query("timeout.example.com", "A", lambda *arguments: None)
    assert 0 < channel.timeout() <= 2
    channel.cancel()
    channel.loop.run()
    assert channel.timeout() is None


def test_servers_are_read_and_set(channel, dns_server):
    assert channel.servers == [dns_server.address]
    channel.servers = ["192.0.2.1", "192.0.2.2:5353", "::1", "[2001:db8::1]:53"]
    assert channel.servers == ["192.0.2.1:53", "192.0.2.2:5353", "[::1]:53", "[2001:db8::1]:53"]
    channel.servers = (dns_server.address,)
    assert ask(channel, "www.example.com")[1] is None


def test_servers_may_change_with_queries_in_flight(loop, channel, dns_server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        channel.servers = [f"127.0.0.1:{silent.getsockname()[1]}"]
        recorder = Recorder()
        channel.query("www.example.com", "A", recorder)
        channel.servers = [dns_server.address]
        with time_limit(loop):
            loop.run()
    assert recorder.calls[0][0].answer[0].data.addr == "192.0.2.10"


def test_the_port_of_servers_that_name_none(loop, dns_server):
    channel = dns.Channel(loop, [dns_server.host], udp_port=dns_server.port, tcp_port=dns_server.port)
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


def test_tcp_alone(make_channel):
    message, errorno = ask(make_channel(flags=dns.ARES_FLAG_USEVC), "tcp-only.wild.example.com")
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
        ({"servers": "127.0.0.1,localhost"}, ValueError, "'?localhost"),
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
