"""What a caller of `Channel` sees of each thing that a server can do wrong: exactly one callback, in time."""

import time

import faults
import pytest
import pyuv
from faults import over_tcp
from faultserver import FaultServer
from pyuv import dns

from util import Recorder, collect, open_fds, time_limit

NAME = "www.fault.example"
TIMEOUT = 0.1
TRIES = 2
# What a busy machine may add to timeout x tries.
SLACK = 5.0

GOOD = None
SILENT = dns.ARES_ETIMEOUT
BAD = dns.ARES_EBADRESP

# Fault, what the query ends with, and over what it was asked: u for UDP, t for TCP.
FAULTS = [
    ("answer", faults.answer, GOOD, "u"),
    ("twice", faults.twice, GOOD, "u"),
    ("delay", faults.delay(TIMEOUT / 4), GOOD, "u"),
    ("delay beyond the timeout", faults.delay(TIMEOUT * TRIES * 2), SILENT, "uu"),
    ("drop", faults.drop, SILENT, "uu"),
    ("truncate", faults.truncate, GOOD, "ut"),
    ("truncate always", faults.truncate_always, GOOD, "ut"),
    ("wrong port", faults.wrong_port, SILENT, "uu"),
    ("wrong id", faults.wrong_id, SILENT, "uu"),
    ("wrong question", faults.wrong_question, SILENT, "uu"),
    ("wrong type", faults.wrong_type, SILENT, "uu"),
    ("empty", faults.empty, SILENT, "uu"),
    ("echo", faults.echo, dns.ARES_ENODATA, "u"),
    ("garbage", faults.garbage, BAD, "uu"),
    ("noise", faults.noise, BAD, "uu"),
    ("header alone", faults.header_alone, BAD, "uu"),
    ("cut short", faults.cut_short, BAD, "uu"),
    ("many promised", faults.many_promised, BAD, "uu"),
    ("loop of one", faults.loop_of_one, BAD, "uu"),
    ("loop of two", faults.loop_of_two, BAD, "uu"),
    ("pointer forward", faults.pointer_forward, BAD, "uu"),
    ("SERVFAIL", faults.servfail, dns.ARES_ESERVFAIL, "uu"),
    ("REFUSED", faults.refused, dns.ARES_EREFUSED, "uu"),
    ("NOTIMP", faults.notimp, dns.ARES_ENOTIMP, "uu"),
    # c-ares takes it for an old server's answer to EDNS and asks again without.
    ("FORMERR", faults.formerr, dns.ARES_EFORMERR, "uu"),
    ("TCP: drop", over_tcp(faults.drop), SILENT, "utt"),
    ("TCP: close", over_tcp(faults.close), dns.ARES_ECONNREFUSED, "utt"),
    ("TCP: reset", over_tcp(faults.reset), dns.ARES_ECONNREFUSED, "utt"),
    ("TCP: length, then silence", over_tcp(faults.length_then_silence), SILENT, "utt"),
    ("TCP: empty", over_tcp(faults.empty), SILENT, "utt"),
    ("TCP: wrong id", over_tcp(faults.wrong_id), SILENT, "utt"),
    ("TCP: garbage", over_tcp(faults.garbage), BAD, "utt"),
    ("TCP: loop of one", over_tcp(faults.loop_of_one), BAD, "utt"),
    ("TCP: SERVFAIL", over_tcp(faults.servfail), dns.ARES_ESERVFAIL, "utt"),
]
PARAMETERS = [pytest.param(*row[1:], id=row[0]) for row in FAULTS]


@pytest.fixture(scope="module", autouse=True)
def warm():
    """What the first loop of a process opens for good is open before descriptors are counted."""
    with FaultServer(faults.answer) as server:
        asked = Asked(server)
        asked.ask()
        asked.close()


class Asked:
    """One query of a channel with a loop of its own, run to its end beside a ticking timer."""

    def __init__(self, server, **options):
        self.loop = pyuv.Loop()
        options = {"timeout": TIMEOUT, "tries": TRIES} | options
        self.channel = dns.Channel(self.loop, servers=[server.address], **options)
        self.ticks = 0

    def ask(self, name=NAME):
        recorder = Recorder()
        ticker = pyuv.Timer(self.loop)
        ticker.start(self._tick, 0.01, 0.01)
        ticker.ref = False
        started = time.monotonic()
        self.channel.query(name, "A", recorder)
        with time_limit(self.loop):
            self.loop.run()
        self.seconds = time.monotonic() - started
        ticker.close()
        assert len(recorder) == 1
        assert self.channel.active_queries == 0
        assert self.channel.timeout() is None
        return recorder.calls[0]

    def _tick(self, timer):
        self.ticks += 1

    def close(self):
        self.channel.close()
        assert self.loop.run() is False
        self.loop.close()


def addresses(message):
    return [record.data.addr for record in message.answer if record.type == dns.RecordType.A]


@pytest.mark.parametrize(("fault", "expected", "transports"), PARAMETERS)
def test_a_fault_ends_in_one_callback_in_time_and_leaves_nothing(fault, expected, transports):
    before = open_fds()
    with FaultServer(fault) as server:
        asked = Asked(server)
        message, errorno = asked.ask()
        assert asked.seconds < TIMEOUT * TRIES + SLACK
        if expected == SILENT:
            assert asked.ticks > 0
        asked.close()
    assert errorno == expected
    assert (message is None) == (expected is not GOOD)
    if message is not None:
        assert addresses(message) == ["192.0.2.1"]
    assert "".join("t" if query.tcp else "u" for query in server.queries) == transports
    del asked, message
    collect()
    assert open_fds() == before


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=title)
        for title, fault, expected, transports in FAULTS
        if expected is not GOOD and len(transports) == 2
    ],
)
def test_the_next_try_is_answered(fault):
    with FaultServer(fault, faults.answer) as server:
        asked = Asked(server)
        message, errorno = asked.ask()
        asked.close()
    assert errorno is None
    assert addresses(message) == ["192.0.2.1"]
    assert len(server.queries) == 2


