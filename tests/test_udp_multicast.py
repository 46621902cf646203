"""UDP: multicast, and how far datagrams go."""

import os
import socket
import struct

import pytest
import pyuv
from pyuv import errno
from pyuv.error import UDPError

from util import Recorder, time_limit

GROUP = "239.255.7.9"
SOURCED = "232.7.7.9"
HERE = "127.0.0.1"


@pytest.fixture
def udp(loop):
    return pyuv.UDP(loop)


def option(udp, level, name):
    with socket.socket(fileno=os.dup(udp.fileno())) as sock:
        return sock.getsockopt(level, name)


def code_of(call, *arguments):
    with pytest.raises(UDPError) as caught:
        call(*arguments)
    return caught.value.args[0]


def sender(interface=HERE):
    """A socket that sends multicast datagrams by way of an interface."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((interface, 0))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    return sock


def test_a_member_gets_what_is_sent_to_the_group(loop, udp):
    seen = Recorder(lambda udp, *_: udp.close())
    udp.bind(("0.0.0.0", 0))
    udp.set_membership(GROUP, pyuv.UV_JOIN_GROUP, HERE)
    udp.start_recv(seen)
    with sender() as sock:
        sock.sendto(b"x", (GROUP, udp.getsockname()[1]))
    with time_limit(loop):
        loop.run()
    assert [call[3] for call in seen.calls] == [b"x"]


def test_who_has_left_gets_nothing(loop, udp):
    seen = Recorder(lambda udp, *_: udp.close())
    udp.bind(("0.0.0.0", 0))
    udp.set_membership(GROUP, pyuv.UV_JOIN_GROUP, HERE)
    udp.set_membership(GROUP, pyuv.UV_LEAVE_GROUP, HERE)
    udp.start_recv(seen)
    with sender() as sock:
        sock.sendto(b"to the group", (GROUP, udp.getsockname()[1]))
        sock.sendto(b"to the handle", (HERE, udp.getsockname()[1]))
    with time_limit(loop):
        loop.run()
    assert [call[3] for call in seen.calls] == [b"to the handle"]


def test_only_the_source_that_was_asked_for_is_heard(loop, udp):
    seen = Recorder(lambda udp, *_: udp.close())
    udp.bind(("0.0.0.0", 0))
    udp.set_source_membership(SOURCED, "127.0.0.5", pyuv.UV_JOIN_GROUP, HERE)
    udp.start_recv(seen)
    for source in ("127.0.0.6", "127.0.0.5"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HERE))
            sock.sendto(source.encode(), (SOURCED, udp.getsockname()[1]))
    with time_limit(loop):
        loop.run()
    assert [(call[1][0], call[3]) for call in seen.calls] == [("127.0.0.5", b"127.0.0.5")]
    other = pyuv.UDP(loop)
    other.set_source_membership(SOURCED, "127.0.0.5", pyuv.UV_JOIN_GROUP, HERE)
    other.set_source_membership(SOURCED, "127.0.0.5", pyuv.UV_LEAVE_GROUP, HERE)


def test_a_handle_sends_by_the_interface_it_is_told(loop, udp):
    seen = Recorder(lambda udp, *_: udp.close())
    udp.bind(("0.0.0.0", 0))
    udp.set_membership(GROUP, pyuv.UV_JOIN_GROUP, HERE)
    udp.start_recv(seen)
    other = pyuv.UDP(loop)
    other.bind((HERE, 0))
    other.set_multicast_interface(HERE)
    other.set_multicast_ttl(0)
    other.send((GROUP, udp.getsockname()[1]), b"x")
    with time_limit(loop):
        loop.run()
    assert [call[1] for call in seen.calls] == [other.getsockname()]


def test_membership_of_ipv6(loop, udp):
    udp.set_membership("ff02::7:9", pyuv.UV_JOIN_GROUP, "::1%lo")
    assert udp.family == socket.AF_INET6
    assert code_of(udp.set_membership, "ff02::7:9", pyuv.UV_JOIN_GROUP, "::1%lo") == errno.UV_EADDRINUSE
    udp.set_membership("ff02::7:9", pyuv.UV_LEAVE_GROUP, "::1%lo")


def test_a_group_is_joined_once_and_left_once(udp):
    udp.set_membership(GROUP, pyuv.UV_JOIN_GROUP, HERE)
    assert code_of(udp.set_membership, GROUP, pyuv.UV_JOIN_GROUP, HERE) == errno.UV_EADDRINUSE
    udp.set_membership(GROUP, pyuv.UV_LEAVE_GROUP, HERE)
    assert code_of(udp.set_membership, GROUP, pyuv.UV_LEAVE_GROUP, HERE) == errno.UV_EADDRNOTAVAIL


@pytest.mark.parametrize(
    "arguments",
    [("nowhere",), ("",), (f"{GROUP}\0",), ("1.2.3.4.5",), (GROUP, "nowhere"), (HERE,), (GROUP, "\0")],
)
def test_addresses_that_do_not_exist_are_errors(udp, arguments):
    group, *interface = arguments
    assert code_of(udp.set_membership, group, pyuv.UV_JOIN_GROUP, *interface) == errno.UV_EINVAL
    source = (group, HERE, pyuv.UV_JOIN_GROUP, *interface)
    assert code_of(udp.set_source_membership, *source) == errno.UV_EINVAL


def test_an_interface_that_does_not_exist(udp):
    assert code_of(udp.set_membership, GROUP, pyuv.UV_JOIN_GROUP, "203.0.113.7") == errno.UV_ENODEV
    udp.bind((HERE, 0))
    with pytest.raises(UDPError, match=r"203\.0\.113\.7") as caught:
        udp.set_multicast_interface("203.0.113.7")
    assert caught.value.args[0] == errno.UV_EADDRNOTAVAIL
    for interface in ("nowhere", "", "1.2.3.4\0"):
        assert code_of(udp.set_multicast_interface, interface) == errno.UV_EINVAL


@pytest.mark.parametrize("source", ["nowhere", "::1", ""])
def test_a_source_must_be_an_address_like_the_group(udp, source):
    assert code_of(udp.set_source_membership, SOURCED, source, pyuv.UV_JOIN_GROUP) == errno.UV_EINVAL


@pytest.mark.parametrize("membership", [-1, 2, 2**31 - 1])
def test_other_memberships_are_value_errors(udp, membership):
    with pytest.raises(ValueError, match=str(membership)):
        udp.set_membership(GROUP, membership)
    with pytest.raises(ValueError, match=str(membership)):
        udp.set_source_membership(SOURCED, HERE, membership)


def test_what_is_no_text_is_a_type_error(udp):
    for arguments in ((1, 1), (GROUP, "1"), (GROUP, 1, 1), (None, 1)):
        with pytest.raises(TypeError):
            udp.set_membership(*arguments)
    with pytest.raises(TypeError):
        udp.set_multicast_interface(1)


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize(
    ("family", "host", "level", "ttl", "multicast_ttl", "multicast_loop"),
    [
        (
            socket.AF_INET,
            HERE,
            socket.IPPROTO_IP,
            socket.IP_TTL,
            socket.IP_MULTICAST_TTL,
            socket.IP_MULTICAST_LOOP,
        ),
        (
            socket.AF_INET6,
            "::1",
            socket.IPPROTO_IPV6,
            socket.IPV6_UNICAST_HOPS,
            socket.IPV6_MULTICAST_HOPS,
            socket.IPV6_MULTICAST_LOOP,
        ),
    ],
    ids=["ipv4", "ipv6"],
)
def test_options_reach_the_socket(loop, bound, family, host, level, ttl, multicast_ttl, multicast_loop):
    udp = pyuv.UDP(loop, family)
    if bound:
        udp.bind((host, 0))
    udp.set_ttl(7)
    udp.set_multicast_ttl(8)
    udp.set_multicast_loop(False)
    assert option(udp, level, ttl) == 7
    assert option(udp, level, multicast_ttl) == 8
    assert option(udp, level, multicast_loop) == 0
    udp.set_multicast_loop(True)
    assert option(udp, level, multicast_loop) == 1


def test_an_interface_of_ipv6_reaches_the_socket(loop):
    udp = pyuv.UDP(loop, socket.AF_INET6)
    udp.set_multicast_interface("::1%lo")
    index = option(udp, socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF)
    assert index == socket.if_nametoindex("lo")
    assert struct.calcsize("i") == 4


@pytest.mark.parametrize("ttl", [-1, 256, 2**31 - 1])
def test_a_ttl_out_of_range_is_a_value_error(udp, ttl):
    udp.bind((HERE, 0))
    for call in (udp.set_ttl, udp.set_multicast_ttl):
        with pytest.raises(ValueError, match=str(ttl)):
            call(ttl)
    with pytest.raises(ValueError, match="between 1 and 255"):
        udp.set_ttl(0)


def test_switches_are_bools(udp):
    udp.bind((HERE, 0))
    for call in (udp.set_broadcast, udp.set_multicast_loop):
        with pytest.raises(TypeError):
            call(1)


def test_without_a_socket_there_is_nothing_to_set(udp):
    for call, argument in (
        (udp.set_ttl, 1),
        (udp.set_multicast_ttl, 1),
        (udp.set_multicast_loop, True),
        (udp.set_broadcast, True),
        (udp.set_multicast_interface, HERE),
    ):
        assert code_of(call, argument) == errno.UV_EBADF
