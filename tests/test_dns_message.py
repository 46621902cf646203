"""`pyuv.dns.Message` and the classes in it: parsing, values, and what immutable objects owe."""

import copy
import ipaddress
import pathlib
import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyuv import dns
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
    SIG,
    SOA,
    SRV,
    SVCB,
    TLSA,
    TXT,
    URI,
    A,
    DNSError,
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

MESSAGES = pathlib.Path(__file__).parents[1] / "fixtures" / "messages"
TITLES = sorted(path.stem for path in MESSAGES.glob("*.hex"))
DIGEST = bytes.fromhex("0123456789abcdef" * 4)
SOA_DATA = SOA(
    mname="ns1.example.com",
    rname=r"hostmaster\.dns.example.com",
    serial=2024010101,
    refresh=7200,
    retry=3600,
    expire=1209600,
    minimum=60,
)

ANSWERS = {
    "a": [("www.example.com", A(addr="192.0.2.10"))],
    "a-two": [("two.example.com", A("192.0.2.21")), ("two.example.com", A("192.0.2.22"))],
    "aaaa": [("www.example.com", AAAA(addr="2001:db8::10"))],
    "aaaa-mapped": [("mapped.example.com", AAAA("::ffff:192.0.2.9"))],
    "binary-name": [("odd.example.com", CNAME(r"\(odd\) \000\255.names.example.com"))],
    "caa": [("example.com", CAA(critical=0, tag="issue", value="ca.example.net"))],
    "chain": [
        ("chain1.example.com", CNAME("chain2.example.com")),
        ("chain2.example.com", CNAME("chain3.example.com")),
        ("chain3.example.com", CNAME("www.example.com")),
        ("www.example.com", A("192.0.2.10")),
    ],
    "cname": [("alias.example.com", CNAME(cname="www.example.com"))],
    "hinfo": [("example.com", HINFO(cpu="PDP-11", os="UNIX"))],
    "https": [
        (
            "example.com",
            HTTPS(priority=1, target="", params=[(1, b"\x02h2\x02h3"), (4, b"\xc0\x00\x02\x01")]),
        )
    ],
    "mx": [
        ("example.com", MX(priority=10, exchange="mail.example.com")),
        ("example.com", MX(priority=20, exchange="backup.mail.example.com")),
    ],
    "naptr": [
        (
            "tel.example.com",
            NAPTR(
                order=100,
                preference=10,
                flags="U",
                service="E2U+sip",
                regexp="!^.*$!sip:info@example.com!",
                replacement="",
            ),
        )
    ],
    "nodata": [],
    "ns": [
        ("example.com", NS(nsdname="ns1.example.com")),
        ("example.com", NS(nsdname="ns2.example.com")),
    ],
    "nxdomain": [],
    "ptr": [("10.2.0.192.in-addr.arpa", PTR(dname="www.example.com"))],
    "soa": [("example.com", SOA_DATA)],
    "srv": [
        ("_sip._tcp.example.com", SRV(priority=10, weight=40, port=5060, target="sip2.example.com")),
        ("_sip._tcp.example.com", SRV(priority=10, weight=60, port=5060, target="sip1.example.com")),
        ("_sip._tcp.example.com", SRV(priority=20, weight=0, port=5061, target="")),
    ],
    "sshfp": [("ssh.example.com", RawData(type="SSHFP", data=b"\x01\x02" + DIGEST))],
    "svcb": [
        (
            "svc.example.com",
            SVCB(priority=1, target="www.example.com", params=[(1, b"\x03dot"), (3, b"\x03U")]),
        )
    ],
    "tlsa": [
        (
            "_443._tcp.www.example.com",
            TLSA(cert_usage=3, selector=1, matching_type=1, cert_association_data=DIGEST),
        )
    ],
    "txt": [("example.com", TXT(data=b"v=spf1 mx -all"))],
    "txt-binary": [("binary.txt.example.com", TXT(b'\x00\x01\xc8\xff "quoted" back\\slash'))],
    "txt-several": [("several.txt.example.com", TXT([b"one", b"", b"three"]))],
    "unknown-type": [("unknown.example.com", RawData(65280, b"\x00\x01\xfe\xff"))],
    "uri": [("_http._tcp.example.com", URI(priority=10, weight=1, target="https://www.example.com/"))],
}

