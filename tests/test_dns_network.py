"""A network that goes down and comes back under a channel: in a process with a network of its own."""

from pathlib import Path

import pytest
from pyuv import dns

from util import in_child

CODE = """
import ctypes
import fcntl
import os
import socket
import struct
import sys

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_LOOPBACK = 0x8914, 1, 8

libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(NEW_USER | NEW_NETWORK) != 0:
    print("no namespace:", os.strerror(ctypes.get_errno()))
    sys.exit()

def link(up):
    request = struct.pack("16sH14x", b"lo", IFF_LOOPBACK | (IFF_UP if up else 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)

sys.path.insert(0, sys.argv[1])
import faults
import pyuv
from faultserver import FaultServer

def answered(message, errorno):
    print(errorno)

link(True)
with FaultServer(faults.answer, faults.answer, faults.drop, faults.answer, faults.drop) as server:
    loop = pyuv.Loop()
    channel = pyuv.dns.Channel(loop, [server.address], timeout=0.1, tries=2, flags=int(sys.argv[2]))

    def ask():
        channel.query("www.fault.example", "A", answered)

    def received(count):
        while len(server.queries) < count:
            loop.run(pyuv.UV_RUN_NOWAIT)

    ask()
    loop.run()
    link(False)
    ask()
    loop.run()
    link(True)
    ask()
    loop.run()
    # Down and up while a query is in flight, whose next try finds it up.
    ask()
    received(3)
    link(False)
    link(True)
    loop.run()
    # Down for good.
    ask()
    received(5)
    link(False)
    loop.run()
    print(channel.active_queries)
"""


@pytest.mark.parametrize("flags", [dns.ARES_FLAG_EDNS, dns.ARES_FLAG_EDNS | dns.ARES_FLAG_STAYOPEN])
def test_queries_end_while_the_network_is_down_and_are_answered_when_it_is_back(flags):
    lines = in_child(CODE, Path(__file__).parent, flags)
    if lines and lines[0].startswith("no namespace"):
        pytest.skip(lines[0])
    first, down, back, through, for_good, active = lines
    assert [first, back, through, active] == ["None", "None", "None", "0"]
    refused, silent = str(dns.ARES_ECONNREFUSED), str(dns.ARES_ETIMEOUT)
    assert down in (refused, silent)
    assert for_good in (refused, silent)