@pytest.mark.parametrize(("fault", "expected", "transports"), PARAMETERS)
def test_the_channel_asks_on_after_a_fault(fault, expected, transports):
    with FaultServer(*[fault] * len(transports), faults.answer) as server:
        asked = Asked(server)
        assert asked.ask()[1] == expected
        message, errorno = asked.ask("other.fault.example")
        asked.close()
    assert errorno is None
    assert addresses(message) == ["192.0.2.1"]
    assert message.question[0].name == "other.fault.example"


def test_64_kib_over_tcp_come_byte_by_byte():
    with FaultServer(faults.single_bytes) as server:
        asked = Asked(server, timeout=30)
        message, errorno = asked.ask()
        asked.close()
    assert errorno is None
    assert len(addresses(message)) == 4000
    text = message.answer[-1].data
    assert (
        12
        + len(server.queries[0].question)
        + 4000 * 16
        + 12
        + sum(len(string) + 1 for string in text.strings)
        == 65535
    )


def test_half_an_answer_before_the_connection_ends_neither_spins_nor_ends_the_tries():
    # c-ares does not see the end of a connection that comes after part of an answer.
    with FaultServer(faults.truncate, faults.half_then_close, faults.answer) as server:
        asked = Asked(server, timeout=0.5, tries=3)
        message, errorno = asked.ask()
        turns = asked.loop.metrics().loop_count
        asked.close()
    assert errorno is None
    assert addresses(message) == ["192.0.2.1"]
    assert [query.tcp for query in server.queries] == [False, True, True]
    assert turns < 1000


def test_half_an_answer_each_time_ends_in_time():
    with FaultServer(over_tcp(faults.half_then_close)) as server:
        asked = Asked(server)
        assert asked.ask() == (None, dns.ARES_ECONNREFUSED)
        assert asked.seconds < TIMEOUT * TRIES + SLACK
        asked.close()


def test_truncated_where_nobody_listens_on_tcp():
    with FaultServer(faults.truncate, tcp=False) as server:
        asked = Asked(server)
        assert asked.ask() == (None, dns.ARES_ECONNREFUSED)
        asked.close()


def test_a_truncated_answer_is_taken_where_that_is_wished():
    with FaultServer(faults.truncate_always) as server:
        asked = Asked(server, flags=dns.ARES_FLAG_IGNTC)
        message, errorno = asked.ask()
        asked.close()
    assert errorno is None
    assert message.flags & dns.Flags.TC
    assert [query.tcp for query in server.queries] == [False]


def test_a_query_after_formerr_goes_without_edns():
    with FaultServer(faults.formerr, faults.answer) as server:
        asked = Asked(server)
        assert asked.ask()[1] is None
        asked.close()
    first, second = (dns.Message.parse(query.wire) for query in server.queries)
    assert [record.type for record in first.additional] == [dns.RecordType.OPT]
    assert second.additional == ()
    assert first.question == second.question


def test_a_broken_answer_to_one_query_does_not_lose_the_others(loop):
    with FaultServer(faults.drop, faults.drop, faults.garbage, faults.answer) as server:
        channel = dns.Channel(loop, servers=[server.address], timeout=1, tries=4)
        recorder = Recorder()
        for number in range(3):
            channel.query(f"n{number}.fault.example", "A", recorder)
        with time_limit(loop):
            loop.run()
    names = sorted(message.question[0].name for message, errorno in recorder.calls if errorno is None)
    assert names == [f"n{number}.fault.example" for number in range(3)]


def test_a_faulty_server_gives_way_to_a_good_one(loop):
    with FaultServer(faults.servfail) as bad, FaultServer(faults.answer) as good:
        channel = dns.Channel(loop, servers=[bad.address, good.address], timeout=TIMEOUT)
        recorder = Recorder()
        channel.query(NAME, "A", recorder)
        with time_limit(loop):
            loop.run()
    ((message, errorno),) = recorder.calls
    assert errorno is None
    assert addresses(message) == ["192.0.2.1"]
    assert len(bad.queries) == 1


def test_a_hundred_queries_through_every_fault_at_once(loop):
    every = [row[1] for row in FAULTS]
    loop.run()
    before = open_fds()
    with FaultServer(*(every * 8), faults.answer) as server:
        channel = dns.Channel(loop, servers=[server.address], timeout=TIMEOUT, tries=TRIES)
        recorder = Recorder()
        for number in range(100):
            channel.query(f"n{number}.fault.example", "A", recorder)
        with time_limit(loop):
            loop.run()
        assert channel.active_queries == 0
        channel.close()
        loop.run()
    assert len(recorder) == 100
    assert all((message is None) == (errorno is not None) for message, errorno in recorder.calls)
    assert open_fds() == before


def test_closing_with_faults_in_flight_ends_each_query_once(loop):
    with FaultServer(faults.drop) as server:
        channel = dns.Channel(loop, servers=[server.address])
        recorder = Recorder()
        for number in range(20):
            channel.query(f"n{number}.fault.example", "A", recorder)
        timer = pyuv.Timer(loop)
        timer.start(lambda timer: channel.close(), 0.02)
        with time_limit(loop):
            loop.run()
    assert recorder.calls == [(None, dns.ARES_EDESTRUCTION)] * 20
