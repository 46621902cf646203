"""A closed loop of A queries from one DNS client: what c/dns.c does, in Python.

    dns_queries.py --client NAME --server 127.0.0.1:PORT --names N --zone bench.test --in-flight N

Every client reads the address of the first answer; whatever is not an address counts as an error. With
--missing the names do not exist, and that is the right answer. (Not called dns.py: dnspython's package has
that name.)
"""

import argparse
import asyncio
import select
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from event_loops import keep_busy, new_loop
from measure import Run

RECEIVE_BUFFER = 4 << 20
"""Room for a burst of 1,000 answers in the socket, asked for wherever the client can be told."""

NOT_FOUND = 4
"""ARES_ENOTFOUND, in pyuv and in pycares."""

Done = Callable[[Any, int | None], None]
Ask = Callable[[str, Any, Done], object]
"""Asks for the records of a name that are of one kind, A."""


@dataclass(frozen=True)
class Task:
    """What a client is to do."""

    run: Run
    names: Iterator[str]
    server: str
    in_flight: int
    missing: bool
    """The names do not exist."""
    tcp: bool
    cache: int
    """Seconds for which answers may be kept; 0 is no cache."""


def first_address(result: Any) -> str:
    """Of pyuv's message, and of pycares 5's, which has the same shape."""
    address: str = result.answer[0].data.addr
    return address


def start(task: Task, ask: Ask, kind: Any, ended: Callable[[], None]) -> None:
    """Starts `in_flight` queries, each answer the next; calls `ended` when the last is answered."""
    outstanding = 0
    run, names, expected = task.run, task.names, NOT_FOUND if task.missing else None

    def answered(result: Any, error: int | None) -> None:
        nonlocal outstanding
        if error != expected or (error is None and not first_address(result)):
            run.errors += 1
        for name in names:
            ask(name, kind, answered)
            return
        outstanding -= 1
        if outstanding == 0:
            ended()

    for _ in range(task.in_flight):
        outstanding += 1
        ask(next(names), kind, answered)


def start_nested(task: Task, ask: Ask, kind: Any, ended: Callable[[], None]) -> None:
    """The same for clients that may answer from inside the call that asks, as c-ares does from its cache."""
    outstanding, filling = 0, False
    run, names, expected = task.run, task.names, NOT_FOUND if task.missing else None

    def answered(result: Any, error: int | None) -> None:
        nonlocal outstanding
        if error != expected or (error is None and not first_address(result)):
            run.errors += 1
        outstanding -= 1
        if not filling:
            fill()

    def fill() -> None:
        nonlocal outstanding, filling
        filling = True
        while outstanding < task.in_flight:
            for name in names:
                outstanding += 1
                ask(name, kind, answered)
                break
            else:
                break
        filling = False
        if outstanding == 0:
            ended()

    fill()


def pyuv_channel(task: Task) -> str:
    import pyuv
    from pyuv import dns

    loop = pyuv.Loop()
    channel = dns.Channel(
        loop,
        servers=[task.server],
        max_in_flight=task.in_flight,
        query_cache_max_ttl=task.cache,
        flags=dns.ARES_FLAG_EDNS | (dns.ARES_FLAG_USEVC | dns.ARES_FLAG_STAYOPEN if task.tcp else 0),
    )
    start(task, channel.query, "A", channel.close)
    loop.run()
    return f"pyuv {pyuv.__version__}"


def pycares_flags(task: Task) -> int:
    import pycares

    over_tcp: int = pycares.ARES_FLAG_USEVC | pycares.ARES_FLAG_STAYOPEN
    edns: int = pycares.ARES_FLAG_EDNS
    return edns | over_tcp if task.tcp else edns


def pycares_epoll(task: Task) -> str:
    """pycares on the caller's own loop, with epoll: one thread, like c/dns.c."""
    import pycares

    epoll = select.epoll()
    watched: set[int] = set()

    def on_state(fd: int, readable: bool, writable: bool) -> None:
        events = (select.EPOLLIN if readable else 0) | (select.EPOLLOUT if writable else 0)
        if not events:
            watched.discard(fd)
            epoll.unregister(fd)
        elif fd in watched:
            epoll.modify(fd, events)
        else:
            watched.add(fd)
            epoll.register(fd, events)

    over = False

    def ended() -> None:
        nonlocal over
        over = True

    channel = pycares.Channel(
        servers=[task.server],
        flags=pycares_flags(task),
        sock_state_cb=on_state,
        socket_receive_buffer_size=RECEIVE_BUFFER,
    )
    query, kind = channel.query, pycares.QUERY_TYPE_A
    start_nested(task, lambda name, kind, done: query(name, kind, callback=done), kind, ended)
    readable_events, none = ~select.EPOLLOUT, pycares.ARES_SOCKET_BAD
    timeout: Callable[[], float] = channel.timeout
    while not over:
        # 0 is both "now" and "never".
        ready = epoll.poll(timeout() or 0.001)
        for fd, events in ready:
            channel.process_fd(
                fd if events & readable_events else none,
                fd if events & select.EPOLLOUT else none,
            )
        if not ready:
            channel.process_fd(none, none)
    channel.close()
    return f"pycares {pycares.__version__}"