OBJECTS = [
    *(data for answer in ANSWERS.values() for _, data in answer),
    OPT(udp_size=1232, version=0, flags=0x8000, options=[(3, b"ns1"), (65001, b"")]),
    SIG(1, 8, 2, 300, 2, 1, 4711, "example.com", b"signed"),
    CAA(128, "issue", b"\xff\xfe"),
    Question("example.com", "MX"),
    Question(name="example.com", type=1234, record_class="CHAOS"),
    Record("example.com", A("192.0.2.1"), ttl=60),
    Record(name="", data=OPT(512, 0, 0, []), ttl=0, record_class=RecordClass.IN),
    Message(),
    Message(7, Flags.QR, Opcode.NOTIFY, Rcode.REFUSED, [Question("x", "A")], [Record("x", A("192.0.2.1"))]),
]


def wire(title):
    lines = (MESSAGES / f"{title}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith(";")))


@pytest.mark.parametrize("title", ANSWERS)
def test_every_field_of_a_recorded_answer(title):
    message = Message.parse(wire(title))
    records = sorted((record.name, record.data) for record in message.answer)
    assert records == sorted(ANSWERS[title])
    assert all(record.ttl == 300 for record in message.answer)
    assert all(record.record_class == RecordClass.IN for record in message.answer)
    assert message.flags == Flags.QR | Flags.AA | Flags.RD
    assert message.opcode == Opcode.QUERY
    assert len(message.question) == 1
    if title in ("nodata", "nxdomain"):
        assert message.rcode == (Rcode.NOERROR if title == "nodata" else Rcode.NXDOMAIN)
        assert message.authority == (Record("example.com", SOA_DATA, 300),)
    else:
        assert message.rcode == Rcode.NOERROR
        assert message.authority == ()
        assert message.question[0].name == ANSWERS[title][0][0]
    assert message.additional == (Record("", OPT(1232, 0, 0, ())),)


def test_a_query_and_its_options():
    message = Message.parse(wire("opt-query"))
    assert message.id == 101
    assert message.flags == Flags.RD
    assert message.question == (Question("www.example.com", "A"),)
    options = ((3, b"ns1"), (65001, b"\x00\xff"))
    assert [record.data for record in message.additional] == [OPT(1232, 0, 0x8000, options)]


def test_a_truncated_answer_says_so():
    message = Message.parse(wire("truncated"))
    assert Flags.TC in message.flags
    assert message.answer == ()


def test_an_answer_of_many_records():
    message = Message.parse(wire("a-many"))
    addresses = {record.data.addr for record in message.answer}
    assert addresses == {f"198.51.100.{number}" for number in range(1, 201)}


def test_the_longest_ttl():
    assert Message.parse(wire("ttl-max")).answer[0].ttl == 2**31 - 1


def test_an_rcode_of_twelve_bits():
    assert Message.parse(wire("badcookie")).rcode == Rcode.BADCOOKIE == 23


def test_an_answer_to_any_has_records_of_every_type():
    types = {record.type for record in Message.parse(wire("any")).answer}
    assert types == {
        RecordType.SOA,
        RecordType.NS,
        RecordType.A,
        RecordType.AAAA,
        RecordType.MX,
        RecordType.TXT,
        RecordType.HINFO,
        RecordType.CAA,
        RecordType.HTTPS,
    }


@pytest.mark.parametrize("title", TITLES)
def test_a_message_comes_back_from_the_wire_as_it_was(title):
    message = Message.parse(wire(title))
    assert Message.parse(message.to_bytes()) == message


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_parse_takes_any_bytes_like_object(kind):
    assert Message.parse(kind(wire("a"))) == Message.parse(wire("a"))


@pytest.mark.parametrize("wrong", [None, 3, "text", [1, 2]])
def test_parse_takes_nothing_else(wrong):
    with pytest.raises(TypeError):
        Message.parse(wrong)


@pytest.mark.parametrize("title", TITLES)
def test_a_message_cut_short_is_an_error_that_says_what_it_is(title):
    whole = wire(title)
    for length in (0, 5, 12, len(whole) // 2, len(whole) - 1):
        with pytest.raises(DNSError, match=f"{length} bytes are not a DNS message") as caught:
            Message.parse(whole[:length])
        assert dns.errorcode[caught.value.args[0]].startswith("ARES_E")


def test_a_compression_loop_is_an_error():
    header = wire("query")[:12]
    with pytest.raises(DNSError):
        Message.parse(header + b"\xc0\x0c\x00\x01\x00\x01")


@given(st.binary(max_size=600))
@example(b"\x00" * 12)
def test_random_bytes_parse_or_raise_dns_error(data):
    try:
        message = Message.parse(data)
    except DNSError as error:
        assert error.args[0] in dns.errorcode  # noqa: PT017
    else:
        assert eval(repr(message)) == message


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(TITLES), st.data())
def test_a_message_with_changed_bytes_parses_or_raises_dns_error(title, data):
    changed = bytearray(wire(title))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(changed) - 1))
        changed[position] = data.draw(st.integers(0, 255))
    try:
        message = Message.parse(changed)
    except DNSError as error:
        assert error.args[0] in dns.errorcode  # noqa: PT017
    else:
        assert eval(repr(message)) == message
        assert pickle.loads(pickle.dumps(message)) == message


