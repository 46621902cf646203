"""Unusual answers: without a question, with records that cannot be understood, with bad cookies."""

import json
import struct

import faults
import pytest
from faultserver import FaultServer
from pyuv import dns
from pyuv.dns import CAA, HTTPS, A, Message, RawData
from pyuv.dns._engine import Bulk

from util import answer, time_limit

OWNER = b"\xc0\x0c"
NAME = "www.fault.example"
ADDRESS = (1, b"\xc0\x00\x02\x07")
COOKIE = 10


def has_opt(query):
    return query.wire[10:12] != b"\0\0"


def refusal(rcode):
    """Says only that it will not: twelve bytes, as servers do that know nothing of EDNS."""

    def refuse(query):
        if has_opt(query):
            query.send(query.wire[:2] + struct.pack("!5H", 0x8180 | rcode, 0, 0, 0, 0))
        else:
            faults.answer(query)

    return refuse


def records(*found, options=None):
    """Answers with records, each a type and its data, and an OPT record with options."""

    def respond(query):
        head = query.wire[:2] + struct.pack("!5H", 0x8180, 1, len(found), 0, int(options is not None))
        body = b"".join(
            OWNER + struct.pack("!HHIH", record_type, 1, 300, len(data)) + data for record_type, data in found
        )
        opt = b""
        if options is not None:
            data = b"".join(struct.pack("!HH", number, len(value)) + value for number, value in options)
            opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(data)) + data
        query.send(head + query.question + body + opt)

    return respond


@pytest.mark.parametrize("flags", [None, dns.ARES_FLAG_EDNS | dns.ARES_FLAG_USEVC])
def test_formerr_without_a_question_is_asked_again_without_edns(make_channel, flags):
    with FaultServer(refusal(1)) as server:
        channel = make_channel(servers=[server.address], timeout=5, tries=2, flags=flags)
        message, errorno = answer(channel, "query", NAME, "A")
        assert errorno is None
        assert message.answer[0].data == A("192.0.2.1")
        assert [has_opt(query) for query in server.queries] == [True, False]
        assert all(query.tcp == (flags is not None) for query in server.queries)
        message, errorno = answer(
            channel, "send", Message(question=[dns.Question(NAME, "A")], additional=[OPT])
        )
        assert (errorno, message.answer[0].data) == (None, A("192.0.2.1"))


OPT = dns.Record("", dns.OPT(1232, 0, 0, ()))


def test_resolve_and_bulk_ask_again_without_edns_too(loop, make_channel):
    with FaultServer(refusal(1)) as server:
        flags = dns.ARES_FLAG_EDNS
        message = dns.resolve(NAME, servers=[server.address], timeout=10, flags=flags)
        assert message.answer[0].data == A("192.0.2.1")
        bulk = Bulk(make_channel(servers=[server.address]), "A", concurrency=10, retries=0)
        bulk.push(NAME.encode())
        bulk.end()
        with time_limit(loop):
            loop.run()
        assert json.loads(bulk.take())["status"] == "NOERROR"


@pytest.mark.parametrize(
    ("rcode", "code"), [(2, dns.ARES_ESERVFAIL), (4, dns.ARES_ENOTIMP), (5, dns.ARES_EREFUSED)]
)
def test_other_refusals_without_a_question_are_what_they_say(make_channel, rcode, code):
    with FaultServer(refusal(rcode)) as server:
        channel = make_channel(servers=[server.address], timeout=5, tries=2)
        assert answer(channel, "query", NAME, "A") == (None, code)
        assert len(server.queries) == 2


def test_an_answer_without_a_question_is_none(make_channel):
    def respond(query):
        query.send(query.wire[:2] + struct.pack("!5H", 0x8180, 0, 0, 0, 0))

    with FaultServer(respond) as server:
        channel = make_channel(servers=[server.address], timeout=5, tries=1)
        result, errorno = answer(channel, "query", NAME, "A")
        assert (result, errorno) == (None, dns.ARES_EBADRESP)
        assert errorno.reason == f"the answer of {server.address}: it has 0 questions"


def test_a_multicast_answer_has_no_question():
    owner = b"\x07printer\x05local\0"
    wire = (
        struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0)
        + owner
        + struct.pack("!HHIH", 1, 0x8001, 120, 4)
        + b"\n\0\0\1"
    )
    message = Message.parse(wire)
    assert message.question == ()
    assert message.answer[0].data == A("10.0.0.1")
    assert message.answer[0].record_class == 0x8001
    assert Message.parse(message.to_bytes()) == message


