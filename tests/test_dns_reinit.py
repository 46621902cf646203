"""`Channel.reinit`: taking up a changed resolv.conf."""

import os
import socket
import threading

import pytest
import pyuv
from pyuv import dns

from util import Recorder, answer, ask, collect, in_child, open_fds, time_limit


@pytest.fixture
def resolv_conf(tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 192.0.2.1\n")
    return path


@pytest.fixture
def configured(loop, resolv_conf, dns_server):
    """A channel that reads its servers from resolv.conf."""
    channel = dns.Channel(
        loop, resolvconf_path=resolv_conf, udp_port=dns_server.port, tcp_port=dns_server.port
    )
    yield channel
    if not channel.closed:
        channel.close()


def reinit(channel):
    return answer(channel, "reinit")


def test_reinit_reads_the_servers_again(configured, resolv_conf, dns_server):
    assert configured.servers == [f"192.0.2.1:{dns_server.port}"]
    resolv_conf.write_text(f"nameserver {dns_server.host}\n")
    assert reinit(configured) == (None, None)
    assert configured.servers == [dns_server.address]
    assert ask(configured, "www.example.com")[1] is None


def test_reinit_reads_the_search_domains_again(configured, resolv_conf, dns_server):
    resolv_conf.write_text(f"nameserver {dns_server.host}\nsearch example.com\n")
    configured.reinit()
    configured.loop.run()
    assert answer(configured, "search", "www", "A")[0].question[0].name == "www.example.com"


def test_what_was_set_by_hand_stays(make_channel, resolv_conf, dns_server):
    channel = make_channel(resolvconf_path=resolv_conf, domains=["example.com"], query_cache_max_ttl=60)
    assert reinit(channel) == (None, None)
    assert channel.servers == [dns_server.address]
    assert answer(channel, "search", "www", "A")[1] is None
    channel.servers = ["192.0.2.3"]
    assert reinit(channel) == (None, None)
    assert channel.servers == ["192.0.2.3:53"]


def test_servers_set_while_it_reads_stay(loop, configured, dns_server):
    recorder = Recorder()
    configured.reinit(recorder)
    configured.servers = [dns_server.address]
    loop.run()
    assert recorder.calls == [(None, None)]
    assert configured.servers == [dns_server.address]


def test_lookups_in_flight_go_on(loop, dns_server, make_channel):
    channel = make_channel()
    recorder = Recorder()
    for _ in range(10):
        channel.query("delay-200.wild.example.com", "A", recorder)
    assert reinit(channel) == (None, None)
    recorder_after = Recorder()
    channel.query("www.example.com", "A", recorder_after)
    with time_limit(loop):
        loop.run()
    assert [errorno for _, errorno in recorder.calls] == [None] * 10
    assert recorder_after.calls[0][1] is None


def test_lookups_in_flight_to_a_server_that_is_gone_go_to_one_that_is_there(
    loop, configured, resolv_conf, dns_server
):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", dns_server.port))
        resolv_conf.write_text("nameserver 127.0.0.2\n")
        assert reinit(configured) == (None, None)
        recorder = Recorder()
        configured.query("www.example.com", "A", recorder)
        silent.settimeout(20)
        silent.recv(65536)
        resolv_conf.write_text(f"nameserver {dns_server.host}\n")
        configured.reinit()
        with time_limit(loop, 1.5):
            loop.run()
    assert recorder.calls[0][1] is None


def test_the_cache_is_emptied(loop, make_channel):
    channel = make_channel(query_cache_max_ttl=60)
    first = ask(channel, "www.example.com")
    assert ask(channel, "www.example.com") == first
    assert reinit(channel) == (None, None)
    assert ask(channel, "www.example.com")[0].id != first[0].id or ask(channel, "two.example.com")[1] is None


def test_a_configuration_that_cannot_be_used_leaves_the_channel_as_it_was(loop, resolv_conf, dns_server):
    resolv_conf.write_text(f"nameserver {dns_server.host}\n")
    port = dns_server.port
    flags = dns.ARES_FLAG_NO_DFLT_SVR
    channel = dns.Channel(loop, resolvconf_path=resolv_conf, flags=flags, udp_port=port, tcp_port=port)
    resolv_conf.unlink()
    assert reinit(channel) == (None, dns.ARES_ENOSERVER)
    assert ask(channel, "www.example.com")[1] is None
    channel.close()


def test_a_missing_or_malformed_resolv_conf_is_no_error(configured, resolv_conf, dns_server):
    for text in ("nameserver\nnonsense\0\n", ""):
        resolv_conf.write_text(text)
        assert reinit(configured) == (None, None)
        assert configured.servers == [dns_server.address]
    resolv_conf.unlink()
    assert reinit(configured) == (None, None)


def test_many_at_once_each_end_and_the_last_read_wins(loop, configured, resolv_conf, dns_server):
    recorder = Recorder()
    for number in range(1, 41):
        resolv_conf.write_text(f"nameserver 192.0.2.{number}\n")
        configured.reinit(recorder)
    loop.run()
    assert recorder.calls == [(None, None)] * 40
    assert configured.servers == [f"192.0.2.40:{dns_server.port}"]


def test_closing_ends_it_with_an_error(loop, configured):
    recorder = Recorder()
    configured.reinit(recorder)
    configured.close()
    loop.run()
    assert recorder.calls == [(None, dns.ARES_EDESTRUCTION)]
    with pytest.raises(pyuv.error.HandleClosedError):
        configured.reinit()


def test_cancel_and_close_reach_lookups_of_before(loop, make_channel):
    for end, code in [("cancel", dns.ARES_ECANCELLED), ("close", dns.ARES_EDESTRUCTION)]:
        channel = make_channel()
        recorder = Recorder()
        channel.query("timeout.example.com", "A", recorder)
        replaced = Recorder(lambda *_, channel=channel, end=end: getattr(channel, end)())
        channel.reinit(replaced)
        with time_limit(loop):
            loop.run()
        assert replaced.calls == [(None, None)]
        assert recorder.calls == [(None, code)]


def test_it_keeps_the_channel_and_the_loop_until_it_is_done(loop, resolv_conf):
    recorder = Recorder()
    dns.Channel(loop, resolvconf_path=resolv_conf).reinit(recorder)
    collect()
    loop.run()
    assert recorder.calls == [(None, None)]


def test_it_leaves_no_thread_and_no_descriptor(loop, make_channel):
    channel = make_channel()
    ask(channel, "www.example.com")
    reinit(channel)
    before = open_fds(), threading.active_count(), len(os.listdir("/proc/self/task"))
    for _ in range(50):
        reinit(channel)
        ask(channel, "www.example.com")
    assert (open_fds(), threading.active_count(), len(os.listdir("/proc/self/task"))) == before


def test_the_callback_must_be_callable(channel):
    with pytest.raises(TypeError, match="'nothing'"):
        channel.reinit("nothing")


def test_the_process_ends_while_it_reads():
    lines = in_child(
        """
        import pyuv

        loop = pyuv.Loop()
        channel = pyuv.dns.Channel(loop)
        for _ in range(100):
            channel.reinit(print)
        loop.run(pyuv.UV_RUN_NOWAIT)
        print("end")
        """
    )
    assert lines[-1] == "end"