def pycares_thread(task: Task) -> str:
    """pycares as it comes: c-ares's own event thread calls back."""
    import pycares

    over = threading.Event()
    channel = pycares.Channel(
        servers=[task.server],
        flags=pycares_flags(task),
        socket_receive_buffer_size=RECEIVE_BUFFER,
    )
    query, kind = channel.query, pycares.QUERY_TYPE_A

    def from_its_thread(result: Any, error: int | None) -> None:
        """Everything, the first queries too, is done on c-ares's thread: no lock is needed."""
        start_nested(task, lambda name, kind, done: query(name, kind, callback=done), kind, over.set)

    query(next(task.names), kind, callback=from_its_thread)
    over.wait()
    channel.close()
    return f"pycares {pycares.__version__}"


async def pyuv_resolver(task: Task) -> str:
    import pyuv
    from pyuv import dns
    from pyuv.asyncio.dns import Resolver

    over_tcp = dns.ARES_FLAG_USEVC | dns.ARES_FLAG_STAYOPEN if task.tcp else 0
    resolver = Resolver(
        [task.server],
        query_cache_max_ttl=task.cache,
        flags=dns.ARES_FLAG_EDNS | over_tcp,
    )

    async def ask(name: str) -> bool:
        try:
            return bool(first_address(await resolver.query(name, "A")))
        except dns.DNSError as error:
            return task.missing and error.code == NOT_FOUND

    await keep_busy(task.run, task.names, task.in_flight, ask)
    resolver.close()
    return f"pyuv {pyuv.__version__}"


async def pyuv_aiodns(task: Task) -> str:
    import pyuv
    from pyuv import dns
    from pyuv.asyncio import aiodns

    over_tcp = dns.ARES_FLAG_USEVC | dns.ARES_FLAG_STAYOPEN if task.tcp else 0
    resolver = aiodns.DNSResolver(
        [task.server], flags=dns.ARES_FLAG_EDNS | over_tcp, socket_receive_buffer_size=RECEIVE_BUFFER
    )

    async def ask(name: str) -> bool:
        try:
            return bool(first_address(await resolver.query_dns(name, "A")))
        except aiodns.error.DNSError as error:
            return task.missing and error.args[0] == NOT_FOUND

    await keep_busy(task.run, task.names, task.in_flight, ask)
    await resolver.close()
    return f"pyuv {pyuv.__version__}"


async def aiodns_resolver(task: Task) -> str:
    import aiodns

    resolver = aiodns.DNSResolver(
        nameservers=[task.server], flags=pycares_flags(task), socket_receive_buffer_size=RECEIVE_BUFFER
    )

    async def ask(name: str) -> bool:
        try:
            return bool(first_address(await resolver.query_dns(name, "A")))
        except aiodns.error.DNSError as error:
            return task.missing and error.args[0] == NOT_FOUND

    await keep_busy(task.run, task.names, task.in_flight, ask)
    await resolver.close()
    return f"aiodns {aiodns.__version__}"


async def dnspython_resolver(task: Task) -> str:
    import dns.asyncresolver
    import dns.resolver
    import dns.version

    resolver = dns.asyncresolver.Resolver(configure=False)
    address, _, port = task.server.rpartition(":")
    resolver.nameservers = [address]
    resolver.port = int(port)
    if task.cache:
        resolver.cache = dns.resolver.LRUCache()

    async def ask(name: str) -> bool:
        try:
            answer = await resolver.resolve(name, "A", search=False, tcp=task.tcp)
        except dns.resolver.NXDOMAIN:
            return task.missing
        return bool(answer[0].address)

    await keep_busy(task.run, task.names, task.in_flight, ask)
    return f"dnspython {dns.version.version}"


CALLBACK_CLIENTS = {
    "pyuv": pyuv_channel,
    "pycares": pycares_epoll,
    "pycares-thread": pycares_thread,
}
ASYNC_CLIENTS = {
    "aiodns": aiodns_resolver,
    "dnspython": dnspython_resolver,
    "pyuv.asyncio": pyuv_resolver,
    "pyuv.asyncio.aiodns": pyuv_aiodns,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=[*CALLBACK_CLIENTS, *ASYNC_CLIENTS])
    parser.add_argument("--loop", default="asyncio", choices=["asyncio", "uvloop", "pyuv.asyncio"])
    parser.add_argument("--server", required=True)
    parser.add_argument("--names", type=int, required=True)
    parser.add_argument("--zone", required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--prefix", default="n")
    parser.add_argument("--missing", type=int, default=0)
    parser.add_argument("--tcp", type=int, default=0)
    parser.add_argument("--cache", type=int, default=0)
    parser.add_argument("--operations", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()

    run = Run(options.seconds, options.warmup, options.operations)
    names = run.items([f"{options.prefix}{number}.{options.zone}" for number in range(options.names)])
    task = Task(
        run,
        names,
        options.server,
        options.in_flight,
        missing=bool(options.missing),
        tcp=bool(options.tcp),
        cache=options.cache,
    )
    if options.client in CALLBACK_CLIENTS:
        version = CALLBACK_CLIENTS[options.client](task)
    else:
        with asyncio.Runner(loop_factory=new_loop(options.loop)) as runner:
            version = runner.run(ASYNC_CLIENTS[options.client](task))
    run.report(version)


main()
