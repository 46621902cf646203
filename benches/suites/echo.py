"""Echo servers on loopback: each message that comes is sent back.

The server has one core to itself, the load, compiled C in a closed loop, the other. User and system
time are the server's (`/proc/PID/stat`, in ticks: it takes many rounds for a steady figure).
"pyuv" reads and writes by callbacks; the others by an asyncio `Protocol` on their event loop. The
reference is libuv in C, the very sources that pyuv links: one slab, `uv_try_write` first. Datagrams
end at 64 KiB, so UDP has no 100 KiB; rloop has no Unix pipes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.machine import two_cores
from harness.model import Cell, Column, Limit, Sample, Settings, ratio

NAME = "echo"
TITLE = "Echo"
REFERENCE = "C on libuv"
UVLOOP = "uvloop protocol"

COLUMNS = [
    Column("requests/s", lambda sample: sample.rate),
    Column("p50 µs", lambda sample: sample.p50_us),
    Column("p99 µs", lambda sample: sample.p99_us),
    Column("user µs/request", lambda sample: sample.user_us, 2),
    Column("system µs/request", lambda sample: sample.system_us, 2),
    Column("RSS MiB", lambda sample: sample.rss_kib[-1] / 1024, 1),
]

SIZES = {64: "64 B", 1024: "1 KiB", 16 * 1024: "16 KiB", 100 * 1024: "100 KiB"}
CONNECTIONS = (1, 16, 500)
TRANSPORTS = {"tcp": "TCP", "unix": "Unix pipe", "udp": "UDP"}
LARGEST_DATAGRAM = 65_507
SERVERS = {
    REFERENCE: "",
    "pyuv": "pyuv",
    "pyuv.asyncio protocol": "pyuv.asyncio",
    UVLOOP: "uvloop",
    "rloop protocol": "rloop",
    "asyncio protocol": "asyncio",
}
MISSING = {("unix", "rloop protocol")}
"""What a peer does not have."""


def case(transport: str, size: int, connections: int) -> str:
    noun = "connection" if connections == 1 else "connections"
    return f"{TRANSPORTS[transport]}, {SIZES[size]}, {connections} {noun}"


def limits() -> Iterator[Limit]:
    for size, name in SIZES.items():
        where = case("tcp", size, 16)
        least = 0.85 if size > 16 * 1024 else 0.9
        yield Limit(f"TCP, {name}: requests/s, of C on libuv", where, ratio, at_least=least)
        yield Limit(
            f"TCP, {name}: requests/s, of uvloop's protocol",
            where,
            ratio,
            at_least=1,
            against=UVLOOP,
        )
        yield Limit(
            f"TCP, {name}: user CPU per request, of uvloop's protocol",
            where,
            user_of_reference,
            at_most=0.7,
            against=UVLOOP,
            of_all=True,
        )


def user_of_reference(sample: Sample, reference: Sample) -> float:
    return sample.user_us / reference.user_us


LIMITS = list(limits())


@contextmanager
def cells(settings: Settings) -> Iterator[list[Cell]]:
    yield [
        measured(settings, client, transport, size, connections)
        for transport in TRANSPORTS
        for size in SIZES
        if transport != "udp" or size <= LARGEST_DATAGRAM
        for connections in CONNECTIONS
        for client in SERVERS
        if (transport, client) not in MISSING
    ]


def measured(settings: Settings, client: str, transport: str, size: int, connections: int) -> Cell:
    where = case(transport, size, connections)
    return Cell(where, client, command(settings, client, transport, size, connections), peer=is_peer(client))


def is_peer(client: str) -> bool:
    return client not in (REFERENCE, "pyuv", "pyuv.asyncio protocol")


def command(
    settings: Settings, client: str, transport: str, size: int, connections: int, idle: int = 0
) -> tuple[str, ...]:
    """Runs one server under one load."""
    server = (
        settings.reference("echo_server")
        if client == REFERENCE
        else settings.program("echo_server", "--server", SERVERS[client])
    )
    return command_of(settings, server, transport, size, connections, idle)


def command_of(
    settings: Settings, server: tuple[str, ...], transport: str, size: int, connections: int, idle: int = 0
) -> tuple[str, ...]:
    """Runs this server under one load."""
    server_core, load_core = two_cores()
    cores = ("--server-core", server_core, "--load-core", server_core if load_core is None else load_core)
    load = ("--load", settings.reference("echo_load")[0], *cores, "--transport", transport, "--size", size)
    many = ("--connections", connections, "--idle", idle, *settings.timing)
    return settings.program("echo", *load, *many, "--", *server)
