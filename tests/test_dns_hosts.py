"""The hosts file, addresses in numbers, and where hosts are looked up."""

import socket

import pytest
from pyuv import dns

from util import answer


@pytest.fixture
def channel_of(make_channel, tmp_path):
    """A channel that asks a hosts file with this text, and nobody else."""
    path = tmp_path / "hosts"

    def channel_of(text, **options):
        path.write_text(text)
        return make_channel(**({"servers": ["127.0.0.1:1"], "hosts_path": path, "lookups": "f"} | options))

    return channel_of


def addresses(channel, name, family=socket.AF_INET):
    found, errorno = answer(channel, "getaddrinfo", name, None, family=family)
    assert errorno is None
    return sorted(node.addr[0] for node in found.nodes)


def test_hosts_that_share_a_name_or_an_address_stay_apart(channel_of):
    channel = channel_of("10.0.0.1 a b\n10.0.0.2 b c\n10.0.0.3 c\n10.0.0.1 d\n")
    assert addresses(channel, "a") == ["10.0.0.1"]
    assert addresses(channel, "b") == ["10.0.0.1", "10.0.0.2"]
    assert addresses(channel, "c") == ["10.0.0.2", "10.0.0.3"]
    assert addresses(channel, "d") == ["10.0.0.1"]
    host, _ = answer(channel, "gethostbyname", "b", socket.AF_INET)
    assert host == ("a", ("b", "c"), ("10.0.0.1", "10.0.0.2"))


def test_the_names_of_an_address_are_those_of_its_lines(channel_of):
    channel = channel_of("192.0.2.1 one.example one\n2001:db8::1 one.example six\n")
    host, _ = answer(channel, "gethostbyaddr", "192.0.2.1")
    assert host == ("one.example", ("one",), ("192.0.2.1",))
    host, _ = answer(channel, "gethostbyaddr", "2001:db8::1")
    assert host == ("one.example", ("six",), ("2001:db8::1",))
    names, _ = answer(channel, "getnameinfo", ("192.0.2.1", 80), dns.ARES_NI_LOOKUPHOST)
    assert names.node == "one.example"


def test_the_system_finds_the_same_in_its_file(make_channel):
    channel = make_channel(servers=["127.0.0.1:1"], lookups="f")
    name = socket.gethostname()
    found, errorno = answer(channel, "getaddrinfo", name, None, family=socket.AF_INET)
    with open("/etc/hosts") as file:
        listed = [line.split("#")[0].split() for line in file]
    expected = {words[0] for words in listed if name in words[1:] and "." in words[0]}
    assert (set() if errorno else {node.addr[0] for node in found.nodes}) == expected


def test_a_file_alone_that_has_not_the_host_is_not_found(channel_of):
    channel = channel_of("10.0.0.1 one\n")
    absent = (None, dns.ARES_ENOTFOUND)
    assert answer(channel, "getaddrinfo", "nosuch", None) == absent
    assert answer(channel, "gethostbyname", "nosuch", socket.AF_INET) == absent
    assert answer(channel, "gethostbyname", "one", socket.AF_INET6) == absent
    assert answer(channel, "gethostbyaddr", "10.9.9.9") == absent
    flags = dns.ARES_NI_LOOKUPHOST | dns.ARES_NI_NAMEREQD
    assert answer(channel, "getnameinfo", ("10.9.9.9", 80), flags) == absent
    names, _ = answer(channel, "getnameinfo", ("10.9.9.9", 80), dns.ARES_NI_LOOKUPHOST)
    assert names.node == "10.9.9.9"


def test_the_file_is_asked_when_servers_have_not_the_host(channel_of, dns_server):
    text = "10.0.0.1 nosuch.example.com www.example.com\n"
    channel = channel_of(text, lookups="bf", servers=[dns_server.address])
    assert addresses(channel, "nosuch.example.com") == ["10.0.0.1"]
    assert addresses(channel, "www.example.com") == ["192.0.2.10"]
    flags = dns.ARES_NI_LOOKUPHOST
    assert answer(channel, "getnameinfo", ("10.0.0.1", 0), flags)[0].node == "nosuch.example.com"
    assert answer(channel, "gethostbyaddr", "10.0.0.1")[0].name == "nosuch.example.com"


def test_a_changed_file_is_read_again(channel_of, tmp_path):
    channel = channel_of("10.0.0.1 one\n")
    assert addresses(channel, "one") == ["10.0.0.1"]
    (tmp_path / "hosts").write_text("10.0.0.22 one\n")
    assert addresses(channel, "one") == ["10.0.0.22"]


@pytest.mark.parametrize(
    "text",
    [
        "010.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "192.0.2.1",
        "::1",
        "::ffff:192.0.2.1",
        "fe80::1%lo",
        "fe80::1",
    ],
)
def test_an_address_in_numbers_is_what_the_system_takes_it_for(loop, make_channel, text):
    channel = make_channel(servers=["127.0.0.1:1"])
    system = dns.getaddrinfo(loop, text, 80, socktype=socket.SOCK_STREAM)
    found, errorno = answer(channel, "getaddrinfo", text, 80)
    assert errorno is None
    assert [node.addr for node in found.nodes] == [entry[4] for entry in system]


@pytest.mark.parametrize("text", ["fe80::1%no-such", "2001:db8::1%lo"])
def test_an_interface_that_is_none_is_not_found(make_channel, text):
    channel = make_channel(servers=["127.0.0.1:1"])
    result, errorno = answer(channel, "getaddrinfo", text, 80)
    assert (result, errorno) == (None, dns.ARES_ENOTFOUND)
    assert "no such interface" in dns.strerror(errorno)


def test_numbers_of_another_family_are_not_found(make_channel):
    channel = make_channel(servers=["127.0.0.1:1"])
    assert answer(channel, "getaddrinfo", "127.0.0.1", 80, family=socket.AF_INET6) == (
        None,
        dns.ARES_ENOTFOUND,
    )
    assert answer(channel, "gethostbyname", "::1", socket.AF_INET) == (None, dns.ARES_ENOTFOUND)
    flags = dns.ARES_AI_NUMERICHOST
    assert answer(channel, "getaddrinfo", "www.example.com", 80, flags=flags) == (None, dns.ARES_ENOTFOUND)


def test_a_service_has_its_port_whatever_the_host(channel_of):
    channel = channel_of("10.0.0.1 one\n")
    for host in ("one", "10.0.0.1", "localhost"):
        found, _ = answer(channel, "getaddrinfo", host, "https", family=socket.AF_INET)
        assert [node.addr[1] for node in found.nodes] == [443]
    assert answer(channel, "getaddrinfo", "one", "no-such-service")[1] == dns.ARES_ESERVICE
