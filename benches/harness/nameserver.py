"""knot from Debian as the authoritative server: on loopback, an ephemeral port, one core."""

import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.machine import on_core

ZONE = "bench.test"

# TTL 0 switches caching off for every client alike: c-ares keeps no such record, and pycares has no
# option that turns the cache off.
ZONE_HEAD = f"""\
$ORIGIN {ZONE}.
$TTL 0
@ SOA ns.{ZONE}. nobody.{ZONE}. 1 3600 600 86400 0
@ NS ns.{ZONE}.
ns A 127.0.0.1
"""

CONFIGURATION = """\
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: error
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
  - domain: {zone}
    file: zone
"""

READY_WITHIN = 60.0


class NotInstalledError(Exception):
    """knot is not there and cannot be installed."""


def executable() -> str:
    """Path of knotd, installed from Debian's packages when that is possible."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which("knotd", path=search)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
        found = shutil.which("knotd", path=search)
    if found is None:
        raise NotInstalledError("the dns suite needs Debian's package knot: apt-get install knot")
    return found


def install() -> None:
    # RUNLEVEL=1 keeps the package from starting a server of its own.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "knot"]):
        subprocess.run(["apt-get", "-qq", *command], env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def running(folder: Path, names: int, core: int | None) -> Iterator[str]:
    """Serves `names` addresses n0, n1, ... of ZONE; gives "127.0.0.1:PORT"."""
    knotd = executable()
    write_zone(folder / "zone", names)
    for _ in range(5):  # another program can take the port between the choice and the start
        port = free_port()
        configuration = folder / "knot.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, port=port, zone=ZONE))
        with open(folder / "knot.log", "w") as log, on_core(core):
            server = subprocess.Popen([knotd, "-c", str(configuration)], stdout=log, stderr=log)
        try:
            if wait_until_ready(server, port, names):
                yield f"127.0.0.1:{port}"
                return
        finally:
            server.terminate()
            server.wait(30)
    raise RuntimeError(f"knotd did not start: {(folder / 'knot.log').read_text()}")


def write_zone(path: Path, names: int) -> None:
    with open(path, "w") as zone:
        zone.write(ZONE_HEAD)
        for number in range(names):
            zone.write(f"n{number} A 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\n")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(server: subprocess.Popen[bytes], port: int, names: int) -> bool:
    """True when the last name is answered, False when the server ended first."""
    labels = [f"n{names - 1}", *ZONE.split(".")]
    question = b"".join(bytes([len(label)]) + label.encode() for label in labels)
    query = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + question + struct.pack("!xHH", 1, 1)
    until = time.monotonic() + READY_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.2)
        asker.connect(("127.0.0.1", port))
        while server.poll() is None and time.monotonic() < until:
            try:
                asker.send(query)
                answer = asker.recv(512)
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                time.sleep(0.05)
                continue
            code, answers = answer[3] & 15, int.from_bytes(answer[6:8])
            if code == 0 and answers == 1:
                return True
            time.sleep(0.05)
    return False
