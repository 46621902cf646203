"""An authoritative DNS server on loopback, for the tests and the demo.

It answers from zone files, over UDP and TCP on one ephemeral port, in a process of its own::

    with DNSServer() as server:
        channel = pyuv.dns.Channel(loop, servers=[server.address])

Names whose first label is one of these misbehave, whatever the zones say:

=================  ======================================================
``timeout``        no answer, ever
``delay-MS``       the zone's answer after MS milliseconds
``truncate``       no answer but the flag TC over UDP, the zone's over TCP
``tcp-only``       no answer over UDP, the zone's over TCP
``servfail``       SERVFAIL; likewise ``refused``, ``formerr``, ``notimp``
``garbage``        bytes that are no message
=================  ======================================================

As a script, ``python tests/dnsserver.py [--zone FILE]... [--host ADDRESS] [--port PORT]`` prints its
port on a line and serves until its standard input ends.
"""

import argparse
import asyncio
import contextlib
import pathlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

ZONES = sorted((pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "zones").glob("*.zone"))
# The size that resolvers agreed on in 2020: no fragments on any path.
UDP_SIZE = 1232
CNAME_LIMIT = 8
CACHE_LIMIT = 100_000
RCODES = {
    b"servfail": dns.rcode.SERVFAIL,
    b"refused": dns.rcode.REFUSED,
    b"formerr": dns.rcode.FORMERR,
    b"notimp": dns.rcode.NOTIMP,
}

Reply = Callable[[bytes], None]


class Zones:
    """Zone files, and the answers they give (RFC 1034, 4.3.2)."""

    def __init__(self, paths: Iterable[str | pathlib.Path]) -> None:
        zones = [dns.zone.from_file(str(path), relativize=False) for path in paths]
        # The longest origin first: the closest zone answers.
        self.zones = sorted(zones, key=lambda zone: -len(zone.origin or ()))

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The whole answer, however large."""
        response = dns.message.make_response(query, our_payload=UDP_SIZE)
        question = query.question[0]
        name = question.name
        for _ in range(CNAME_LIMIT):
            zone = self._zone(name)
            if zone is None:
                if not response.answer:
                    response.set_rcode(dns.rcode.REFUSED)
                return response
            response.flags |= dns.flags.AA
            node = self._node(zone, name)
            if node is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
            sets = self._select(node, question.rdtype)
            if not sets:
                response.authority.append(
                    self._rrset(zone.origin, zone.get_rdataset(zone.origin, dns.rdatatype.SOA))
                )
                return response
            response.answer += [self._rrset(name, rdataset) for rdataset in sets]
            cname = sets[0].rdtype == dns.rdatatype.CNAME
            if not cname or question.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.ANY):
                return response
            name = sets[0][0].target
        return response

    def _zone(self, name: dns.name.Name) -> dns.zone.Zone | None:
        return next((zone for zone in self.zones if name.is_subdomain(zone.origin)), None)

    @staticmethod
    def _node(zone: dns.zone.Zone, name: dns.name.Name) -> dns.node.Node | None:
        if name in zone.nodes:
            return zone.nodes[name]
        if any(other.is_subdomain(name) for other in zone.nodes):
            return dns.node.Node()  # an empty non-terminal
        encloser = name.parent()
        while not any(other.is_subdomain(encloser) for other in zone.nodes):
            encloser = encloser.parent()
        return zone.nodes.get(dns.name.Name((b"*", *encloser.labels)))

    @staticmethod
    def _select(node: dns.node.Node | None, rdtype: dns.rdatatype.RdataType) -> list:
        if node is None:
            return []
        if rdtype == dns.rdatatype.ANY:
            return list(node.rdatasets)
        wanted = (rdtype, dns.rdatatype.CNAME)
        return [rdataset for rdataset in node.rdatasets if rdataset.rdtype in wanted]

    @staticmethod
    def _rrset(name: dns.name.Name, rdataset) -> dns.rrset.RRset:
        rrset = dns.rrset.RRset(name, rdataset.rdclass, rdataset.rdtype)
        rrset.update(rdataset)
        return rrset


class Server:
    """Answers on one UDP and one TCP socket."""

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        # From query to answer, both without their id: encoding is what costs time here.
        self._cache: dict[tuple[bool, bytes], bytes] = {}

    def handle(self, wire: bytes, tcp: bool, reply: Reply) -> None:
        """Gives `reply` the answer to one query, now, later or never."""
        cached = self._cache.get((tcp, wire[2:]))
        if cached is not None:
            reply(wire[:2] + cached)
            return
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return
        if len(query.question) != 1:
            return
        label = query.question[0].name.labels[0].lower()
        if label in RCODES:
            response = dns.message.make_response(query)
            response.set_rcode(RCODES[label])
            reply(response.to_wire())
        elif label == b"timeout" or (label == b"tcp-only" and not tcp):
            return
        elif label == b"garbage":
            reply(wire[:2] + b"\xff" * 30)
        elif label == b"truncate" and not tcp:
            reply(self._truncated(query))
        elif label.startswith(b"delay-"):
            seconds = int(label[len(b"delay-") :]) / 1000
            asyncio.get_running_loop().call_later(seconds, reply, self._encode(query, tcp))
        else:
            answer = self._encode(query, tcp)
            if len(self._cache) < CACHE_LIMIT:
                self._cache[tcp, wire[2:]] = answer[2:]
            reply(answer)

    def _encode(self, query: dns.message.Message, tcp: bool) -> bytes:
        response = self.zones.answer(query)
        size = 65535 if tcp else max(512, min(query.payload, UDP_SIZE)) if query.edns >= 0 else 512
        try:
            return response.to_wire(max_size=size)
        except dns.exception.TooBig:
            return self._truncated(query)

    @staticmethod
    def _truncated(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC | dns.flags.AA
        return response.to_wire()

    async def serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the queries of one TCP connection until its client ends it."""

        def reply(answer: bytes) -> None:
            if not writer.is_closing():
                writer.write(len(answer).to_bytes(2) + answer)

        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                self.handle(await reader.readexactly(length), True, reply)
                await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, peer: tuple) -> None:
        self.server.handle(data, False, lambda answer: self.transport.sendto(answer, peer))


