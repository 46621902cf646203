"""What a `pyuv.dns.Channel` can be asked besides `query`: search, send, lookups of hosts."""

import copy
import ipaddress
import pickle
import socket

import pytest
import pyuv
from pyuv import dns
from pyuv.dns import Flags, Message, Opcode, Question, Rcode, RecordClass

from util import Recorder, answer, time_limit

HOSTS = "fixtures/hosts"
BOTH = dns.ARES_NI_LOOKUPHOST | dns.ARES_NI_LOOKUPSERVICE


@pytest.fixture
def hosts_file(pytestconfig):
    return pytestconfig.rootpath / "fixtures" / "hosts"


@pytest.fixture
def near(make_channel, hosts_file):
    """A channel with the search domain example.com and the hosts file of fixtures/."""
    return make_channel(domains=["example.com"], hosts_path=hosts_file)


def addresses(result):
    return {node.addr for node in result.nodes}


# search


def test_search_appends_the_domains(near):
    message, errorno = answer(near, "search", "www", "A")
    assert errorno is None
    assert message.question[0].name == "www.example.com"
    assert message.answer[0].data.addr == "192.0.2.10"


@pytest.mark.parametrize(
    ("options", "name", "asked"),
    [
        ({"domains": ["sub.example.com", "example.com"]}, "www", "www.example.com"),
        ({"domains": ["example.com"], "ndots": 2}, "www.example.com", "www.example.com"),
        ({"domains": ["com"], "ndots": 3}, "www.example", "www.example.com"),
        ({"domains": ["no-such.example"]}, "www.example.com", "www.example.com"),
        ({"domains": ["no-such.example"]}, "www.example.com.", "www.example.com"),
    ],
)
def test_search_tries_one_name_after_the_other(make_channel, options, name, asked):
    message, errorno = answer(make_channel(flags=dns.ARES_FLAG_NOCHECKRESP, **options), "search", name, "A")
    assert errorno is None
    assert message.question[0].name == asked


def test_search_without_domains_is_a_query(make_channel):
    channel = make_channel(flags=dns.ARES_FLAG_NOSEARCH, domains=["example.com"], timeout=0.2, tries=1)
    assert answer(channel, "search", "www", "A")[1] is not None


def test_search_that_finds_nothing_says_why(near):
    assert answer(near, "search", "no-such-name.example.com.", "A") == (None, dns.ARES_ENOTFOUND)
    assert answer(near, "search", "www.example.com.", "MX") == (None, dns.ARES_ENODATA)


def test_search_asks_as_query_does(loop, udp_peer):
    for options, recurse, size in [
        ({}, Flags.RD, [1232]),
        ({"edns_size": 4000}, Flags.RD, [4000]),
        ({"flags": dns.ARES_FLAG_NORECURSE}, Flags(0), []),
    ]:
        asked = []
        for method in ("search", "query"):
            channel = dns.Channel(loop, [udp_peer.address], **options)
            getattr(channel, method)("x.example.", "MX", Recorder())
            asked.append(Message.parse(udp_peer.receive()))
            channel.close()
        assert asked[0].flags == asked[1].flags == recurse
        assert asked[0].question == asked[1].question == (Question("x.example", "MX"),)
        assert [record.data.udp_size for record in asked[0].additional] == size
        assert [record.data.udp_size for record in asked[1].additional] == size


# send


def test_send_gets_whatever_comes_back(channel):
    query = Message(flags=Flags.RD, question=[Question("www.example.com", "A")])
    message, errorno = answer(channel, "send", query)
    assert errorno is None
    assert message.answer[0].data.addr == "192.0.2.10"
    query = Message(question=[Question("no-such-name.example.com", "A")])
    message, errorno = answer(channel, "send", query)
    assert errorno is None
    assert message.rcode == Rcode.NXDOMAIN