def test_sections_and_data_are_made_once():
    message = Message.parse(wire("mx"))
    assert message.answer is message.answer
    assert message.answer[0].data is message.answer[0].data
    assert message.question is message.question


def test_a_record_outlives_its_message():
    record = Message.parse(wire("mx")).answer[0]
    assert record.data.exchange.endswith("mail.example.com")


@pytest.mark.parametrize("value", OBJECTS, ids=repr)
def test_objects_are_values(value):
    for twin in (
        eval(repr(value)),
        pickle.loads(pickle.dumps(value)),
        copy.copy(value),
        copy.deepcopy(value),
        type(value)(*value.__reduce__()[1]),
    ):
        assert type(twin) is type(value)
        assert twin == value
        assert (twin != value) is False
        assert hash(twin) == hash(value)
        assert repr(twin) == repr(value)
    assert value != "another type"
    assert type(value).__module__ == "pyuv.dns"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(protocol):
    message = Message.parse(wire("any"))
    assert pickle.loads(pickle.dumps(message, protocol)) == message


@pytest.mark.parametrize("value", OBJECTS, ids=repr)
def test_objects_are_immutable(value):
    for name in value.__match_args__:
        with pytest.raises(AttributeError):
            setattr(value, name, getattr(value, name))
        with pytest.raises(AttributeError):
            delattr(value, name)
    with pytest.raises(AttributeError):
        value.another = 1


@pytest.mark.parametrize("value", OBJECTS, ids=repr)
def test_objects_are_made_by_keyword(value):
    arguments = dict(zip(value.__match_args__, value.__reduce__()[1], strict=True))
    assert type(value)(**arguments) == value
    with pytest.raises(TypeError):
        type(value)(**arguments, another=1)


def test_different_values_are_different():
    assert A("192.0.2.1") != A("192.0.2.2")
    assert PTR("example.com") != NS("example.com")
    assert PTR("example.com") != CNAME("example.com")
    assert Question("x", "A") != Question("x", "AAAA")
    assert Record("x", A("192.0.2.1"), 1) != Record("x", A("192.0.2.1"), 2)
    assert Message(id=1) != Message(id=2)
    assert TXT([b"ab"]) != TXT([b"a", b"b"])
    assert len({A("192.0.2.1"), A("192.0.2.1"), A("192.0.2.2")}) == 2


def test_data_is_ordered_by_its_fields():
    servers = [MX(20, "a"), MX(10, "b"), MX(10, "a")]
    assert sorted(servers) == [MX(10, "a"), MX(10, "b"), MX(20, "a")]
    with pytest.raises(TypeError):
        _ = MX(10, "a") < A("192.0.2.1")


def test_records_match_patterns():
    match Message.parse(wire("mx")).answer[0]:
        case Record(name, MX(priority, exchange), ttl):
            assert (name, ttl) == ("example.com", 300)
            assert exchange in ("mail.example.com", "backup.mail.example.com")
            assert priority in (10, 20)
        case other:
            pytest.fail(f"{other!r} matched nothing")


def test_txt_shows_its_strings_joined_and_one_by_one():
    text = TXT([b"one", b"", b"three"])
    assert text.data == b"onethree"
    assert text.strings == (b"one", b"", b"three")
    assert TXT(b"").strings == (b"",)
    assert TXT(b"x" * 600).strings == (b"x" * 255, b"x" * 255, b"x" * 90)
    assert Message.parse(wire("txt-long")).answer[0].data.data.count(b"c") == 100


def test_caa_value_that_is_no_text_survives():
    value = CAA(0, "issue", b"\xff").value
    assert value.encode("utf-8", "surrogateescape") == b"\xff"
    assert CAA(0, "issue", value) == CAA(0, "issue", b"\xff")


@pytest.mark.parametrize("octet", [0, 1, 9, 10, 11, 99, 100, 101, 109, 110, 199, 200, 255])
def test_an_address_is_shown_as_ipaddress_shows_it(octet):
    for address in (f"{octet}.0.0.1", f"10.{octet}.{octet}.{octet}", f"255.255.255.{octet}"):
        assert A(address).addr == str(ipaddress.ip_address(address))


def test_addresses_of_ipaddress_are_taken():
    assert A(ipaddress.ip_address("192.0.2.1")) == A("192.0.2.1")
    assert AAAA(ipaddress.ip_address("2001:db8:0:0::1")).addr == "2001:db8::1"


