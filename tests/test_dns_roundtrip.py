"""Messages built and read by pyuv and by dnspython: what one writes the other reads."""

import ipaddress

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyuv.dns import (
    AAAA,
    CAA,
    CNAME,
    HINFO,
    HTTPS,
    MX,
    NAPTR,
    NS,
    OPT,
    PTR,
    SOA,
    SRV,
    SVCB,
    TLSA,
    TXT,
    URI,
    A,
    Flags,
    Message,
    Opcode,
    Question,
    RawData,
    Rcode,
    Record,
    RecordClass,
    RecordType,
)

# Without the phase that explains failures: it traces every line, and takes minutes.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
SETTINGS = settings(max_examples=100, deadline=None, phases=PHASES)

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12)
names = st.lists(labels, min_size=1, max_size=6).map(".".join)
# Character strings and names of records hold any byte; what is text in Python is kept to ASCII.
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'), max_size=30)
blobs = st.binary(min_size=1, max_size=300)
strings = st.lists(st.binary(max_size=255), min_size=1, max_size=4)
ip4 = st.ip_addresses(v=4).map(str)
ip6 = st.ip_addresses(v=6).map(str)
# Alphabetic protocols of SVCB's own have rules that dnspython checks; private ones are opaque.
params = st.dictionaries(st.integers(65280, 65534), st.binary(max_size=40), max_size=4).map(
    lambda found: sorted(found.items())
)
# Numbers that dnspython and c-ares know no layout for.
unknown = st.integers(65280, 65534)

data = st.one_of(
    st.builds(A, ip4),
    st.builds(AAAA, ip6),
    st.builds(NS, names),
    st.builds(CNAME, names),
    st.builds(PTR, names),
    st.builds(SOA, names, names, u32, u32, u32, u32, u32),
    st.builds(HINFO, texts, texts),
    st.builds(MX, u16, names),
    st.builds(TXT, strings),
    st.builds(SRV, u16, u16, u16, names),
    st.builds(NAPTR, u16, u16, st.text("SAUP", max_size=4), texts, texts, names),
    st.builds(TLSA, u8, u8, st.sampled_from([0, 3, 255]), blobs),
    st.builds(SVCB, st.integers(1, 65535), names, params),
    st.builds(HTTPS, st.integers(1, 65535), names, params),
    st.builds(URI, u16, u16, texts.filter(bool)),
    st.builds(CAA, u8, st.text("abcdefghijklmnop0123456789", min_size=1, max_size=15), texts.filter(bool)),
    st.builds(RawData, unknown, blobs),
)
ttls = st.integers(0, 2**31 - 1)
records = st.builds(Record, names, data, ttls)
sections = st.lists(records, max_size=5)
flags = st.sets(st.sampled_from(list(Flags))).map(lambda found: Flags(sum(found)))
messages = st.builds(
    Message,
    u16,
    flags,
    st.sampled_from([Opcode.QUERY, Opcode.STATUS, Opcode.NOTIFY]),
    st.sampled_from([Rcode.NOERROR, Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NXDOMAIN, Rcode.REFUSED]),
    st.builds(
        Question,
        names,
        st.sampled_from([RecordType.A, RecordType.MX, RecordType.HTTPS, RecordType.ANY, 65300]),
        st.sampled_from([RecordClass.IN, RecordClass.CHAOS, RecordClass.HS, RecordClass.ANY]),
    ).map(lambda question: [question]),
    sections,
    sections,
    sections,
)


def described(message):
    """A message of pyuv's as plain values that `described_by_dnspython` gives too."""
    question = message.question[0]
    return (
        message.id,
        int(message.flags),
        int(message.opcode),
        int(message.rcode),
        (question.name, int(question.type), int(question.record_class)),
        [
            sorted((record.name, int(record.type), record.ttl, rdata(record.data)) for record in section)
            for section in (message.answer, message.authority, message.additional)
        ],
    )


def rdata(value):
    """The data of a record as bytes: its fields in the order in which the wire has them."""
    wire = Message(question=[Question("x", "A")], answer=[Record("y", value)]).to_bytes()
    (found,) = read(wire).answer
    return found[0].to_wire(origin=None)


def read(wire):
    return dns.message.from_wire(wire, one_rr_per_rrset=True)


def described_by_dnspython(message):
    (question,) = message.question
    return (
        message.id,
        message.flags & 0x87F0,
        int(message.opcode()),
        int(message.rcode()),
        (name(question.name), int(question.rdtype), int(question.rdclass)),
        [
            sorted(
                (name(each.name), int(each.rdtype), each.ttl, each[0].to_wire(origin=None))
                for each in section
            )
            for section in (message.answer, message.authority, message.additional)
        ],
    )


def name(value):
    return value.to_text(omit_final_dot=True)


@given(messages)
@SETTINGS
def test_what_pyuv_writes_dnspython_reads(message):
    assert described_by_dnspython(read(message.to_bytes())) == described(message)


