"""Event loops for tests: asyncio's own, by which the tests are known to be right, and pyuv's."""

import asyncio
import os
import socket
import warnings

import pytest
import pyuv.asyncio

from util import collect

FACTORIES = {"asyncio": asyncio.SelectorEventLoop, "pyuv": pyuv.asyncio.new_event_loop}

both_loops = pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)


def run(factory, main, **keywords):
    """Runs a coroutine on a new event loop of this kind."""
    with asyncio.Runner(loop_factory=factory, **keywords) as runner:
        return runner.run(main)


def collected_warnings():
    """Collects garbage; the texts of the ResourceWarnings that brought."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        collect()
        texts = [str(warning.message) for warning in caught]
        # They hold what they are about.
        caught.clear()
    collect()
    return texts


class Recorder(asyncio.Protocol):
    """Notes what it is told; `lost` is done with what connection_lost() was given."""

    def __init__(self):
        self.calls = []
        self.data = bytearray()
        self.lost = asyncio.get_running_loop().create_future()
        self.transport = None

    def connection_made(self, transport):
        self.calls.append("connection_made")
        self.transport = transport

    def data_received(self, data):
        self.data += data

    def eof_received(self):
        self.calls.append("eof_received")

    def connection_lost(self, exception):
        self.calls.append("connection_lost")
        if not self.lost.done():
            self.lost.set_result(exception)


def failing(protocol, method, kind=ZeroDivisionError):
    """A subclass of a protocol whose ``method`` raises, with its name."""

    def fail(self, *_):
        raise kind(method)

    return type("Failing", (protocol,), {method: fail})


def reports():
    """The contexts that the exception handler of the running loop is told from now on."""
    contexts = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: contexts.append(context))
    return contexts


def first_report():
    """The first of them, as a future."""
    loop = asyncio.get_running_loop()
    reported = loop.create_future()
    loop.set_exception_handler(lambda loop, context: reported.done() or reported.set_result(context))
    return reported


async def connected(protocol_factory=Recorder):
    """A transport with its protocol, and a socket that is its peer."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(protocol_factory, sock=ours)
    return transport, protocol, theirs


def give_to_somebody(number):
    """Has a descriptor of somebody else's get the number, who closes it with ``os.close``, or fails."""
    other = os.open(os.devnull, os.O_RDONLY)
    if other != number:
        os.dup2(other, number)
        os.close(other)


def nonblocking():
    """A TCP socket for the low-level methods."""
    sock = socket.socket()
    sock.setblocking(False)
    return sock