def test_send_sends_the_message_as_it_is_but_for_its_id_and_a_cookie(loop, udp_peer):
    options = [(3, b""), (65001, b"own")]
    query = Message(
        flags=Flags.RD | Flags.CD,
        opcode=Opcode.NOTIFY,
        question=[Question("x.example", "SOA", "CHAOS")],
        additional=[dns.Record("", dns.OPT(1400, 0, 0x8000, options))],
    )
    channel = dns.Channel(loop, [udp_peer.address])
    channel.send(query, Recorder())
    sent = Message.parse(udp_peer.receive())
    channel.close()
    assert (sent.flags, sent.opcode, sent.question) == (query.flags, query.opcode, query.question)
    (record,) = sent.additional
    assert (record.data.udp_size, record.data.flags) == (1400, 0x8000)
    *sent_options, (cookie, value) = record.data.options
    assert sent_options == options
    assert (cookie, len(value)) == (10, 8)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message(), "has 0"),
        (Message(question=[Question("a", "A"), Question("b", "A")]), "has 2"),
        (Message(question=[Question("a", "A", 9)]), "CLASS9"),
        (Message(question=[Question("a", "A")], opcode=16), "opcode 16"),
        (Message(question=[Question("a", "A")], rcode=16), "BADSIG"),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(channel, message, text):
    with pytest.raises(ValueError, match=text):
        channel.send(message, print)
    assert channel.active_queries == 0
    assert channel.loop.run() is False


def test_a_message_that_is_too_long_is_refused(channel):
    records = [dns.Record("", dns.RawData(65280, bytes(60000)))] * 2
    with pytest.raises(dns.DNSError) as caught:
        channel.send(Message(question=[Question("a", "A")], additional=records), print)
    assert caught.value.args[0] == dns.ARES_EBADQUERY
    assert channel.active_queries == 0


def test_send_takes_messages_alone(channel):
    with pytest.raises(TypeError):
        channel.send(b"\0" * 12, print)


# classes


@pytest.mark.parametrize("record_class", ["CHAOS", "ch", "HS", "ANY", "NONE", RecordClass.IN, 3])
@pytest.mark.parametrize("method", ["query", "search"])
def test_every_class_can_be_asked_for(loop, udp_peer, method, record_class):
    if record_class == "ch":
        record_class = "CLASS3"
    channel = dns.Channel(loop, [udp_peer.address])
    getattr(channel, method)("version.bind.", "TXT", Recorder(), record_class=record_class)
    expected = Question("version.bind", "TXT", record_class)
    assert Message.parse(udp_peer.receive()).question == (expected,)
    channel.close()


@pytest.mark.parametrize(
    ("record_class", "error", "text"),
    [
        ("BOGUS", ValueError, "BOGUS"),
        (9, ValueError, "CLASS9"),
        (65536, ValueError, "65536"),
        (None, TypeError, "class"),
    ],
)
@pytest.mark.parametrize("method", ["query", "search"])
def test_a_wrong_class_is_named(channel, method, record_class, error, text):
    with pytest.raises(error, match=text):
        getattr(channel, method)("www.example.com", "A", print, record_class)
    assert channel.active_queries == 0


# getaddrinfo


def test_getaddrinfo_finds_addresses_of_both_families(near):
    result, errorno = answer(near, "getaddrinfo", "www", 443)
    assert errorno is None
    assert type(result) is dns.AddrInfoResult
    assert addresses(result) == {("192.0.2.10", 443), ("2001:db8::10", 443, 0, 0)}
    assert {(node.family, node.ttl) for node in result.nodes} == {
        (socket.AF_INET, 300),
        (socket.AF_INET6, 300),
    }
    assert result.cnames == ()


def test_getaddrinfo_passes_the_hints_on(near):
    result, _ = answer(
        near, "getaddrinfo", b"www", "https", family=socket.AF_INET, socktype=socket.SOCK_STREAM, proto=6
    )
    (node,) = result.nodes
    assert (node.socktype, node.protocol, node.addr) == (socket.SOCK_STREAM, 6, ("192.0.2.10", 443))