def bind(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on one port; `port` 0 finds one that both can have."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        udp.bind((host, port))
        try:
            tcp = socket.create_server((host, udp.getsockname()[1]), family=family)
        except OSError:
            udp.close()
            if port:
                raise
            continue
        udp.setblocking(False)
        return udp, tcp


async def serve(zones: Zones, udp: socket.socket, tcp: socket.socket) -> None:
    """Serves until standard input ends."""
    server = Server(zones)
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Datagrams(server), sock=udp)
    await asyncio.start_server(server.serve_stream, sock=tcp)
    stopped = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stopped), sys.stdin)
    while await stopped.read(4096):
        pass


class DNSServer:
    """The server in a child process, between the two ends of a `with` block."""

    def __init__(self, *zones: str | pathlib.Path, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0
        self._zones = zones or ZONES
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """``address:port`` or ``[v6]:port``, as `Channel` takes servers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __enter__(self) -> "DNSServer":
        command = [sys.executable, __file__, "--host", self.host]
        for zone in self._zones:
            command += ["--zone", str(zone)]
        # The child ends with its standard input, so also when this process is killed.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.__exit__()
            raise RuntimeError("the DNS server did not start; its error stands above")
        self.port = int(line)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.communicate()


def main() -> None:
    """Serves the zones named on the command line."""
    parser = argparse.ArgumentParser(description="An authoritative DNS server for tests.")
    parser.add_argument("--zone", action="append", help="a zone file (default: all of fixtures/zones)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to serve on")
    parser.add_argument("--port", type=int, default=0, help="the port (default: a free one)")
    options = parser.parse_args()
    zones = Zones(options.zone or ZONES)
    udp, tcp = bind(options.host, options.port)
    print(udp.getsockname()[1], flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(zones, udp, tcp))


if __name__ == "__main__":
    main()
