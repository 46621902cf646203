"""Name servers from Debian's packages, on loopback with an ephemeral port, each for a `with` block.

`Knot` is authoritative for zone files and can sign them; `Unbound` is a resolver that validates. Each is a
process of its own with everything it writes in a temporary folder, and ends with its block. The benchmarks
use this module too, without dnspython: standard library only.
"""

import socket
import struct
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from serverprocess import READY_WITHIN, ServerProcess

SOA = 6

KNOT = """\
server:
    rundir: "{folder}"
    listen: {host}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: error
database:
    storage: "{folder}"
policy:
  - id: tests
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
    dnssec-policy: tests
zone:
"""
KNOT_ZONE = """\
  - domain: "{zone}"
    file: "{file}"
    dnssec-signing: {signed}
"""

UNBOUND = """\
server:
    directory: "{folder}"
    pidfile: ""
    chroot: ""
    username: ""
    use-syslog: no
    logfile: ""
    verbosity: 0
    do-daemonize: no
    num-threads: 1
    interface: {host}@{port}
    do-not-query-localhost: no
    module-config: "validator iterator"
    trust-anchor-signaling: no
    root-key-sentinel: no
    ede: yes
    local-zone: "." refuse
remote-control:
    control-enable: no
"""
# Nothing but these zones is asked for anywhere; without the last line, unbound would answer for some itself.
UNBOUND_ZONE = """\
stub-zone:
    name: "{zone}"
    stub-addr: {host}@{port}
server:
    local-zone: "{zone}" transparent
"""


class Server(ServerProcess):
    """A name server's process, for `zones`."""

    def __init__(self, zones: Iterable[str]) -> None:
        super().__init__()
        self.zones = tuple(zones)

    def wait_until_ready(self, log: Path) -> bool:
        """True when every zone is answered for."""
        waiting = set(self.zones)
        until = time.monotonic() + READY_WITHIN
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.2)
            asker.connect((self.host, self.port))
            while waiting and self.running and time.monotonic() < until:
                zone = next(iter(waiting))
                try:
                    asker.send(question(zone, SOA))
                    answer = asker.recv(4096)
                except (TimeoutError, ConnectionRefusedError):
                    time.sleep(0.02)
                    continue
                if self.is_ready(zone, answer):
                    waiting.remove(zone)
                else:
                    time.sleep(0.02)
        return not waiting

    def is_ready(self, zone: str, answer: bytes) -> bool:
        """Whether this is an answer of a server that has loaded the zone."""
        return answer[3] & 15 == 0 and answer[6:8] != bytes(2)


class Knot(Server):
    """knotd, for the zone files given by name; those in `signed` are signed with keys of its own making."""

    program = "knotd"
    package = "knot"

    def __init__(self, files: Mapping[str, str | Path], *, signed: Iterable[str] = ()) -> None:
        super().__init__(files)
        self.files = {zone: Path(file).resolve() for zone, file in files.items()}
        self.signed = frozenset(signed)

    def configure(self, folder: Path) -> list[str]:
        text = KNOT.format(folder=folder, host=self.host, port=self.port)
        for zone, file in self.files.items():
            signed = "on" if zone in self.signed else "off"
            text += KNOT_ZONE.format(zone=zone, file=file, signed=signed)
        path = folder / "knot.conf"
        path.write_text(text)
        return ["-c", str(path)]


class Unbound(Server):
    """unbound, asking `authority` about `zones`; `anchors` are DNSKEY records it trusts, as text."""

    program = "unbound"
    package = "unbound"

    def __init__(self, authority: Server, zones: Iterable[str], *, anchors: Iterable[str] = ()) -> None:
        super().__init__(zones)
        self.authority = authority
        self.anchors = tuple(anchors)

    def configure(self, folder: Path) -> list[str]:
        text = UNBOUND.format(folder=folder, host=self.host, port=self.port)
        for zone in self.zones:
            text += UNBOUND_ZONE.format(zone=zone, host=self.authority.host, port=self.authority.port)
        for anchor in self.anchors:
            text += f"    trust-anchor: '{anchor}'\n"
        path = folder / "unbound.conf"
        path.write_text(text)
        return ["-d", "-c", str(path)]

    def is_ready(self, zone: str, answer: bytes) -> bool:
        # A zone that does not validate has no answer, and that is one.
        return len(answer) >= 12


def question(name: str, rdtype: int) -> bytes:
    """A query of class IN, as it goes on the wire."""
    labels = [label for label in name.split(".") if label]
    encoded = b"".join(bytes([len(label)]) + label.encode() for label in labels)
    return struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + encoded + struct.pack("!xHH", rdtype, 1)