ODD = [
    (257, b"\0\x05issue", CAA(0, "issue", "")),
    (257, b"\0\0x", RawData("CAA", b"\0\0x")),
    (15, b"\0\x01", RawData("MX", b"\0\x01")),
    (1, b"\1\2\3", RawData("A", b"\1\2\3")),
    (16, b"", RawData("TXT", b"")),
    (13, b"\x01\xff\x01\xfe", dns.HINFO(b"\xff", b"\xfe")),
    (65, b"\0\1\0\0\3\0\2\0\x50\0\3\0\2\1\xbb", RawData("HTTPS", b"\0\1\0\0\3\0\2\0\x50\0\3\0\2\1\xbb")),
    (65, b"\0\1\0\0\3\0\2\0\x50\0\1\0\3\x02h2", RawData("HTTPS", b"\0\1\0\0\3\0\2\0\x50\0\1\0\3\x02h2")),
    (65, b"\0\1\0\0\1\0\3\x02h2\0\3\0\2\0\x50", HTTPS(1, "", [(1, b"\x02h2"), (3, b"\0\x50")])),
    (52, b"\3\1\1", dns.TLSA(3, 1, 1, b"")),
    (256, b"\0\1\0\1", dns.URI(1, 1, "")),
]


@pytest.mark.parametrize(("record_type", "data", "expected"), ODD)
@pytest.mark.parametrize("ttl", [0, 60])
def test_a_record_that_cannot_be_understood_comes_beside_the_others(
    make_channel, record_type, data, expected, ttl
):
    with FaultServer(records((record_type, data), ADDRESS)) as server:
        channel = make_channel(servers=[server.address], timeout=5, tries=1, query_cache_max_ttl=ttl)
        # A second time perhaps from the cache.
        for _ in range(2):
            message, errorno = answer(channel, "query", NAME, record_type)
            assert errorno is None
            assert [record.data for record in message.answer] == [expected, A("192.0.2.7")]
            message, _ = answer(channel, "send", Message(question=[dns.Question(NAME, record_type)]))
            assert [record.data for record in message.answer] == [expected, A("192.0.2.7")]
        # Addresses are found beside it, too.
        found, errorno = answer(channel, "getaddrinfo", NAME, 80, family=2)
        assert errorno is None
        assert [node.addr for node in found.nodes] == [("192.0.2.7", 80)]
        message = dns.resolve(NAME, record_type, servers=[server.address], timeout=10)
        assert [record.data for record in message.answer] == [expected, A("192.0.2.7")]


def test_two_extended_errors_both_come(make_channel):
    errors = ((15, b"\0\x16no reachable authority"), (15, b"\0\x17network error"))
    with FaultServer(records(ADDRESS, options=errors)) as server:
        channel = make_channel(servers=[server.address], timeout=5, tries=1)
        message, _ = answer(channel, "query", NAME, "A")
        (opt,) = (record.data for record in message.additional)
        assert opt.options == errors
        again = Message.parse(message.to_bytes())
        assert again == message


def test_an_error_says_which_record_of_which_server_could_not_be_read(make_channel):
    def respond(query):
        head = query.wire[:2] + struct.pack("!5H", 0x8180, 1, 2, 0, 0)
        record = OWNER + struct.pack("!HHIH", 15, 1, 300, 4)
        query.send(head + query.question + record + b"\0\1\1x" + record)

    with FaultServer(respond) as server:
        channel = make_channel(servers=[server.address], timeout=5, tries=1)
        _, errorno = answer(channel, "query", NAME, "MX")
        assert errorno == dns.ARES_EBADRESP
        expected = f'the answer of {server.address}: answer record 2, MX of "{NAME}": it is cut short'
        assert errorno.reason == expected
        assert dns.strerror(errorno) == f"{dns.strerror(dns.ARES_EBADRESP)}: {expected}"
        assert dns.errorcode[errorno] == "ARES_EBADRESP"
        with pytest.raises(dns.DNSError, match=r'record 2, MX of "www\.fault\.example"'):
            dns.resolve(NAME, "MX", servers=[server.address], timeout=10)


def test_an_error_says_that_a_cookie_was_bad(make_channel):
    def respond(query):
        records(ADDRESS, options=[(COOKIE, b"not what was sent")])(query)

    with FaultServer(respond) as server:
        channel = make_channel(servers=[server.address], timeout=0.2, tries=1)
        _, errorno = answer(channel, "query", NAME, "A")
        assert errorno == dns.ARES_ETIMEOUT
        assert errorno.reason == f"the answer of {server.address}: its cookie is not the one that was sent"


def test_a_code_without_a_reason_is_a_number(make_channel):
    channel = make_channel(servers=["127.0.0.1:1"], lookups="f")
    _, errorno = answer(channel, "getaddrinfo", "nosuch", None)
    assert type(errorno) is int
    copy = dns.ErrorNumber(dns.ARES_EBADRESP, "why")
    assert (copy, copy.reason, repr(copy)) == (dns.ARES_EBADRESP, "why", repr(dns.ARES_EBADRESP))
