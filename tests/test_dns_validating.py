"""What the channel shows of a resolver that validates: the flag AD, signatures, and what is bogus."""

import pytest
from pyuv import dns

from util import Recorder, time_limit

DNSSEC_OK = 0x8000


@pytest.fixture
def send(loop, unbound):
    """Sends a message with these flags to the resolver: what the callback gets."""

    def send(name, rdtype, flags=dns.Flags.RD, *, edns=0):
        channel = dns.Channel(loop, servers=[unbound.address])
        recorder = Recorder()
        opt = dns.Record("", dns.OPT(1232, 0, edns, []))
        question = dns.Question(name, rdtype)
        channel.send(dns.Message(flags=flags, question=[question], additional=[opt]), recorder)
        with time_limit(loop):
            loop.run()
        channel.close()
        (call,) = recorder.calls
        return call

    return send


def types(message):
    return sorted(str(record.type) for record in message.answer)


def test_a_validated_answer_has_the_flag_ad_for_who_asks(send):
    message, errorno = send("www.signed.example", "A", dns.Flags.RD | dns.Flags.AD)
    assert errorno is None
    assert message.flags & dns.Flags.AD
    assert message.flags & dns.Flags.RA
    assert types(message) == ["A"]
    message, _ = send("www.signed.example", "A")
    assert not message.flags & dns.Flags.AD


def test_signatures_come_as_raw_records_for_who_wants_them(send):
    message, errorno = send("www.signed.example", "A", edns=DNSSEC_OK)
    assert errorno is None
    assert message.flags & dns.Flags.AD
    assert types(message) == ["A", "RRSIG"]
    signature = next(record for record in message.answer if str(record.type) == "RRSIG")
    assert isinstance(signature.data, dns.RawData)
    # The type covered, A, and the algorithm, ECDSAP256SHA256.
    assert signature.data.data[:3] == b"\x00\x01\x0d"


def test_an_alias_and_a_wildcard_validate(send):
    for name in ("alias.signed.example", "any.wild.signed.example"):
        message, errorno = send(name, "A", dns.Flags.RD | dns.Flags.AD)
        assert errorno is None
        assert message.flags & dns.Flags.AD


def test_a_name_that_does_not_exist_is_validated_too(send):
    message, errorno = send("no-such.signed.example", "A", dns.Flags.RD | dns.Flags.AD)
    assert errorno is None
    assert message.rcode == dns.Rcode.NXDOMAIN
    assert message.flags & dns.Flags.AD


def test_an_unsigned_zone_is_not_validated(send):
    message, errorno = send("www.example.com", "A", dns.Flags.RD | dns.Flags.AD)
    assert errorno is None
    assert not message.flags & dns.Flags.AD
    assert [record.data.addr for record in message.answer] == ["192.0.2.10"]


def test_what_is_bogus_is_servfail(send):
    assert send("www.bogus.example", "A") == (None, dns.ARES_ESERVFAIL)


def test_why_it_is_bogus_is_in_the_options(loop, unbound):
    channel = dns.Channel(
        loop, servers=[unbound.address], flags=dns.ARES_FLAG_EDNS | dns.ARES_FLAG_NOCHECKRESP
    )
    recorder = Recorder()
    opt = dns.Record("", dns.OPT(1232, 0, DNSSEC_OK, []))
    question = dns.Question("www.bogus.example", "A")
    channel.send(dns.Message(flags=dns.Flags.RD, question=[question], additional=[opt]), recorder)
    with time_limit(loop):
        loop.run()
    channel.close()
    ((message, errorno),) = recorder.calls
    assert errorno is None
    assert message.rcode == dns.Rcode.SERVFAIL
    (shown,) = [record.data for record in message.additional if record.type == dns.RecordType.OPT]
    # Extended DNS errors (RFC 8914): option 15.
    assert [number for number, _ in shown.options] == [15]


def test_what_is_bogus_can_be_had_unchecked(send):
    message, errorno = send("www.bogus.example", "A", dns.Flags.RD | dns.Flags.CD)
    assert errorno is None
    assert not message.flags & dns.Flags.AD
    assert [record.data.addr for record in message.answer] == ["192.0.2.10"]


def test_query_shows_what_the_resolver_finds(loop, unbound):
    channel = dns.Channel(loop, servers=[unbound.address])
    recorder = Recorder()
    for name in ("www.signed.example", "www.bogus.example", "no-such.signed.example", "www.example.org"):
        channel.query(name, "A", lambda message, errorno, name=name: recorder(name, errorno))
    with time_limit(loop):
        loop.run()
    channel.close()
    assert dict(recorder.calls) == {
        "www.signed.example": None,
        "www.bogus.example": dns.ARES_ESERVFAIL,
        "no-such.signed.example": dns.ARES_ENOTFOUND,
        "www.example.org": dns.ARES_EREFUSED,
    }
