"""The options of `pyuv.dns.Channel`, and its servers."""

import contextlib
import ipaddress
import os
import socket
import stat
import time

import pytest
import pyuv
from pyuv import dns
from pyuv.dns import Message
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
        ({"servers": "127.0.0.1%lo"}, ValueError, "127.0.0.1%lo"),
        ({"servers": ["fe80::1%no-such-0"]}, ValueError, "no-such-0"),
        ({"servers": ["dns://127.0.0.1?tcpport=0"]}, ValueError, "tcpport=0"),
        ({"timeout": "2"}, TypeError, "timeout must be a number of seconds, not str"),
        ({"max_timeout": 0}, ValueError, "max_timeout"),
        ({"max_timeout": -1}, ValueError, "max_timeout .*-1"),
        ({"domains": ["a" * 64]}, ValueError, "a{64}"),
        ({"domains": [""]}, ValueError, "search domain"),
        ({"lookups": 3}, TypeError, "lookups must be a str, not int"),
        ({"lookups": "bb"}, ValueError, "bb"),
        ({"rotate": 1}, TypeError, "rotate must be a bool, not int"),
        ({"sortlist": "10.0.0.0"}, TypeError, "10.0.0.0"),
        ({"sortlist": ["10.0.0.0/33"]}, ValueError, "10.0.0.0/33"),
        ({"sortlist": ["nonsense"]}, ValueError, "nonsense"),
        ({"edns_size": 511}, ValueError, "edns_size 511"),
        ({"edns_size": 65536}, ValueError, "edns_size 65536"),
        ({"socket_send_buffer_size": 0}, ValueError, "socket_send_buffer_size 0"),
        ({"socket_receive_buffer_size": 1 << 31}, ValueError, "socket_receive_buffer_size 2147483648"),
        ({"udp_max_queries": 0}, ValueError, "udp_max_queries 0"),
        ({"server_retry_chance": 65536}, ValueError, "server_retry_chance 65536"),
        ({"server_retry_delay": -1}, ValueError, "server_retry_delay .*-1"),
        ({"server_retry_delay": 1e11}, ValueError, "server_retry_delay"),
        ({"local_ip4": "::1"}, ValueError, "::1"),
        ({"local_ip6": "127.0.0.1"}, ValueError, "127.0.0.1"),
        ({"local_dev": "no-such-0"}, ValueError, "no-such-0"),
        ({"local_dev": "a" * 100}, ValueError, "a{100}"),
        ({"resolvconf_path": ""}, ValueError, "resolvconf_path"),
        ({"hosts_path": 5}, TypeError, "hosts_path must be a path, not int"),
        ({"resolvconf_path": b"/etc/resolv.conf"}, TypeError, "resolvconf_path must be a path, not bytes"),
        ({"servers": 1}, TypeError, "servers must be a list of str, not 1"),
        ({"servers": [None]}, TypeError, "servers must be a list of str, but one is None"),
        ({"servers": [""]}, ValueError, 'bad server address ""'),
        ({"timeout": float("nan")}, ValueError, "timeout"),
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


# What the options do


@contextlib.contextmanager
def opened(loop, *arguments, **options):
    channel = dns.Channel(loop, *arguments, **options)
    yield channel
    channel.close()


def udp_sockets():
    """The UDP sockets that this process has open, by inode."""
    sockets = {}
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            inode = os.stat(fd).st_ino
            if stat.S_ISSOCK(os.stat(fd).st_mode):
                with socket.socket(fileno=os.dup(fd)) as found:
                    if found.type == socket.SOCK_DGRAM and found.family == socket.AF_INET:
                        sockets[inode] = [found.getsockopt(socket.SOL_SOCKET, name) for name in BUFFERS]
    return sockets


BUFFERS = (socket.SO_SNDBUF, socket.SO_RCVBUF)


def test_servers_are_a_list_or_a_text(loop):
    expected = ["192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:53"]
    for given in (
        "192.0.2.1, 192.0.2.2:5353,2001:db8::1",
        iter(["192.0.2.1", "192.0.2.2:5353", "2001:db8::1"]),
    ):
        with opened(loop, given) as channel:
            assert channel.servers == expected
            channel.servers = channel.servers
            assert channel.servers == expected
            channel.servers = "192.0.2.9"
            assert channel.servers == ["192.0.2.9:53"]


def test_a_link_local_server_has_an_interface(loop):
    with opened(loop, ["[fe80::1%lo]:53", "fe80::2%1"]) as channel:
        assert channel.servers == ["[fe80::1]:53%lo", "[fe80::2]:53%lo"]
        channel.servers = channel.servers
        assert channel.servers == ["[fe80::1]:53%lo", "[fe80::2]:53%lo"]


def test_a_server_may_have_another_port_for_tcp(loop, dns_server, udp_peer):
    port = udp_peer.address.rpartition(":")[2]
    server = f"dns://127.0.0.1:{port}?tcpport={dns_server.port}"
    with opened(loop, [server], flags=dns.ARES_FLAG_USEVC) as channel:
        assert channel.servers == [server]
        channel.servers = channel.servers
        assert ask(channel, "www.example.com")[1] is None


def test_max_timeout_lets_the_time_double_from_try_to_try(loop, udp_peer):
    # 0.1, 0.2 and 0.4 s, of which c-ares takes away up to a half, but never comes below 0.1.
    for max_timeout, least in [(None, 0.3), (0.4, 0.4)]:
        with opened(loop, [udp_peer.address], timeout=0.1, tries=3, max_timeout=max_timeout) as channel:
            start = time.monotonic()
            assert ask(channel, "x.example") == (None, dns.ARES_ETIMEOUT)
            assert time.monotonic() - start >= least - 0.01


