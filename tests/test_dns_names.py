"""Names that are asked for: of any bytes, international ones, and those that no server is asked for."""

import json

import faults
import pytest
from faultserver import FaultServer
from pyuv import dns
from pyuv.dns import MX, Message, Question, Record
from pyuv.dns._engine import Bulk

from util import answer, time_limit

INSTANCE = [b"B\xc3\xbcro 2. OG", b"_ipp", b"_tcp", b"fault", b"example"]


def labels(wire):
    """The labels of a message's question."""
    found, at = [], 12
    while wire[at]:
        found.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    return found


@pytest.fixture
def server():
    with FaultServer(faults.answer) as running:
        yield running


def asked(server):
    return [b".".join(labels(query.wire)).decode("latin-1") for query in server.queries]


def test_what_a_record_says_can_be_asked_for(make_channel, server):
    wire = b"".join(bytes([len(label)]) + label for label in INSTANCE) + b"\0"
    head = bytes.fromhex("0007 8400 0001 0000 0000 0000".replace(" ", ""))
    name = Message.parse(head + wire + b"\0\x21\0\x01").question[0].name
    channel = make_channel(servers=[server.address])
    message, errorno = answer(channel, "query", name, "A")
    assert errorno is None
    assert labels(server.queries[0].wire) == INSTANCE
    assert message.question == (Question(name, "A"),)
    assert message.answer[0].name == name


@pytest.mark.parametrize("flags", [0, dns.ARES_FLAG_USEVC])
def test_names_of_any_bytes_are_asked_for_many_at_once(loop, make_channel, server, flags):
    channel = make_channel(servers=[server.address], flags=flags)
    wanted = {rf"\{byte:03}x{byte}.fault.example" for byte in range(256)}
    found = {}
    for name in wanted:
        channel.query(
            name, "A", lambda message, errorno, name=name: found.setdefault(name, errorno or message)
        )
    with time_limit(loop):
        loop.run()
    assert {name: message.question[0] for name, message in found.items()} == {
        name: Question(name, "A") for name in wanted
    }


def test_a_name_of_one_byte_and_the_root(make_channel, server):
    channel = make_channel(servers=[server.address])
    for name, expected in ((r"\000", [b"\0"]), (" ", [b" "]), (".", [])):
        assert answer(channel, "query", name, "NS")[1] in (None, dns.ARES_ENODATA)
        assert labels(server.queries[-1].wire) == expected


def test_resolve_and_bulk_ask_for_the_same(loop, make_channel, server):
    name = r"a b\.c.fault.example"
    message = dns.resolve(name, servers=[server.address], timeout=10)
    assert message.question[0].name == name
    bulk = Bulk(make_channel(servers=[server.address]), "A", concurrency=10, retries=0)
    bulk.push(rb"a\032b\.c.fault.example")
    bulk.end()
    with time_limit(loop):
        loop.run()
    assert json.loads(bulk.take())["status"] == "NOERROR"
    assert [labels(query.wire)[0] for query in server.queries] == [b"a b.c", b"a b.c"]


def test_send_takes_records_of_any_names(make_channel, server):
    channel = make_channel(servers=[server.address])
    options = dns.OPT(1232, 0, 0, [(65001, b"a"), (65001, b"b")])
    update = Message(
        opcode=dns.Opcode.UPDATE,
        question=[Question("fault.example", "SOA")],
        authority=[Record(r"a\@b c.fault.example", MX(1, r"x\;y.example"), 60)],
        additional=[Record("", options)],
    )
    answer(channel, "send", update)
    sent = Message.parse(server.queries[0].wire)
    assert (sent.opcode, sent.question, sent.authority) == (update.opcode, update.question, update.authority)
    # c-ares adds a cookie.
    assert sent.additional[0].data.options[:2] == options.options
    assert [number for number, _ in sent.additional[0].data.options[2:]] == [10]


@pytest.mark.parametrize("name", ["a\tb.example", "a\x7fb.example", "a\nb.example", "\x01"])
def test_control_bytes_are_refused_for_what_they_are(make_channel, name):
    channel = make_channel(servers=["127.0.0.1:1"])
    with pytest.raises(ValueError, match="control byte 0x") as caught:
        channel.query(name, "A", print)
    assert "not ASCII" not in str(caught.value)


INTERNATIONAL = [
    ("stra\u00dfe.fault.example", "xn--strae-oqa.fault.example"),
    ("B\u00dcCHER.fault.example", "xn--bcher-kva.fault.example"),
    ("bu\u0308cher.fault.example", "xn--bcher-kva.fault.example"),
    ("\uff42\uff4f\uff4f\uff4b.fault.example", "book.fault.example"),
    ("b\u00fccher\u3002fault\u3002example", "xn--bcher-kva.fault.example"),
    ("_sip._tcp.b\u00fccher.fault.example", "_sip._tcp.xn--bcher-kva.fault.example"),
]


@pytest.mark.parametrize(("name", "expected"), INTERNATIONAL)
def test_there_is_one_idna(loop, make_channel, server, name, expected):
    channel = make_channel(servers=[server.address], lookups="b")
    answer(channel, "query", name, "A")
    answer(channel, "search", name + ".", "A")
    answer(channel, "gethostbyname", name + ".", 2)
    answer(channel, "getaddrinfo", name + ".", 80, family=2)
    dns.resolve(name, servers=[server.address], timeout=10)
    bulk = Bulk(channel, "A", concurrency=10, retries=0)
    bulk.push(name.encode())
    bulk.end()
    with time_limit(loop):
        loop.run()
    assert asked(server) == [expected] * 6


