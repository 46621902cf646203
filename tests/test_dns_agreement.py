"""Names and records of any bytes, as text and on the wire: dnspython and knot make of them what pyuv does.

A few hundred are tried; `make test-full` tries ten thousand.
"""

import os
import re

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from nameservers import Knot
from pyuv.dns import (
    AAAA,
    CAA,
    CNAME,
    HINFO,
    HTTPS,
    MX,
    NAPTR,
    NS,
    PTR,
    SOA,
    SRV,
    SVCB,
    TLSA,
    TXT,
    URI,
    A,
    Message,
    Question,
    RawData,
    Record,
)

from util import time_limit

EXAMPLES = int(os.environ.get("PYUV_EXAMPLES", "300"))
PHASES = [phase for phase in Phase if phase is not Phase.explain]
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow]
)
# Ten thousand take minutes on a busy machine.
pytestmark = pytest.mark.timeout(1800)

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
# Any bytes, and often those that text has to escape.
labels = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.lists(st.sampled_from(list(b'.\\"();@$# \t*Aa0_')), min_size=1, max_size=8).map(bytes),
    st.sampled_from([b"a" * 63, b"\xff" * 63, b"_ipp", b"*"]),
)
names = st.lists(labels, max_size=4).filter(lambda found: sum(map(len, found)) + len(found) < 200)
texts = st.binary(max_size=255)
blobs = st.binary(max_size=300)
alpn = st.lists(st.binary(min_size=1, max_size=10), min_size=1, max_size=3).map(
    lambda found: b"".join(bytes([len(each)]) + each for each in found)
)
params = st.fixed_dictionaries(
    {},
    optional={
        1: alpn,
        3: st.binary(min_size=2, max_size=2),
        4: st.binary(min_size=4, max_size=4),
        6: st.binary(min_size=16, max_size=16),
        65280: st.binary(max_size=20),
    },
).map(lambda found: sorted(found.items()))
tags = st.text("abcXYZ019", min_size=1, max_size=15)


def named(found):
    """The text of labels, by dnspython."""
    return dns.name.Name([*found, b""]).to_text()


domain = names.map(named)
data = st.one_of(
    st.builds(A, st.ip_addresses(v=4).map(str)),
    st.builds(AAAA, st.ip_addresses(v=6).map(str)),
    st.builds(CNAME, domain),
    st.builds(PTR, domain),
    st.builds(HINFO, texts, texts),
    st.builds(MX, u16, domain),
    st.builds(TXT, st.lists(texts, min_size=1, max_size=4)),
    st.builds(SRV, u16, u16, u16, domain),
    st.builds(NAPTR, u16, u16, st.text("SAUP", max_size=4), texts, texts, domain),
    st.builds(TLSA, u8, u8, st.sampled_from([0, 3, 255]), blobs),
    st.builds(SVCB, st.integers(1, 65535), domain, params),
    st.builds(HTTPS, st.integers(1, 65535), domain, params),
    st.builds(URI, u16, u16, st.binary(min_size=1, max_size=100)),
    st.builds(CAA, u8, tags, st.binary(max_size=100)),
    st.builds(RawData, st.integers(65290, 65300), blobs),
)
# knot makes a delegation of the one, and wants one of the other.
anything = st.one_of(data, st.builds(NS, domain), st.builds(SOA, domain, domain, u32, u32, u32, u32, u32))


def theirs(record_type, data):
    """dnspython's reading of a record's text."""
    return dns.rdata.from_text("IN", str(record_type), data, relativize=False)


@given(names)
@SETTINGS
def test_a_name_has_one_wire_form(found):
    name = dns.name.Name([*found, b""])
    wire = Message(question=[Question(name.to_text(), "A")]).to_bytes()
    assert wire[12:-4] == name.to_wire()
    (question,) = Message.parse(wire).question
    assert question == Question(name.to_text(omit_final_dot=bool(found)), "A")
    assert dns.name.from_text(question.name or ".") == name


@given(names, anything, st.integers(0, 2**31 - 1))
@SETTINGS
def test_a_record_means_the_same_as_text_and_on_the_wire(found, value, ttl):
    record = Record(named(found), value, ttl)
    # Our text, read by dnspython.
    name, shown_ttl, record_class, record_type, shown = str(record).split("\t", 4)
    assert (int(shown_ttl), record_class, record_type) == (ttl, "IN", str(record.type))
    assert dns.name.from_text(name) == dns.name.Name([*found, b""])
    rdata = theirs(record.type, shown)
    # Our wire, read by dnspython.
    wire = Message(question=[Question(".", "A")], answer=[record]).to_bytes()
    (rrset,) = dns.message.from_wire(wire).answer
    assert (rrset.name, rrset.ttl, rrset.rdtype) == (dns.name.from_text(name), ttl, int(record.type))
    assert rrset[0] == rdata
    # dnspython's wire, read by us: it has compressed more.
    message = dns.message.make_response(dns.message.make_query(".", "A"))
    message.answer.append(rrset)
    (again,) = Message.parse(message.to_wire()).answer
    assert again == record
    # A name that another is a part of is written once, in the letters of the first.
    assert str(again.data).lower() == shown.lower()


@pytest.fixture(scope="module")
def zone():
    """Records that hypothesis made, each with a name of its own."""
    records = []

    @given(names, data)
    @settings(SETTINGS, phases=[Phase.generate], database=None)
    def collect(found, value):
        name = named([b"n%d" % len(records), *found, b"agreement", b"example"])
        record = Record(name, value, 300)
        # knot 3.2 takes a protocol of one letter before a comma for an empty one.
        assume(not re.search(r" alpn=(\S+,)?[^\s,],", str(record)))
        records.append(record)

    collect()
    return records


@pytest.fixture(scope="module")
def server(zone, tmp_path_factory):
    """knot with these records, as their text says them."""
    path = tmp_path_factory.mktemp("agreement") / "zone"
    soa = Record("agreement.example", SOA("ns.example", "x.example", 1, 60, 60, 60, 60), 300)
    apex = Record("agreement.example", NS("ns.example"), 300)
    path.write_text("".join(f"{record}\n" for record in [soa, apex, *zone]), "ascii")
    with Knot({"agreement.example": path}) as running:
        yield running


def test_knot_serves_what_its_zone_file_says(loop, make_channel, zone, server):
    channel = make_channel(servers=[server.address])
    found = {}

    def answered(record):
        return lambda message, errorno: found.__setitem__(record, errorno or message)

    for record in zone:
        channel.query(record.name, record.type, answered(record))
    with time_limit(loop, 600):
        loop.run()
    assert len(found) == len(zone) > EXAMPLES // 2
    for record, message in found.items():
        assert isinstance(message, Message), (str(record), message)
        assert record in message.answer, str(record)
        (rdata,) = dns.message.from_wire(
            Message(question=message.question, answer=[record]).to_bytes()
        ).answer
        assert rdata[0] == theirs(record.type, str(record.data))
