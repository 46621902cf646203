"""The engine of ``python -m pyuv.dns --file``, used in ways that the tool does not."""

import gc
import json
import threading
import weakref

import pytest
import pyuv
from pyuv import dns
from pyuv.dns._engine import Answered, Bulk

from util import time_limit


@pytest.fixture
def make_bulk(loop, dns_server):
    def make(record_type="A", *, channel=None, **options):
        channel = channel or dns.Channel(loop, [dns_server.address])
        return Bulk(channel, record_type, **({"concurrency": 10, "retries": 0} | options))

    return make


def statuses(bulk):
    lines = [json.loads(line) for line in bulk.take().splitlines()]
    return {(line["name"], line["type"]): line["status"] for line in lines}


def run(loop):
    with time_limit(loop):
        loop.run()


def test_names_in_lines_out(loop, make_bulk):
    bulk = make_bulk()
    assert bulk.wants_names
    bulk.push(b"www.exam")
    assert bulk.busy == 0
    bulk.push(b"ple.com\nno-such.example.com MX\nwww.example.com")
    assert (bulk.busy, bulk.ready, bulk.done) == (2, 0, False)
    bulk.end()
    assert (bulk.busy, bulk.wants_names) == (3, False)
    run(loop)
    assert (bulk.busy, bulk.done, bulk.retried) == (0, True, 0)
    assert bulk.ready > 0
    assert bulk.counts() == {"NOERROR": 2, "NXDOMAIN": 1}
    assert statuses(bulk) == {("www.example.com", "A"): "NOERROR", ("no-such.example.com", "MX"): "NXDOMAIN"}
    assert (bulk.ready, bulk.take()) == (0, b"")


def test_names_in_idna_and_names_that_are_none(loop, make_bulk):
    bulk = make_bulk()
    bulk.push("b\u00fccher.wild.example.com\n".encode() + b"\xff.example.com\n\xc3\xbc..x\n")
    bulk.end()
    run(loop)
    found = statuses(bulk)
    assert found["b\u00fccher.wild.example.com", "A"] == "NOERROR"
    assert found["\udcff.example.com", "A"] == "BADNAME"
    assert found["\u00fc..x", "A"] == "BADNAME"


def test_what_is_answered_is_passed_over(loop, make_bulk):
    answered = Answered()
    answered.add(b"www.example.com", "A")
    answered.add(b"\xff", "A")
    assert len(answered) == 2
    bulk = make_bulk(answered=answered)
    assert len(answered) == 0
    bulk.push(b"www.example.com\n\xff\nwww.example.com TXT\n")
    bulk.end()
    run(loop)
    assert list(statuses(bulk)) == [("www.example.com", "TXT")]


def test_a_closed_channel_leaves_a_line_for_each_question(loop, dns_server, make_bulk):
    channel = dns.Channel(loop, [dns_server.address])
    bulk = make_bulk(channel=channel, retries=3)
    bulk.push(b"timeout.a.example.com\ntimeout.b.example.com\n")
    channel.close()
    run(loop)
    bulk.push(b"www.example.com\n")
    bulk.end()
    assert bulk.done
    assert bulk.counts() == {"DESTRUCTION": 3}


def test_dropped_in_flight_it_is_collected_with_its_channel(dns_server):
    loop = pyuv.Loop()
    channel = dns.Channel(loop, [dns_server.address])
    channel.bulk = Bulk(channel, "A", concurrency=5, retries=1)
    channel.bulk.push(b"timeout.example.com\nrefused.example.com\n")
    gone = weakref.ref(channel)
    del channel
    gc.collect()
    assert gone() is None
    run(loop)
    loop.close()


def test_another_thread_may_look_but_not_ask_while_the_loop_runs(loop, dns_server, make_bulk):
    channel = dns.Channel(loop, [dns_server.address])
    bulk = make_bulk(channel=channel)
    bulk.push(b"timeout.example.com\n")
    done = pyuv.Async(loop, lambda handle: (handle.close(), channel.close()))
    outcomes = []

    def other():
        for use in (lambda: bulk.push(b"www.example.com\n"), bulk.end, bulk.stop):
            with pytest.raises(RuntimeError, match="in use by another thread"):
                use()
        outcomes.append((bulk.busy, bulk.done, bulk.take()))
        done.send()

    thread = threading.Thread(target=other)
    starter = pyuv.Timer(loop)
    starter.start(lambda timer: (timer.close(), thread.start()), 0)
    run(loop)
    thread.join()
    assert outcomes == [(1, False, b"")]
    assert bulk.counts() == {"DESTRUCTION": 1}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"concurrency": 0}, ValueError),
        ({"concurrency": -1}, OverflowError),
        ({"retries": -1}, OverflowError),
        ({"retries": 1 << 40}, OverflowError),
        ({"record_type": "NOTYPE"}, ValueError),
        ({"answered": []}, TypeError),
    ],
)
def test_what_it_refuses(make_bulk, options, error):
    with pytest.raises(error):
        make_bulk(**options)


def test_a_channel_that_was_not_initialised(make_bulk):
    with pytest.raises(RuntimeError, match="__init__"):
        make_bulk(channel=dns.Channel.__new__(dns.Channel))