def test_a_name_without_an_ascii_form_is_refused(loop, make_channel):
    channel = make_channel(servers=["127.0.0.1:1"])
    for ask in (
        lambda name: channel.query(name, "A", print),
        lambda name: channel.getaddrinfo(name, 80, print),
        lambda name: dns.resolve(name, servers=["127.0.0.1:1"]),
        lambda name: dns.getaddrinfo(loop, name, 80),
    ):
        with pytest.raises(ValueError, match="IDNA"):
            ask("\ufffd.example")


@pytest.mark.parametrize("name", ["localhost", "localhost.", "LocalHost", "x.localhost", "a.b.localhost."])
def test_no_server_is_asked_for_localhost(make_channel, server, name):
    options = {"servers": [server.address], "domains": ["fault.example"], "ndots": 3}
    channel = make_channel(lookups="b", **options)
    for method in ("query", "search"):
        message, _ = answer(channel, method, name, "A")
        assert [record.data.addr for record in message.answer] == ["127.0.0.1"]
        message, _ = answer(channel, method, name, "AAAA")
        assert [record.data.addr for record in message.answer] == ["::1"]
        assert answer(channel, method, name, "MX") == (None, dns.ARES_ENODATA)
    found, _ = answer(channel, "getaddrinfo", name, 80, socktype=1)
    assert {node.addr[:2] for node in found.nodes} == {("127.0.0.1", 80), ("::1", 80)}
    assert answer(channel, "gethostbyname", name, 2)[0].addresses == ("127.0.0.1",)
    assert dns.resolve(name, servers=[server.address]).answer[0].data.addr == "127.0.0.1"
    assert server.queries == []


def test_what_only_looks_like_localhost_is_asked_for(make_channel, server):
    channel = make_channel(servers=[server.address])
    answer(channel, "query", "xlocalhost", "A")
    answer(channel, "query", "localhost.fault.example", "A")
    assert asked(server) == ["xlocalhost", "localhost.fault.example"]


def test_a_search_domain_that_makes_the_name_too_long_is_passed_over(make_channel, server):
    name = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 58])
    options = {"servers": [server.address], "ndots": 5, "domains": ["default.svc.cluster.local", "b"]}
    channel = make_channel(lookups="b", **options)
    _, errorno = answer(channel, "search", name, "A")
    assert errorno is None
    _, errorno = answer(channel, "getaddrinfo", name, 80, family=2)
    assert errorno is None
    assert asked(server) == [f"{name}.b"] * 2
    _, errorno = answer(
        make_channel(servers=[server.address], ndots=5, domains=["c" * 20]), "search", name, "A"
    )
    assert (errorno, asked(server)[2:]) == (None, [name])


def test_a_final_dot_makes_no_difference():
    with_dots = Record("example.com.", MX(10, "mail.example.com."), ttl=300)
    without = Record("example.com", MX(10, "mail.example.com"), ttl=300)
    assert with_dots == without
    assert hash(with_dots) == hash(without)
    assert str(with_dots) == "example.com.\t300\tIN\tMX\t10 mail.example.com."
    assert (with_dots.name, str(MX(0, ".")), MX(0, ".")) == ("example.com", "0 .", MX(0, ""))
    with pytest.raises(ValueError, match="empty label"):
        Record("example.com..", MX(10, "x"))


def test_the_case_of_ascii_letters_makes_no_difference():
    assert Question("Example.COM", "A") == Question("example.com", "A")
    assert hash(Question("Example.COM", "A")) == hash(Question("example.com", "A"))
    assert Record("A", MX(1, "B")) == Record("a", MX(1, "b"))
    assert hash(MX(1, "B")) == hash(MX(1, "b"))
    assert Question("Example.COM", "A").name == "Example.COM"
    assert sorted([Question("b", "A"), Question("A", "A")])[0].name == "A"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (r"a;b.x", r"a\;b.x"),
        ('a"b.x', r"a\"b.x"),
        ("a(b)@c.x", r"a\(b\)\@c.x"),
        (r"\097.x", "a.x"),
        (r"\\.test", r"\\.test"),
        ("a b.x", "a b.x"),
    ],
)
def test_each_name_has_one_text(name, text):
    assert Question(name, "A").name == text
    shown = str(Record(name, MX(0, ""))).split("\t")[0]
    assert shown == text.replace(" ", r"\032") + "."
    message = Message(question=[Question(name, "A")])
    assert Message.parse(message.to_bytes()) == message


def test_a_name_may_have_a_long_text():
    name = ".".join([r"\200" * 60] * 4)
    record = Record(name, MX(0, name))
    message = Message(question=[Question(name, "MX")], answer=[record])
    assert Message.parse(message.to_bytes()) == message


@pytest.mark.parametrize(
    "make",
    [
        lambda: Question("a" * 64, "A"),
        lambda: Question("a..b", "A"),
        lambda: Record("b\u00fccher", MX(0, "")),
        lambda: MX(0, "a" * 256),
        lambda: dns.CAA(0, "", "x"),
        lambda: dns.CAA(0, "is-sue", "x"),
        lambda: dns.TXT([]),
        lambda: dns.HINFO("a" * 256, ""),
        lambda: dns.RawData(65280, b"a" * 65536),
        lambda: dns.SVCB(1, "", [(3, b"\0\x50"), (3, b"\0\x51")]),
        lambda: dns.SVCB(1, "", [(4, b"1234"), (3, b"\0\x50")]),
        lambda: dns.HTTPS(1, "", [(3, b"\0")]),
        lambda: dns.HTTPS(1, "", [(2, b"")]),
    ],
)
def test_what_cannot_be_written_cannot_be_made(make):
    with pytest.raises(ValueError):  # noqa: PT011
        make()