def test_tries_are_how_often_a_server_is_asked(loop, udp_peer):
    with opened(loop, [udp_peer.address], timeout=0.05, tries=4) as channel:
        ask(channel, "x.example")
    udp_peer.socket.setblocking(False)
    assert len({udp_peer.receive() for _ in range(4)}) >= 1
    with pytest.raises(BlockingIOError):
        udp_peer.receive()


def test_edns_size_and_flags_are_in_the_query(loop, udp_peer):
    for options, sizes in [
        ({}, [1232]),
        ({"edns_size": 512}, [512]),
        ({"edns_size": 65535}, [65535]),
        ({"flags": dns.ARES_FLAG_NORECURSE}, []),
        ({"flags": dns.ARES_FLAG_EDNS}, [1232]),
    ]:
        with opened(loop, [udp_peer.address], **options) as channel:
            channel.query("x.example", "A", Recorder())
            query = Message.parse(udp_peer.receive())
            assert [record.data.udp_size for record in query.additional] == sizes
            assert (query.flags == dns.Flags.RD) == (options.get("flags") != dns.ARES_FLAG_NORECURSE)


def test_dns0x20_asks_in_random_case(loop, udp_peer):
    name = "abcdefghijklmnopqrstuvwxyz.example"
    with opened(loop, [udp_peer.address], flags=dns.ARES_FLAG_DNS0x20) as channel:
        names = set()
        for _ in range(8):
            channel.query(name, "A", Recorder())
            names.add(Message.parse(udp_peer.receive()).question[0].name)
    assert {each.lower() for each in names} == {name}
    assert len(names) > 1


def test_socket_buffers_have_the_sizes_asked_for(loop, udp_peer):
    before = udp_sockets()
    options = {"socket_send_buffer_size": 20000, "socket_receive_buffer_size": 30000}
    with opened(loop, [udp_peer.address], **options) as channel:
        channel.query("x.example", "A", Recorder())
        sizes = [sizes for inode, sizes in udp_sockets().items() if inode not in before]
    # Linux doubles what it is asked for.
    assert sizes == [[40000, 60000]]


def test_a_udp_socket_gives_way_after_so_many_queries(loop, udp_peer):
    for limit, ports in [(2, 3), (None, 1)]:
        with opened(loop, [udp_peer.address], udp_max_queries=limit) as channel:
            senders = set()
            for _ in range(6):
                channel.query("x.example", "A", Recorder())
                senders.add(udp_peer.socket.recvfrom(65536)[1])
            assert len(senders) == ports


@pytest.mark.parametrize("address", ["127.0.0.9", ipaddress.ip_address("127.0.0.9")])
def test_a_local_address_is_where_queries_come_from(loop, udp_peer, address):
    channel = dns.Channel(loop, [udp_peer.address], local_ip4=address, local_ip6="::1")
    channel.query("x.example", "A", Recorder())
    assert udp_peer.socket.recvfrom(65536)[1][0] == "127.0.0.9"
    channel.close()


def test_a_local_address_that_is_not_ours_is_an_error_of_the_query(loop, udp_peer):
    with opened(loop, [udp_peer.address], local_ip4="192.0.2.77", tries=1) as channel:
        assert ask(channel, "x.example") == (None, dns.ARES_ECONNREFUSED)


def test_a_local_device_is_where_queries_go_out(loop, dns_server):
    channel = dns.Channel(loop, [dns_server.address], local_dev="lo")
    assert ask(channel, "www.example.com")[1] is None
    channel.close()


def test_a_failed_server_is_tried_again_by_chance_after_a_delay(loop, dns_server, udp_peer):
    """With chance 1 every query after the delay asks the failed server too; with 0 none does."""
    for chance, again in [(1, True), (0, False)]:
        options = {"timeout": 0.3, "tries": 2, "server_retry_chance": chance, "server_retry_delay": 0}
        with opened(loop, [udp_peer.address, dns_server.address], **options) as channel:
            assert ask(channel, "www.example.com")[1] is None
            udp_peer.receive()
            for _ in range(3):
                assert ask(channel, "www.example.com")[1] is None
        udp_peer.socket.setblocking(False)
        count = 0
        with contextlib.suppress(BlockingIOError):
            while udp_peer.receive():
                count += 1
        udp_peer.socket.settimeout(20)
        assert (count > 0) == again


def test_rotate_spreads_the_queries(loop, udp_peer):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.setblocking(False)
        servers = [udp_peer.address, f"127.0.0.1:{other.getsockname()[1]}"]
        for rotate, spread in [(False, False), (True, True)]:
            with opened(loop, servers, rotate=rotate) as channel:
                for _ in range(40):
                    channel.query("x.example", "A", Recorder())
                while loop.run(pyuv.UV_RUN_NOWAIT) and channel.active_queries < 40:
                    pass
            try:
                other.recv(65536)
            except BlockingIOError:
                assert not spread
            else:
                assert spread


def test_options_of_resolv_conf_hold_where_none_is_given(loop, dns_server, tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 192.0.2.1\nsearch example.com\noptions ndots:3\n")
    port = dns_server.port
    with opened(loop, [dns_server.host], udp_port=port, tcp_port=port, resolvconf_path=path) as channel:
        recorder = Recorder()
        channel.search("www", "A", recorder)
        with time_limit(loop):
            loop.run()
    assert recorder.calls[0][0].question[0].name == "www.example.com"
