"""Every record that knot serves, as the channel shows it and as dnspython does."""

import re

import dns.message
import dns.query
import dns.rdatatype
import dns.zone
import pytest
import pyuv
from dnsserver import ZONES
from pyuv import dns as pyuv_dns

from util import Recorder, time_limit

# What c-ares asks for; names with other bytes are for the tests of messages.
ASKABLE = set("abcdefghijklmnopqrstuvwxyz0123456789-_.*/")


def questions():
    """Name and type of every record set of the zones that c-ares asks for, of host0 and its like one."""
    for path in ZONES:
        zone = dns.zone.from_file(str(path), relativize=False)
        for name, rdataset in zone.iterate_rdatasets():
            text = name.to_text(omit_final_dot=True)
            if set(text) <= ASKABLE and not re.match(r"host[1-9]", text):
                yield text, dns.rdatatype.to_text(rdataset.rdtype)


def ask(loop, server, name, rdtype, **options):
    channel = pyuv_dns.Channel(loop, servers=[server.address], **options)
    recorder = Recorder()
    channel.query(name, rdtype, recorder)
    with time_limit(loop):
        loop.run()
    channel.close()
    assert len(recorder) == 1
    return recorder.calls[0]


def reference(server, name, rdtype):
    """dnspython's answer to the question that c-ares asks."""
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    message, _ = dns.query.udp_with_fallback(query, server.host, port=server.port, timeout=10)
    return message


def ours(records):
    """Records as (name, type, ttl, data in wire form): dnspython's terms."""
    message = pyuv_dns.Message(answer=records, question=[pyuv_dns.Question("q", "A")])
    return theirs(dns.message.from_wire(message.to_bytes()).answer)


def theirs(rrsets):
    return sorted(
        (rrset.name.to_text().lower(), rrset.rdtype, rrset.ttl, rdata.to_wire())
        for rrset in rrsets
        for rdata in rrset
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=" ".join(case)) for case in sorted(set(questions()))])
def test_what_dnspython_reads_is_what_the_channel_gives(loop, knot, case):
    name, rdtype = case
    message, errorno = ask(loop, knot, name, rdtype)
    expected = reference(knot, name, rdtype)
    assert errorno is None
    assert message.rcode == expected.rcode()
    assert message.flags & pyuv_dns.Flags.AA
    assert theirs(expected.answer) == ours(message.answer)
    assert theirs(expected.authority) == ours(message.authority)
    additional = [record for record in message.additional if record.type != pyuv_dns.RecordType.OPT]
    assert theirs(expected.additional) == ours(additional)


def test_every_typed_record_that_a_zone_can_hold_is_among_them():
    typed = {name for name in dir(pyuv_dns) if name in pyuv_dns.RecordType.__members__}
    assert "NAPTR" in typed
    # OPT belongs to messages; SIG (not RRSIG) is older than what knot loads.
    assert typed - {rdtype for _, rdtype in questions()} == {"OPT", "SIG"}


@pytest.mark.parametrize(
    ("name", "rdtype", "code"),
    [
        ("no-such-name.example.com", "A", pyuv_dns.ARES_ENOTFOUND),
        ("dangling.example.com", "A", pyuv_dns.ARES_ENOTFOUND),
        ("www.example.com", "MX", pyuv_dns.ARES_ENODATA),
        ("deep.empty.example.com", "TXT", pyuv_dns.ARES_ENODATA),
        ("www.example.org", "A", pyuv_dns.ARES_EREFUSED),
    ],
)
def test_what_an_authority_has_no_answer_to(loop, knot, name, rdtype, code):
    assert ask(loop, knot, name, rdtype) == (None, code)


def test_an_answer_of_two_hundred_addresses_comes_over_tcp(loop, knot):
    message, errorno = ask(loop, knot, "many.example.com", "A")
    assert errorno is None
    assert {record.data.addr for record in message.answer} == {f"198.51.100.{n}" for n in range(1, 201)}
    assert not message.flags & pyuv_dns.Flags.TC


def test_two_thousand_names_at_once(loop, knot):
    channel = pyuv_dns.Channel(loop, servers=[knot.address])
    recorder = Recorder()
    for number in range(2000):
        channel.query(f"host{number % 256}.example.com", "A", recorder)
    with time_limit(loop):
        loop.run()
    addresses = sorted(message.answer[0].data.addr for message, _ in recorder.calls)
    assert addresses == sorted(f"203.0.113.{number % 256}" for number in range(2000))
    assert loop.run(pyuv.UV_RUN_NOWAIT) is False