def test_getaddrinfo_follows_aliases(near):
    result, errorno = answer(near, "getaddrinfo", "alias.example.com", None, flags=dns.ARES_AI_CANONNAME)
    assert errorno is None
    assert {("alias.example.com", "www.example.com")} == {(each.alias, each.name) for each in result.cnames}


@pytest.mark.parametrize(
    ("host", "family", "expected"),
    [
        ("127.0.0.1", 0, {("127.0.0.1", 7)}),
        ("::1", 0, {("::1", 7, 0, 0)}),
        ("from-hosts", 0, {("192.0.2.200", 7)}),
        ("from-hosts.example.com", 0, {("192.0.2.200", 7), ("2001:db8::200", 7, 0, 0)}),
        ("twice.example.com", socket.AF_INET, {("192.0.2.201", 7), ("192.0.2.202", 7)}),
        ("localhost", socket.AF_INET, {("127.0.0.1", 7)}),
        (None, socket.AF_INET, {("127.0.0.1", 7)}),
    ],
)
def test_getaddrinfo_without_dns(near, host, family, expected):
    near.servers = []
    for flags in (0, dns.ARES_AI_CANONNAME):
        result, errorno = answer(near, "getaddrinfo", host, 7, family=family, flags=flags)
        assert errorno is None
        assert addresses(result) == expected


def test_getaddrinfo_of_an_address_names_it(near):
    result, _ = answer(near, "getaddrinfo", "127.0.0.1", 0, flags=dns.ARES_AI_CANONNAME)
    assert [tuple(cname) for cname in result.cnames] == [(0, None, "127.0.0.1")]


def test_getaddrinfo_says_what_went_wrong(near):
    assert answer(near, "getaddrinfo", "no-such-name.example.com.", 80) == (None, dns.ARES_ENOTFOUND)
    assert answer(near, "getaddrinfo", "www", "no-such-service") == (None, dns.ARES_ESERVICE)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        ((None, None), {}, ValueError, "neither"),
        (("", 80), {}, ValueError, "empty"),
        (("a..b", 80), {}, ValueError, "a..b"),
        (("www", 65536), {}, ValueError, "port 65536"),
        (("www", "ht\0tp"), {}, ValueError, "NUL"),
        ((5, 80), {}, TypeError, "int"),
        (("www", 80.5), {}, TypeError, "port"),
        (("www", 80), {"family": 99}, ValueError, "family 99"),
        (("www", 80), {"flags": 1 << 30}, ValueError, "0x40000000"),
    ],
)
def test_what_getaddrinfo_refuses_is_named(near, arguments, options, error, text):
    with pytest.raises(error, match=text):
        near.getaddrinfo(*arguments, print, **options)
    assert near.active_queries == 0


def test_lookups_of_two_queries_each_keep_within_max_in_flight(loop, make_channel):
    channel = make_channel(max_in_flight=3)
    recorder = Recorder()
    for _ in range(40):
        channel.getaddrinfo("www.example.com", 80, recorder)
        channel.query("www.example.com", "A", recorder)
    assert channel.active_queries == 80
    with time_limit(loop):
        loop.run()
    assert [errorno for _, errorno in recorder.calls] == [None] * 80


def test_a_lookup_of_two_queries_is_asked_where_one_is_the_limit(make_channel):
    assert answer(make_channel(max_in_flight=1), "getaddrinfo", "www.example.com", 80)[1] is None


# getnameinfo


def test_getnameinfo_finds_host_and_service(near):
    result, errorno = answer(near, "getnameinfo", ("192.0.2.10", 80), BOTH)
    assert (result, errorno) == (("www.example.com", "http"), None)
    assert type(result) is dns.NameInfoResult


