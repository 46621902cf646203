"""Connecting by name: addresses, their order, races of them, scopes; names are what the system says."""

import asyncio
import itertools
import socket
import sys
import threading

import pytest
from asyncioutil import FACTORIES, Recorder, both_loops, run


def information(*addresses):
    """What getaddrinfo() would tell of these addresses."""
    return [
        (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
            "",
            (*address, 0, 0) if ":" in address[0] else address,
        )
        for address in addresses
    ]


def resolve(loop, *addresses):
    """Has the loop resolve every name to these addresses."""

    async def getaddrinfo(host, port, **options):
        return information(*addresses)

    loop.getaddrinfo = getaddrinfo


def nobodys(count, host="127.0.0.1"):
    """Addresses where nobody listens, and the sockets that keep them so."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kept = [socket.socket(family) for _ in range(count)]
    for sock in kept:
        sock.bind((host, 0))
    return [sock.getsockname()[:2] for sock in kept], kept


class Silent:
    """A listener whose backlog is full: who connects to it waits."""

    def __init__(self, host="127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.bind((host, 0))
        self.sock.listen(0)
        self.address = self.sock.getsockname()[:2]
        self.fillers = []
        for _ in range(10):
            filler = socket.socket(self.sock.family)
            filler.setblocking(False)
            filler.connect_ex(self.address)
            self.fillers.append(filler)

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        for sock in (*self.fillers, self.sock):
            sock.close()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@both_loops
def test_the_next_address_is_tried_where_one_refuses(factory, listener):
    async def main():
        loop = asyncio.get_running_loop()
        refusing, kept = nobodys(2)
        resolve(loop, *refusing, listener.getsockname())
        transport, protocol = await loop.create_connection(Recorder, "name.test", 1)
        assert transport.get_extra_info("peername") == listener.getsockname()
        transport.close()
        await protocol.lost
        for sock in kept:
            sock.close()

    run(factory, main())


@both_loops
def test_happy_eyeballs_do_not_wait_for_an_address_that_is_silent(factory, listener):
    async def main():
        loop = asyncio.get_running_loop()
        with Silent() as silent:
            resolve(loop, silent, listener.getsockname())
            begin = loop.time()
            transport, protocol = await loop.create_connection(
                Recorder, "name.test", 1, happy_eyeballs_delay=0.05
            )
            assert 0.05 <= loop.time() - begin < 20
            assert transport.get_extra_info("peername") == listener.getsockname()
            transport.close()
            await protocol.lost
        # The one that lost the race is closed.
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    run(factory, main())


@both_loops
def test_happy_eyeballs_do_not_wait_where_an_address_refuses(factory, listener):
    async def main():
        loop = asyncio.get_running_loop()
        refusing, kept = nobodys(3)
        resolve(loop, *refusing, listener.getsockname())
        begin = loop.time()
        transport, protocol = await loop.create_connection(Recorder, "name.test", 1, happy_eyeballs_delay=100)
        assert loop.time() - begin < 20
        transport.close()
        await protocol.lost
        for sock in kept:
            sock.close()

    run(factory, main())


@both_loops
def test_the_first_address_wins_where_both_answer(factory, listener):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as second:
            resolve(loop, listener.getsockname(), second.getsockname())
            transport, protocol = await loop.create_connection(
                Recorder, "name.test", 1, happy_eyeballs_delay=5
            )
            assert transport.get_extra_info("peername") == listener.getsockname()
            transport.close()
            await protocol.lost
            second.setblocking(False)
            with pytest.raises(BlockingIOError):
                second.accept()

    run(factory, main())


@both_loops
def test_a_cancelled_race_leaves_nothing_behind(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with Silent() as first, Silent() as second:
            resolve(loop, first, second)
            connecting = asyncio.ensure_future(
                loop.create_connection(Recorder, "name.test", 1, happy_eyeballs_delay=0.01)
            )
            await asyncio.sleep(0.05)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    run(factory, main())


def failures(error):
    """The addresses whose failures an exception of create_connection() tells of, in their order."""
    if isinstance(error, ExceptionGroup):
        return [str(each) for each in error.exceptions]
    return str(error).removeprefix("Multiple exceptions: ").split(", [")


@both_loops
@pytest.mark.parametrize(
    ("interleave", "delay", "order"),
    [
        (None, None, [0, 1, 2, 3]),
        (1, None, [0, 2, 1, 3]),
        (2, None, [0, 1, 2, 3]),
        (None, 100, [0, 2, 1, 3]),
        (0, 100, [0, 1, 2, 3]),
    ],
)
def test_families_are_interleaved(factory, interleave, delay, order):
    async def main():
        loop = asyncio.get_running_loop()
        six, kept = nobodys(2, "::1")
        four, more = nobodys(2)
        addresses = [*six, *four]
        resolve(loop, *addresses)
        with pytest.raises(OSError, match="Multiple exceptions") as caught:
            await loop.create_connection(
                Recorder, "name.test", 1, interleave=interleave, happy_eyeballs_delay=delay
            )
        told = failures(caught.value)
        assert len(told) == 4
        for text, index in zip(told, order, strict=True):
            host, port = addresses[index]
            assert f"('{host}', {port}" in text
        for sock in kept + more:
            sock.close()

    run(factory, main())


@both_loops
@pytest.mark.skipif(sys.version_info < (3, 12), reason="all_errors is new in Python 3.12")
@pytest.mark.parametrize("delay", [None, 0.01])
def test_all_errors_are_a_group(factory, delay):
    async def main():
        loop = asyncio.get_running_loop()
        refusing, kept = nobodys(3)
        resolve(loop, *refusing)
        with pytest.raises(ExceptionGroup, match="create_connection failed") as caught:
            await loop.create_connection(
                Recorder, "name.test", 1, all_errors=True, happy_eyeballs_delay=delay
            )
        assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError] * 3
        for text, (host, port) in zip(failures(caught.value), refusing, strict=True):
            assert f"('{host}', {port})" in text
        for sock in kept:
            sock.close()

    run(factory, main())


@both_loops
def test_one_failure_is_raised_as_it_is(factory):
    async def main():
        loop = asyncio.get_running_loop()
        (address,), (kept,) = nobodys(1)
        with pytest.raises(ConnectionRefusedError) as caught:
            await loop.create_connection(Recorder, *address)
        assert str(address) in str(caught.value)
        kept.close()

    run(factory, main())


@both_loops
def test_local_addresses_are_bound(factory, listener):
    async def main():
        loop = asyncio.get_running_loop()
        (free,), (kept,) = nobodys(1)
        kept.close()
        transport, protocol = await loop.create_connection(
            Recorder, *listener.getsockname(), local_addr=("127.0.0.1", free[1])
        )
        peer, address = listener.accept()
        assert address == ("127.0.0.1", free[1]) == transport.get_extra_info("sockname")
        with pytest.raises(OSError, match="while attempting to bind on address"):
            await loop.create_connection(Recorder, *listener.getsockname(), local_addr=listener.getsockname())
        with pytest.raises(OSError, match="no matching local address"):
            await loop.create_connection(Recorder, *listener.getsockname(), local_addr=("::1", 0))
        peer.close()
        assert await protocol.lost is None

    run(factory, main())


@both_loops
def test_contradictions_are_refused(factory, listener):
    async def main():
        loop = asyncio.get_running_loop()
        for wrong in (
            {},
            {"host": "127.0.0.1", "port": 1, "sock": listener},
            {"host": "127.0.0.1", "port": 1, "server_hostname": "name.test"},
            {"host": "127.0.0.1", "port": 1, "ssl_handshake_timeout": 1},
            {"host": "127.0.0.1", "port": 1, "ssl_shutdown_timeout": 1},
            {"port": 1, "ssl": True},
        ):
            with pytest.raises(ValueError, match=r"can not|was not|must set|only meaningful"):
                await loop.create_connection(Recorder, **wrong)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with pytest.raises(ValueError, match="Stream Socket was expected"):
            await loop.create_connection(Recorder, sock=sock)
        sock.close()

    run(factory, main())


HOSTS = [
    *(None, "", 17, "localhost"),
    *("127.0.0.1", b"127.0.0.1", "127.1", "0x7f.1", "0", "127.0.0.1\0name"),
    *("::1", "::", "::ffff:127.0.0.1"),
    *("fe80::1%lo", "fe80::1%1", "ff02::1%lo", "fe80::1%no-such-interface", "::1%lo", "127.0.0.1%lo"),
]

NAMES = ["256.0.0.1", "1.2.3.4.5", "127.0.0.1 ", "[::1]", "::1::", "-", "...", "a" * 64, "\ufb00.invalid"]
"""Those that are no address."""

PORTS = [None, 0, 80, "80", b"80", "", "http", b"http", "no-such-service", -1, 65536, 1.5, "80 ", True]
FAMILIES = [socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6]
FLAGS = [0, socket.AI_PASSIVE, socket.AI_NUMERICHOST, socket.AI_CANONNAME | socket.AI_NUMERICSERV]
TYPES = [0, socket.SOCK_STREAM, socket.SOCK_DGRAM]


def asks_a_server(host, family, flags):
    """Whether the C library may go and ask one: that belongs in no test."""
    if flags & socket.AI_NUMERICHOST:
        return False
    # Not every /etc/hosts has both of its addresses.
    return host in NAMES or (host == "localhost" and family != socket.AF_INET)


def outcome(function, *arguments, **options):
    """What a function gives or raises, for a comparison."""
    try:
        return function(*arguments, **options)
    except (OSError, OverflowError, TypeError, ValueError) as error:
        return type(error), getattr(error, "errno", None)


async def eventually(coroutine):
    try:
        return await coroutine
    except (OSError, OverflowError, TypeError, ValueError) as error:
        return type(error), getattr(error, "errno", None)


@both_loops
@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_what_the_system_says(factory, family):
    """A grid of hosts, ports, types and flags: what getaddrinfo() gives is what the C library gives."""

    async def main():
        loop = asyncio.get_running_loop()
        compared = 0
        for host, port, kind, flags in itertools.product(HOSTS + NAMES, PORTS, TYPES, FLAGS):
            if asks_a_server(host, family, flags):
                continue
            told = await eventually(loop.getaddrinfo(host, port, family=family, type=kind, flags=flags))
            expected = outcome(socket.getaddrinfo, host, port, family=family, type=kind, flags=flags)
            assert told == expected, (host, port, kind, flags)
            compared += 1
        return compared

    assert run(factory, main()) > 3000


def tried(factory, host, port, **options):
    """Which addresses create_connection() tries to connect to, or what it raises before."""

    async def main():
        loop = asyncio.get_running_loop()
        addresses = []

        async def connect(sock, address):
            addresses.append((sock.family, address))
            raise ConnectionRefusedError("for the test")

        loop.sock_connect = connect
        outcome = await eventually(loop.create_connection(Recorder, host, port, **options))
        return addresses, outcome

    return run(factory, main())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("flags", FLAGS)
def test_connections_go_where_those_of_asyncio_go(family, flags):
    for host, port in itertools.product(HOSTS + NAMES, PORTS):
        if asks_a_server(host, family, flags):
            continue
        theirs, ours = (
            tried(factory, host, port, family=family, flags=flags) for factory in FACTORIES.values()
        )
        assert ours == theirs, (host, port)


@both_loops
def test_the_scope_of_a_literal_address_survives(factory):
    (loopback,) = (index for index, name in socket.if_nameindex() if name == "lo")
    for host in ("fe80::1%lo", f"fe80::1%{loopback}"):
        addresses, _ = tried(factory, host, 80)
        assert addresses == [(socket.AF_INET6, ("fe80::1", 80, 0, loopback))]

    async def datagrams():
        loop = asyncio.get_running_loop()
        # The address is nobody's here. Without its scope it would be an invalid one.
        with pytest.raises(OSError, match="Cannot assign requested address"):
            await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(f"fe80::1%{loopback}", 0)
            )

    run(factory, datagrams())


@both_loops
def test_an_empty_host_is_what_the_c_library_says(factory):
    async def main():
        loop = asyncio.get_running_loop()
        with pytest.raises(socket.gaierror) as expected:
            socket.getaddrinfo("", 80)
        with pytest.raises(socket.gaierror) as caught:
            await loop.getaddrinfo("", 80)
        assert caught.value.args == expected.value.args
        with pytest.raises(socket.gaierror) as caught:
            await loop.create_connection(Recorder, "", 80)
        assert caught.value.args == expected.value.args
        # For a server it is every interface.
        server = await loop.create_server(Recorder, "", 0)
        hosts = {sock.getsockname()[0] for sock in server.sockets}
        assert hosts <= {"0.0.0.0", "::"}
        assert "0.0.0.0" in hosts
        server.close()
        assert await loop.getaddrinfo(None, 80) == socket.getaddrinfo(None, 80)

    run(factory, main())


@both_loops
def test_names_of_addresses_are_what_the_system_says(factory):
    flags = [0, socket.NI_NUMERICHOST, socket.NI_NUMERICSERV, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV]
    addresses = [
        ("127.0.0.1", 80),
        ("::1", 80),
        ("::1", 80, 0, 0),
        ("127.0.0.1", 0),
        ("127.0.0.1", 70_000),
        ("localhost", 80),
        ("fe80::1%lo", 80),
        ("127.0.0.1",),
        "127.0.0.1",
    ]

    async def main():
        loop = asyncio.get_running_loop()
        for address, flag in itertools.product(addresses, flags):
            if address[0] in ("fe80::1%lo", "::1") and not flag & socket.NI_NUMERICHOST:
                continue
            told = await eventually(loop.getnameinfo(address, flag))
            assert told == outcome(socket.getnameinfo, address, flag), (address, flag)

    run(factory, main())


@both_loops
def test_a_server_listens_on_every_host_that_it_is_given(factory):
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recorder, ["127.0.0.1", "::1"], 0)
        assert {sock.getsockname()[0] for sock in server.sockets} == {"127.0.0.1", "::1"}
        server.close()
        taken = await loop.create_server(Recorder, "127.0.0.1", 0)
        with pytest.raises(OSError, match=r"127\.0\.0\.1.*address already in use"):
            await loop.create_server(Recorder, "127.0.0.1", taken.sockets[0].getsockname()[1])
        taken.close()
        with pytest.raises(socket.gaierror):
            await loop.create_server(Recorder, "fe80::1%no-such-interface", 0)

    run(factory, main())


@both_loops
def test_a_loop_closes_although_a_resolver_hangs(factory, monkeypatch):
    release, begun = threading.Event(), threading.Event()

    def hang(*_, **__):
        begun.set()
        release.wait(50)
        raise socket.gaierror(socket.EAI_AGAIN, "at last")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    loop = factory()

    async def ask():
        asking = asyncio.ensure_future(loop.create_connection(Recorder, "name.test", 80))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    try:
        loop.run_until_complete(ask())
        closing = threading.Thread(target=loop.close)
        closing.start()
        closing.join(20)
        assert loop.is_closed()
    finally:
        release.set()