@given(messages)
@SETTINGS
def test_what_dnspython_writes_pyuv_reads(message):
    """dnspython reads what pyuv wrote and writes it again, with its own compression."""
    again = Message.parse(read(message.to_bytes()).to_wire())
    assert described(again) == described(message)


@given(messages)
@SETTINGS
def test_a_message_comes_back_as_it_was(message):
    wire = message.to_bytes()
    assert Message.parse(wire) == message
    assert Message.parse(wire).to_bytes() == wire
    assert eval(repr(message), CONSTRUCTORS) == message


CONSTRUCTORS = {
    each.__name__: each
    for each in (
        *(A, AAAA, CAA, CNAME, HINFO, HTTPS, MX, NAPTR, NS, OPT, PTR, SOA, SRV, SVCB, TLSA, TXT, URI),
        *(RawData, Record, Question, Message, Flags, Opcode, Rcode, RecordClass, RecordType),
    )
}


OPTIONS = st.dictionaries(st.integers(65001, 65534), blobs, max_size=4).map(lambda found: [*found.items()])


@given(
    st.builds(
        OPT,
        st.integers(512, 65535),
        u8,
        u16,
        OPTIONS,
    )
)
@SETTINGS
def test_edns_is_read_by_dnspython(opt):
    message = Message(question=[Question("x", "A")], additional=[Record("", opt)])
    parsed = dns.message.from_wire(message.to_bytes())
    assert (parsed.payload, parsed.edns, parsed.ednsflags & 0xFFFF) == (opt.udp_size, opt.version, opt.flags)
    assert [(int(option.otype), option.to_wire()) for option in parsed.options] == list(opt.options)
    assert Message.parse(parsed.to_wire()) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.example. 60 IN A 192.0.2.1", A("192.0.2.1")),
        ("a.example. 60 IN AAAA 2001:db8::1", AAAA("2001:db8::1")),
        ("a.example. 60 IN MX 10 mail.example.", MX(10, "mail.example")),
        (r"a.example. 60 IN CNAME b\.c.example.", CNAME(r"b\.c.example")),
        ('a.example. 60 IN TXT "one" "" "t\\000\\255"', TXT([b"one", b"", b"t\0\xff"])),
        ('a.example. 60 IN CAA 128 issue "ca.example"', CAA(128, "issue", "ca.example")),
        ("a.example. 60 IN SRV 1 2 3 .", SRV(1, 2, 3, "")),
        ('a.example. 60 IN NAPTR 1 2 "U" "E2U" "!x!y!" .', NAPTR(1, 2, "U", "E2U", "!x!y!", "")),
        ('a.example. 60 IN URI 1 2 "https://x/"', URI(1, 2, "https://x/")),
        ("a.example. 60 IN HTTPS 1 . alpn=h2", HTTPS(1, "", [(1, b"\x02h2")])),
        ("a.example. 60 IN TLSA 3 1 0 0aff", TLSA(3, 1, 0, b"\x0a\xff")),
        ("a.example. 60 IN TYPE65280 \\# 2 0aff", RawData(65280, b"\x0a\xff")),
        ("a.example. 60 IN SSHFP 1 9 0aff", RawData("SSHFP", b"\x01\x09\x0a\xff")),
        ("a.example. 60 IN KEY 1 3 5 Cv8=", RawData("KEY", b"\x00\x01\x03\x05\x0a\xff")),
    ],
)
def test_a_zone_files_line_is_the_record(text, expected):
    owner, ttl, record_class, rtype, fields = text.split(" ", 4)
    query = dns.message.make_query(owner, rtype)
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(owner, ttl, record_class, rtype, fields))
    message = Message.parse(response.to_wire())
    assert message.answer == (Record("a.example", expected, 60),)
    assert dns.message.from_wire(message.to_bytes()).answer == response.answer


def test_ipaddress_objects_make_the_same_records():
    assert A(ipaddress.ip_address("192.0.2.1")) == A("192.0.2.1")
    assert AAAA(ipaddress.ip_address("2001:db8::1")) == AAAA("2001:db8::1")


@pytest.mark.parametrize(
    "value", [RawData(65280, b""), CAA(0, "issue", ""), TLSA(0, 0, 0, b""), URI(0, 0, "")]
)
def test_a_record_without_data_comes_back(value):
    message = Message(question=[Question("x", "A")], answer=[Record("x", value)])
    assert Message.parse(message.to_bytes()) == message


def test_an_option_may_stand_twice_and_a_parameter_not():
    opt = OPT(512, 0, 0, [(65001, b"a"), (65001, b"b")])
    message = Message(question=[Question("x", "A")], additional=[Record("", opt)])
    assert Message.parse(message.to_bytes()) == message
    with pytest.raises(ValueError, match="parameter 65280 comes after 65280"):
        SVCB(1, "", [(65280, b""), (65280, b"")])
