"""The embedded DNS server that the other tests stand on, asked by dnspython."""

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from dnsserver import DNSServer


@pytest.fixture(scope="module")
def server():
    with DNSServer() as server:
        yield server


def ask(server, name, rdtype="A", how=dns.query.udp, timeout=5):
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    return how(query, server.host, port=server.port, timeout=timeout)


def answers(message):
    return sorted(f"{rdata}" for rrset in message.answer for rdata in rrset)


def test_an_address(server):
    assert answers(ask(server, "www.example.com")) == ["192.0.2.10"]
    assert server.address == f"127.0.0.1:{server.port}"


def test_a_chain_of_aliases_ends_in_an_address(server):
    assert answers(ask(server, "chain1.example.com"))[0] == "192.0.2.10"
    assert len(ask(server, "chain1.example.com").answer) == 4


@pytest.mark.parametrize(
    ("name", "rcode", "count"),
    [
        ("any.wild.example.com", "NOERROR", 1),
        ("two.labels.wild.example.com", "NOERROR", 1),
        ("exists.wild.example.com", "NOERROR", 0),
        ("below.exists.wild.example.com", "NXDOMAIN", 0),
        ("empty.example.com", "NOERROR", 0),
        ("v6only.example.com", "NOERROR", 0),
        ("no-such.example.com", "NXDOMAIN", 0),
        ("dangling.example.com", "NXDOMAIN", 1),
        ("www.example.org", "REFUSED", 0),
        ("servfail.example.com", "SERVFAIL", 0),
        ("refused.example.com", "REFUSED", 0),
        ("notimp.example.com", "NOTIMP", 0),
        ("formerr.example.com", "FORMERR", 0),
    ],
)
def test_what_a_name_is_answered_with(server, name, rcode, count):
    message = ask(server, name)
    assert dns.rcode.to_text(message.rcode()) == rcode
    assert len(message.answer) == count


def test_a_reverse_name(server):
    assert answers(ask(server, "10.2.0.192.in-addr.arpa", "PTR")) == ["www.example.com."]


@pytest.mark.parametrize("name", ["many.example.com", "truncate.wild.example.com"])
def test_a_truncated_answer_comes_whole_over_tcp(server, name):
    assert ask(server, name).flags & dns.flags.TC
    message = ask(server, name, how=dns.query.tcp)
    assert not message.flags & dns.flags.TC
    assert message.answer


def test_names_that_get_no_answer(server):
    for name in ("timeout.example.com", "tcp-only.wild.example.com"):
        with pytest.raises(dns.exception.Timeout):
            ask(server, name, timeout=0.1)
    assert answers(ask(server, "tcp-only.wild.example.com", how=dns.query.tcp)) == ["192.0.2.60"]


def test_garbage_is_no_message(server):
    with pytest.raises(dns.exception.DNSException):
        ask(server, "garbage.example.com")


def test_a_late_answer(server):
    message = ask(server, "delay-50.wild.example.com")
    assert answers(message) == ["192.0.2.60"]
    assert message.time >= 0.05


def test_the_server_ends_with_its_block():
    with DNSServer() as server:
        assert answers(ask(server, "www.example.com")) == ["192.0.2.10"]
    with pytest.raises(OSError, match="refused"):
        ask(server, "www.example.com", how=dns.query.tcp)


def test_a_zone_that_is_not_there_is_an_error(capfd):
    with pytest.raises(RuntimeError, match="did not start"), DNSServer("/no/such.zone"):
        pass
    assert "/no/such.zone" in capfd.readouterr().err


def test_over_ipv6():
    with DNSServer(host="::1") as server:
        assert server.address == f"[::1]:{server.port}"
        assert answers(ask(server, "www.example.com")) == ["192.0.2.10"]