@pytest.mark.parametrize(
    ("make", "exception", "named"),
    [
        (lambda: A("192.0.2"), ValueError, "'192.0.2'"),
        (lambda: A("::1"), ValueError, "'::1'"),
        (lambda: AAAA("192.0.2.1"), ValueError, "'192.0.2.1'"),
        (lambda: MX(65536, "x"), ValueError, "65536"),
        (lambda: MX(-1, "x"), ValueError, "-1"),
        (lambda: MX("10", "x"), TypeError, "str"),
        (lambda: MX(10, b"x"), TypeError, "bytes"),
        (lambda: TLSA(256, 0, 0, b""), ValueError, "256"),
        (lambda: TLSA(0, 0, 0, "text"), TypeError, "str"),
        (lambda: TXT("text"), TypeError, "str"),
        (lambda: TXT([b"x" * 256]), ValueError, "256"),
        (lambda: HTTPS(1, "", [(1,)]), TypeError, "tuple"),
        (lambda: HTTPS(1, "", [(70000, b"")]), ValueError, "70000"),
        (lambda: RawData("BOGUS", b""), ValueError, "BOGUS"),
        (lambda: Question("x", "BOGUS"), ValueError, "BOGUS"),
        (lambda: Question("x", 65536), ValueError, "65536"),
        (lambda: Question("x", 1 << 200), ValueError, str(1 << 200)),
        (lambda: Question("x", None), TypeError, "NoneType"),
        (lambda: Question("x", "A", "BOGUS"), ValueError, "BOGUS"),
        (lambda: Record("x", "192.0.2.1"), TypeError, "str"),
        (lambda: Record("x", A("192.0.2.1"), -1), ValueError, "-1"),
        (lambda: Record("x", A("192.0.2.1"), 2**32), ValueError, str(2**32)),
        (lambda: Message(id=65536), ValueError, "65536"),
        (lambda: Message(answer=[Question("x", "A")]), TypeError, "Question"),
        (lambda: Message(answer=3), TypeError, "int"),
        (lambda: dns.strerror(999), ValueError, "999"),
    ],
)
def test_a_wrong_value_is_named(make, exception, named):
    with pytest.raises(exception) as caught:
        make()
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("a" * 64 + ".com", "label"), ("a..b", "empty label"), ("a\0b", "NUL"), ("ü.com", "IDNA")],
)
def test_a_name_that_cannot_be_written_is_named(name, rule):
    for make in (
        lambda: Question(name, "A"),
        lambda: Record(name, A("192.0.2.1")),
        lambda: CNAME(name),
    ):
        with pytest.raises(ValueError, match=rule) as caught:
            make()
        assert name[:1] in str(caught.value)


def test_numbers_read_well_and_stay_numbers():
    record = Message.parse(wire("mx")).answer[0]
    assert record.type == RecordType.MX == 15
    assert record.type is RecordType.MX
    assert f"{record.type} {record.record_class}" == "MX IN"
    assert f"{record.type:>4} {record.type:03d}" == "  MX 015"
    assert repr(record.type) == "RecordType.MX"
    assert {15: "found"}[record.type] == "found"


def test_numbers_without_a_name():
    unknown = Message.parse(wire("unknown-type")).answer[0].type
    assert unknown == 65280
    assert str(unknown) == "TYPE65280"
    assert repr(unknown) == "RecordType(65280)"
    assert RecordType(65280) is unknown
    assert RecordType("type65280") is unknown
    assert pickle.loads(pickle.dumps(unknown)) is unknown
    assert len(RecordType) == len(RecordType.__members__)


@pytest.mark.parametrize("wrong", [-1, 65536, "BOGUS", "TYPE", "TYPE65536", "TYPE-1", None, 1.5])
def test_no_record_type(wrong):
    with pytest.raises(ValueError, match="RecordType"):
        RecordType(wrong)


def test_flags_read_well():
    assert repr(Flags.QR | Flags.TC) == "Flags.QR|Flags.TC"
    assert repr(Flags(0)) == "Flags(0)"
    assert eval(repr(Flags.QR | Flags(0x40))) == 0x8040


def test_status_codes_have_names_and_messages():
    assert dns.ARES_SUCCESS == 0
    assert dns.errorcode[dns.ARES_ENOTFOUND] == "ARES_ENOTFOUND"
    assert dns.strerror(dns.ARES_ENOTFOUND) == "Domain name not found"
    assert all(getattr(dns, name) == code for code, name in dns.errorcode.items())
    assert all(dns.strerror(code) for code in dns.errorcode)