@pytest.mark.parametrize(
    ("address", "flags", "expected"),
    [
        (("192.0.2.10", 80), 0, ("www.example.com", None)),
        (("192.0.2.10", 80), dns.ARES_NI_LOOKUPSERVICE, (None, "http")),
        (("192.0.2.10", 0), dns.ARES_NI_LOOKUPSERVICE, (None, None)),
        (("192.0.2.10", 53), dns.ARES_NI_LOOKUPSERVICE | dns.ARES_NI_NUMERICSERV, (None, "53")),
        (("192.0.2.10", 53), BOTH | dns.ARES_NI_NUMERICHOST | dns.ARES_NI_UDP, ("192.0.2.10", "domain")),
        (("::1", 0, 0, 0), dns.ARES_NI_NUMERICHOST, ("::1", None)),
        (("fe80::1", 0, 0, 1), dns.ARES_NI_NUMERICHOST, ("fe80::1%lo", None)),
        (("192.0.2.99", 0), 0, ("192.0.2.99", None)),
    ],
)
def test_getnameinfo_does_as_the_flags_say(near, address, flags, expected):
    assert answer(near, "getnameinfo", address, flags) == (expected, None)


def test_getnameinfo_of_an_address_without_a_name(near):
    assert answer(near, "getnameinfo", ("192.0.2.99", 0), dns.ARES_NI_NAMEREQD) == (None, dns.ARES_ENOTFOUND)
    flags = dns.ARES_NI_NAMEREQD | dns.ARES_NI_NUMERICHOST
    assert answer(near, "getnameinfo", ("192.0.2.99", 0), flags) == (None, dns.ARES_EBADFLAGS)


@pytest.mark.parametrize(
    ("address", "flags", "error", "text"),
    [
        ("192.0.2.1", 0, TypeError, "192.0.2.1"),
        (("localhost", 80), 0, ValueError, "localhost"),
        (("192.0.2.1", 65536), 0, ValueError, "65536"),
        (("192.0.2.1", 80), 1 << 30, ValueError, "0x40000000"),
    ],
)
def test_what_getnameinfo_refuses_is_named(near, address, flags, error, text):
    with pytest.raises(error, match=text):
        near.getnameinfo(address, flags, print)
    assert near.active_queries == 0


# gethostbyname and gethostbyaddr


def test_gethostbyname_gives_name_aliases_and_addresses(near):
    result, errorno = answer(near, "gethostbyname", "alias", socket.AF_INET)
    assert errorno is None
    assert result == ("www.example.com", ("alias.example.com",), ("192.0.2.10",))
    assert type(result) is dns.HostResult
    assert answer(near, "gethostbyname", "www", socket.AF_INET6)[0].addresses == ("2001:db8::10",)
    assert set(answer(near, "gethostbyname", "two", 0)[0].addresses) == {"192.0.2.21", "192.0.2.22"}


@pytest.mark.parametrize(
    ("name", "family", "expected"),
    [
        ("from-hosts", socket.AF_INET, ("from-hosts.example.com", ("from-hosts",), ("192.0.2.200",))),
        ("127.0.0.1", 0, ("127.0.0.1", (), ("127.0.0.1",))),
        ("localhost", socket.AF_INET, ("localhost", ("ip6-localhost",), ("127.0.0.1",))),
    ],
)
def test_gethostbyname_without_dns(near, name, family, expected):
    near.servers = []
    assert answer(near, "gethostbyname", name, family) == (expected, None)


@pytest.mark.parametrize(("lookups", "found"), [("b", False), ("f", True), ("bf", True), ("fb", True)])
def test_lookups_says_where_to_look(make_channel, hosts_file, lookups, found):
    channel = make_channel(lookups=lookups, hosts_path=hosts_file)
    result, errorno = answer(channel, "gethostbyname", "twice.example.com", socket.AF_INET)
    assert (errorno is None) == found
    assert (result is not None) == found


@pytest.mark.parametrize(
    ("sortlist", "first"),
    [
        (["192.0.2.22/32", "192.0.2.0"], "192.0.2.22"),
        (["192.0.2.21/32", "192.0.2.0/24"], "192.0.2.21"),
        (["192.0.2.22/255.255.255.255"], "192.0.2.22"),
    ],
)
def test_the_sortlist_says_which_address_is_first(loop, dns_server, sortlist, first):
    channel = dns.Channel(loop, [dns_server.address], sortlist=sortlist)
    for _ in range(5):
        assert answer(channel, "gethostbyname", "two.example.com", socket.AF_INET)[0].addresses[0] == first
    channel.close()


