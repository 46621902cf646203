import contextlib
import os
import socket
import tempfile

import pytest
import pyuv
from pyuv import util


def test_each_kind_of_file_is_guessed():
    ends = []
    with contextlib.ExitStack() as stack:
        for pair in (os.pipe(), os.openpty()):
            ends += pair
            stack.callback(os.close, pair[0])
            stack.callback(os.close, pair[1])
        tcp = stack.enter_context(socket.socket())
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        tcp6 = stack.enter_context(socket.socket(socket.AF_INET6))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix_datagram = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        regular = stack.enter_context(tempfile.TemporaryFile())
        null = stack.enter_context(open(os.devnull))
        folder = os.open("/", os.O_RDONLY)
        stack.callback(os.close, folder)
        expected = {
            ends[0]: pyuv.UV_NAMED_PIPE,
            ends[2]: pyuv.UV_TTY,
            ends[3]: pyuv.UV_TTY,
            tcp.fileno(): pyuv.UV_TCP,
            tcp6.fileno(): pyuv.UV_TCP,
            udp.fileno(): pyuv.UV_UDP,
            unix.fileno(): pyuv.UV_NAMED_PIPE,
            unix_datagram.fileno(): pyuv.UV_UNKNOWN_HANDLE,
            regular.fileno(): pyuv.UV_FILE,
            null.fileno(): pyuv.UV_FILE,
            folder: pyuv.UV_UNKNOWN_HANDLE,
        }
        assert {fd: util.guess_handle_type(fd) for fd in expected} == expected


def test_what_is_no_file_descriptor_is_unknown():
    for fd in (-1, -(2**31), 2**31 - 1):
        assert util.guess_handle_type(fd) == pyuv.UV_UNKNOWN_HANDLE
    for fd in (2**31, -(2**63), 2**100):
        with pytest.raises(ValueError, match=str(fd)):
            util.guess_handle_type(fd)
    for fd in ("0", None, 0.0):
        with pytest.raises(TypeError):
            util.guess_handle_type(fd)
