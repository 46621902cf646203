"""What a channel goes by: resolv.conf as glibc reads it, the environment, and what cannot be followed."""

import ipaddress
import os
import platform
import socket

import pytest
import pyuv
from glibcresolver import glibc_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyuv import dns

from util import Recorder, time_limit

PHASES = [phase for phase in Phase if phase is not Phase.explain]


@pytest.fixture
def configured(loop, tmp_path, monkeypatch):
    """The configuration of a channel whose resolv.conf has a text."""
    for variable in ("LOCALDOMAIN", "RES_OPTIONS"):
        monkeypatch.delenv(variable, raising=False)
    path = tmp_path / "resolv.conf"

    def configured(text, **options):
        path.write_text(text)
        channel = dns.Channel(loop, resolvconf_path=path, **options)
        configuration = channel.configuration
        channel.close()
        return configuration

    configured.path = path
    return configured


def test_tabs_separate_what_spaces_separate(configured):
    found = configured(
        "nameserver\t192.0.2.1\t# a comment\nsearch\tone.example\ttwo.example\n"
        "options\tndots:3\ttimeout:1\tattempts:1\trotate\tuse-vc\n"
    )
    assert found.servers == ("192.0.2.1",)
    assert found.search == ("one.example", "two.example")
    assert (found.ndots, found.timeout, found.tries) == (3, 1.0, 1)
    assert found.rotate is found.use_vc is True
    assert found.problems == ()


def test_long_lines_are_read_whole(configured):
    domains = tuple(f"domain-{number}.example" for number in range(60))
    assert configured(f"search {' '.join(domains)}\n").search == domains


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search a.example b.example\ndomain c.example\n", ("c.example",)),
        ("domain c.example\nsearch a.example b.example\n", ("a.example", "b.example")),
        ("search a.example\nsearch b.example\n", ("b.example",)),
    ],
)
def test_the_later_of_search_and_domain_counts(configured, text, expected):
    assert configured(text).search == expected


def test_localdomain_may_hold_several_names(configured, monkeypatch):
    monkeypatch.setenv("LOCALDOMAIN", "one.example two.example")
    monkeypatch.setenv("RES_OPTIONS", "ndots:4")
    found = configured("search other.example\noptions ndots:2 timeout:7\n")
    assert found.search == ("one.example", "two.example")
    assert (found.ndots, found.timeout) == (4, 7.0)
    assert found.sources["search"] == ("LOCALDOMAIN",) * 2
    assert found.sources["ndots"] == "RES_OPTIONS"


def test_an_empty_localdomain_searches_nothing(configured, monkeypatch):
    monkeypatch.setenv("LOCALDOMAIN", "")
    assert configured("search other.example\n").search == ()


def test_each_part_says_where_it_was_found(configured):
    found = configured("# a comment\nnameserver 192.0.2.1\noptions ndots:2\n", tries=7, domains=["x.example"])
    path = str(configured.path)
    assert found.sources["servers"] == (f"{path}:2",)
    assert found.sources["ndots"] == f"{path}:3"
    assert found.sources["tries"] == "options"
    assert found.sources["search"] == ("options",)
    assert found.sources["timeout"] == found.sources["rotate"] == "default"


def test_what_is_not_understood_is_told(configured):
    found = configured("nameserver one.example\n nameserver 192.0.2.1\nport 53\noptions nonsense\n")
    assert [problem.removeprefix(str(configured.path)) for problem in found.problems] == [
        ':1: the name server "one.example" is no address',
        ':2: "nameserver 192.0.2.1" does not begin the line',
        ':3: unknown keyword "port"',
        ":4: unknown options: nonsense",
    ]
    assert found.servers == ("127.0.0.1",)


def ask(loop, channel):
    recorder = Recorder()
    channel.query("x.example", "A", recorder)
    with time_limit(loop):
        loop.run()
    return recorder.calls[0]


def test_servers_that_cannot_be_asked_are_not_replaced(loop, configured):
    configured.path.write_text("nameserver fe80::1\nnameserver fe80::2%no-such-interface\n")
    channel = dns.Channel(loop, resolvconf_path=configured.path)
    assert channel.servers == []
    result, errorno = ask(loop, channel)
    assert (result, errorno) == (None, dns.ARES_ENOSERVER)
    assert "fe80::1" in dns.strerror(errorno)
    assert "no-such-interface" in dns.strerror(errorno)
    assert len(channel.configuration.problems) == 2
    channel.close()


def test_a_server_that_cannot_be_asked_leaves_the_others(configured):
    found = configured("nameserver fe80::1\nnameserver 192.0.2.1\n")
    assert found.servers == ("192.0.2.1",)
    assert len(found.problems) == 1


def test_a_file_that_is_not_there_is_told_if_it_was_named(loop, tmp_path):
    channel = dns.Channel(loop, resolvconf_path=tmp_path / "nothing")
    (problem,) = channel.configuration.problems
    assert "nothing" in problem
    channel.close()


def test_set_servers_are_part_of_it(loop):
    channel = dns.Channel(loop, servers=["192.0.2.1"])
    channel.servers = ["192.0.2.2", "192.0.2.3"]
    assert channel.configuration.servers == ("192.0.2.2", "192.0.2.3")
    assert channel.configuration.sources["servers"] == ("options", "options")
    channel.close()