@pytest.mark.parametrize("address", ["192.0.2.10", b"192.0.2.10", ipaddress.ip_address("192.0.2.10")])
def test_gethostbyaddr_finds_the_name(near, address):
    result, errorno = answer(near, "gethostbyaddr", address)
    assert errorno is None
    assert (result.name, result.addresses) == ("www.example.com", ("192.0.2.10",))


def test_gethostbyaddr_finds_names_in_the_hosts_file(near):
    near.servers = []
    for address, name in [
        ("192.0.2.201", "twice.example.com"),
        ("2001:db8::200", "from-hosts.example.com"),
        ("::1", "localhost"),
    ]:
        assert answer(near, "gethostbyaddr", address)[0].name == name


def test_gethostbyaddr_of_an_address_without_a_name(near):
    assert answer(near, "gethostbyaddr", "192.0.2.99") == (None, dns.ARES_ENOTFOUND)


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        ("localhost", ValueError, "localhost"),
        ("192.0.2.256", ValueError, "192.0.2.256"),
        (b"\xff", ValueError, "numbers"),
        (1, TypeError, "int"),
        (None, TypeError, "NoneType"),
    ],
)
def test_what_gethostbyaddr_refuses_is_named(near, address, error, text):
    with pytest.raises(error, match=text):
        near.gethostbyaddr(address, print)


# All of them

LOOKUPS = {
    "search": ("timeout.example.com", "A"),
    "send": (Message(question=[Question("timeout.example.com", "A")]),),
    "getaddrinfo": ("timeout.example.com", 80),
    "gethostbyname": ("timeout.example.com", socket.AF_INET),
    "getnameinfo": (("198.51.100.1", 80), 0),
    "gethostbyaddr": ("198.51.100.1",),
}


@pytest.mark.parametrize("method", LOOKUPS)
@pytest.mark.parametrize(("end", "code"), [("cancel", dns.ARES_ECANCELLED), ("close", dns.ARES_EDESTRUCTION)])
@pytest.mark.parametrize("max_in_flight", [1, 100])
def test_every_lookup_ends_once(loop, udp_peer, method, end, code, max_in_flight):
    channel = dns.Channel(loop, [udp_peer.address], max_in_flight=max_in_flight)
    recorder = Recorder()
    for _ in range(5):
        getattr(channel, method)(*LOOKUPS[method], callback=recorder)
    getattr(channel, end)()
    assert len(recorder) == 0
    with time_limit(loop):
        loop.run()
    assert recorder.calls == [(None, code)] * 5
    if not channel.closed:
        channel.close()


@pytest.mark.parametrize("method", LOOKUPS)
def test_every_lookup_says_that_the_channel_is_closed_and_wants_a_callable(channel, method):
    with pytest.raises(TypeError, match="'nothing'"):
        getattr(channel, method)(*LOOKUPS[method], callback="nothing")
    channel.close()
    with pytest.raises(pyuv.error.HandleClosedError):
        getattr(channel, method)(*LOOKUPS[method], callback=print)


def test_results_are_values(near):
    for method, arguments in [
        ("getaddrinfo", ("alias", 80)),
        ("gethostbyname", ("alias", socket.AF_INET)),
        ("getnameinfo", (("192.0.2.10", 80), BOTH)),
    ]:
        result, _ = answer(near, method, *arguments)
        again, _ = answer(near, method, *arguments)
        assert result == again
        assert hash(result) == hash(again)
        assert pickle.loads(pickle.dumps(result)) == result
        assert type(copy.copy(result)) is type(result)
        assert repr(result).startswith(f"pyuv.dns.{type(result).__name__}(")
        with pytest.raises(AttributeError):
            result.nodes = ()
