"""`Channel.server_state_callback`: hearing how servers do."""

import functools
import gc
import weakref

import pytest
from pyuv import dns
from pyuv.error import HandleClosedError

from util import Recorder, ask, time_limit

UDP, TCP = dns.ARES_SERV_STATE_UDP, dns.ARES_SERV_STATE_TCP


def test_an_answer_is_a_success(channel, dns_server):
    recorder = Recorder()
    assert channel.server_state_callback is None
    channel.server_state_callback = recorder
    assert channel.server_state_callback is recorder
    ask(channel, "www.example.com")
    assert recorder.calls == [(dns_server.address, True, UDP)]


def test_the_protocol_is_told(make_channel, dns_server):
    channel = make_channel(flags=dns.ARES_FLAG_USEVC)
    channel.server_state_callback = recorder = Recorder()
    ask(channel, "www.example.com")
    assert recorder.calls == [(dns_server.address, True, TCP)]


def test_no_answer_is_a_failure_each_time(make_channel, dns_server):
    channel = make_channel(timeout=0.05, tries=3)
    channel.server_state_callback = recorder = Recorder()
    ask(channel, "timeout.example.com")
    assert recorder.calls == [(dns_server.address, False, UDP)] * 3


def test_it_comes_before_the_answer(loop, channel):
    order = []
    channel.server_state_callback = lambda *_: order.append("state")
    channel.query("www.example.com", "A", lambda *_: order.append("answer"))
    loop.run()
    assert order == ["state", "answer"]


def test_it_can_be_changed_and_taken_away(channel):
    first, second = Recorder(), Recorder()
    channel.server_state_callback = first
    ask(channel, "www.example.com")
    channel.server_state_callback = second
    ask(channel, "www.example.com")
    channel.server_state_callback = None
    ask(channel, "www.example.com")
    assert (len(first), len(second)) == (1, 1)
    assert channel.server_state_callback is None


def test_it_survives_reinit(loop, channel):
    channel.server_state_callback = recorder = Recorder()
    channel.reinit()
    loop.run()
    ask(channel, "www.example.com")
    assert len(recorder) == 1


def test_what_it_raises_goes_to_excepthook_and_the_answer_comes(loop, channel):
    loop.excepthook = hook = Recorder()
    channel.server_state_callback = lambda *_: 1 / 0
    assert ask(channel, "www.example.com")[1] is None
    assert [call[0] for call in hook.calls] == [ZeroDivisionError]


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_it_may_end_everything(loop, channel, end):
    channel.server_state_callback = lambda *_: getattr(channel, end)()
    recorder = Recorder()
    channel.query("www.example.com", "A", recorder)
    channel.query("timeout.example.com", "A", recorder)
    with time_limit(loop):
        loop.run()
    assert len(recorder) == 2


def test_it_may_ask_and_let_go_of_the_channel(loop, dns_server):
    recorder = Recorder()
    channels = [dns.Channel(loop, [dns_server.address])]

    def told(server, success, flags):
        if channels:
            channels.pop().query("two.example.com", "A", recorder)
            gc.collect()

    channels[0].server_state_callback = told
    channels[0].query("www.example.com", "A", recorder)
    with time_limit(loop):
        loop.run()
    assert [errorno for _, errorno in recorder.calls] == [None, None]


def test_it_does_not_keep_the_channel(loop, dns_server):
    channel = dns.Channel(loop, [dns_server.address])
    ask(channel, "www.example.com")
    channel.server_state_callback = functools.partial(print, channel)
    reference = weakref.ref(channel)
    del channel
    gc.collect()
    assert reference() is None


def test_what_it_refuses(channel):
    with pytest.raises(TypeError, match="'nothing'"):
        channel.server_state_callback = "nothing"
    channel.close()
    with pytest.raises(HandleClosedError):
        channel.server_state_callback = print