@pytest.mark.parametrize(
    "text",
    [
        # Of many systems: FreeBSD, OpenBSD, macOS, NetworkManager, systemd, WSL, an editor on Windows.
        "search\thome.arpa\nnameserver\t192.0.2.1\n",
        "lookup file bind\nnameserver 192.0.2.1\nfamily inet4 inet6\n",
        "#\n# macOS Notice\n#\nsearch home.arpa\nnameserver 192.0.2.1\n",
        "# Generated by NetworkManager\nsearch home.arpa\nnameserver 192.0.2.1\nnameserver 192.0.2.1\n",
        "nameserver 192.0.2.1\noptions edns0 trust-ad\nsearch home.arpa\n",
        "# This file was automatically generated by WSL.\nnameserver 192.0.2.1",
        "nameserver 192.0.2.1\r\nsearch home.arpa\r\n",
        "; a comment\n\n\nnameserver 192.0.2.1 ;x\nsearch home.arpa \t \n",
    ],
)
def test_files_of_many_systems(configured, text):
    found = configured(text)
    assert set(found.servers) == {"192.0.2.1"}
    if "search" in text:
        assert found.search == ("home.arpa",)


@pytest.fixture(scope="module")
def glibc():
    if platform.libc_ver()[0] != "glibc" or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("glibc is asked, on machines whose structures are known")
    with glibc_resolver() as resolver:
        yield resolver


blanks = st.sampled_from([" ", "\t", "  ", " \t", "\t\t"])
domains = st.sampled_from(["a.example", "b.example.", "c", "home.arpa", "d-e.example", "."])
servers = st.sampled_from(
    [
        *("192.0.2.1", "192.0.2.255", "127.1", "010.0.0.1", "0x7f.1", "3232235777", "::1", "2001:db8::53"),
        *("2001:db8::1%lo", "fe80::1%lo", "fe80::2", "fe80::3%1", "fe80::4%no-such", "::ffff:192.0.2.1"),
        *("192.0.2.256", "1.2.3.4.5", "one.example", "2001:db8:::1", "08.0.0.1", "192.0.2.1x", "192.0.2.1;x"),
        *("192.0.2.1#x", "", "#", ";"),
    ]
)
options = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(["ndots", "timeout", "attempts"]), st.integers(0, 40)),
    st.sampled_from(
        ["rotate", "use-vc", "edns0", "trust-ad", "ndots:", "timeout:x", "attempts:3x", "nonsense"]
    ),
    st.sampled_from(["rotated", "ndots", "single-request", "#", "no-reload"]),
)
tails = st.sampled_from(["", " ", "\t", " # x", "\t# x", ";x", "#x", " x y"])


def line(keyword, values, most=4):
    joined = st.lists(st.tuples(blanks, values), max_size=most).map(
        lambda found: "".join(map("".join, found))
    )
    return st.builds("{}{}".format, st.just(keyword), joined)


lines = st.one_of(
    st.builds("{}{}{}{}".format, st.just("nameserver"), blanks, servers, tails),
    line("search", domains, 6),
    line("domain", domains, 2),
    line("options", options),
    st.sampled_from(
        ["", "# x", ";x", " nameserver 192.0.2.9", "Nameserver 192.0.2.9", "nameservers 192.0.2.9"]
    ),
    st.sampled_from(["searchx a.example", "option rotate", "nameserver", "search", "options", "domain"]),
)
files = st.lists(lines, max_size=8).map(lambda found: "\n".join(found) + "\n")
environments = st.fixed_dictionaries(
    {},
    optional={
        "LOCALDOMAIN": st.lists(domains, min_size=1, max_size=3).map(" ".join),
        "RES_OPTIONS": st.lists(options, max_size=3).map(" ".join),
    },
)


def comparable(server):
    """A server of ours as address and number of the interface."""
    address, _, interface = server.partition("%")
    if not interface:
        return address, 0
    return address, int(interface) if interface.isdigit() else socket.if_nametoindex(interface)


def can_be_asked(server):
    address, scope = server
    return scope != 0 or not ipaddress.ip_address(address).is_link_local or "." in address


@given(files, environments)
@settings(
    max_examples=200,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_glibc_reads_the_same(glibc, tmp_path, text, environment):
    path = tmp_path / "resolv.conf"
    path.write_text(text)
    saved = {name: os.environ.pop(name, None) for name in ("LOCALDOMAIN", "RES_OPTIONS")}
    os.environ.update(environment)
    loop = pyuv.Loop()
    try:
        channel = dns.Channel(loop, resolvconf_path=path)
        ours = channel.configuration
        channel.close()
        loop.run()
    finally:
        loop.close()
        for name, value in saved.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    theirs = glibc.read(text, environment)
    # glibc keeps three, whether or not they can be asked.
    named = [tuple(server) for server in theirs["servers"]]
    askable = [*filter(can_be_asked, named)]
    assert [comparable(server) for server in ours.servers][: len(askable)] == askable
    assert len(ours.servers) == len(askable) or len(named) == 3
    # ... and six domains, of which "." asks for the name as it is.
    assert list(ours.search)[:6] == theirs["search"]
    assert ours.ndots == theirs["ndots"]
    assert (ours.rotate, ours.use_vc) == (theirs["rotate"], theirs["use_vc"])
    defaults = {"timeout": 5, "tries": 2}
    for name, default in defaults.items():
        # 0 is no time, and no try: one is the least.
        found = default if ours.sources[name] == "default" else getattr(ours, name)
        assert found == max(theirs[name], 1), name
