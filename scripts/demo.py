"""`make demo`: names, files and addresses, all on one loop, and a table of what was done.

A DNS server of the tests' own answers on loopback from fixtures/zones, so no network is needed. Three jobs
are started and the loop runs once:

- every question of fixtures/names.txt goes to a `pyuv.dns.Channel`;
- `pyuv.fs` makes a tree of folders and files, reads it back, renames it, lists it and removes it;
- `pyuv.util.getaddrinfo` looks up localhost.

Every result is compared with what the zones or the tree must give. The exit status is 1 if one differs.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any

import dns.message
import dns.rcode
import pyuv
import pyuv.dns
from pyuv import fs, util
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "fixtures" / "names.txt"
sys.path.insert(0, str(ROOT / "tests"))

from dnsserver import ZONES, DNSServer, Zones  # noqa: E402

FOLDERS = 8
FILES = 16
LIMIT = 60.0  # seconds after which the demo gives up


def ms(nanoseconds: int) -> str:
    """Nanoseconds, as a table shows them."""
    return f"{nanoseconds / 1e6:.2f} ms"


@dataclass
class Row:
    """One line of a table."""

    cells: tuple[str, ...]
    nanoseconds: int
    wrong: str = ""


@dataclass
class Job:
    """Some of the work, its table, and when it ended."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    open: int = 0
    ended: int = 0

    def add(self, cells: tuple[str, ...], nanoseconds: int, wrong: str = "") -> None:
        self.rows.append(Row(cells, nanoseconds, wrong))
        self.ended = util.hrtime()

    def wrongs(self) -> list[str]:
        """What went wrong, in sentences."""
        found = [f"{self.title}: {row.cells[0]}: {row.wrong}" for row in self.rows if row.wrong]
        return found + [f"{self.title}: {self.open} not finished"] * bool(self.open)

    def table(self) -> Table:
        table = Table(title=self.title, title_justify="left", title_style="bold", header_style="bold")
        for column in self.columns:
            table.add_column(column, overflow="fold")
        table.add_column("time", justify="right", no_wrap=True)
        table.add_column("")
        for row in self.rows:
            verdict = f"[red]{row.wrong}[/]" if row.wrong else "[green]ok[/]"
            table.add_row(*row.cells, ms(row.nanoseconds), verdict)
        return table


# Names


def questions() -> Iterator[tuple[str, str]]:
    """The names and types of the list."""
    for line in NAMES.read_text().splitlines():
        if line and not line.startswith("#"):
            name, kind = line.split()
            yield name, kind


def zone_answer(zones: Zones, name: str, kind: str) -> tuple[int, list[str]]:
    """The status and the records, in a zone file's words, that the zones have for a question."""
    response = zones.answer(dns.message.make_query(name, kind))
    if response.rcode() == dns.rcode.NXDOMAIN:
        return pyuv.dns.ARES_ENOTFOUND, []
    records = sorted(str(record) for records in response.answer for record in records)
    return (pyuv.dns.ARES_SUCCESS if records else pyuv.dns.ARES_ENODATA), records


def in_words(data: Any) -> str:
    """A record's data as a zone file has it."""
    match data:
        case pyuv.dns.A(addr) | pyuv.dns.AAAA(addr):
            return str(addr)
        case pyuv.dns.NS(name) | pyuv.dns.CNAME(name) | pyuv.dns.PTR(name):
            return f"{name}."
        case pyuv.dns.MX(priority, exchange):
            return f"{priority} {exchange}."
        case pyuv.dns.SOA(mname, rname, serial, refresh, retry, expire, minimum):
            return f"{mname}. {rname}. {serial} {refresh} {retry} {expire} {minimum}"
        case pyuv.dns.SRV(priority, weight, port, target):
            return f"{priority} {weight} {port} {target.rstrip('.')}."
        case pyuv.dns.TXT():
            return " ".join(f'"{string.decode()}"' for string in data.strings)
    raise ValueError(f"the demo does not know {data!r}")


def shortened(records: list[str], most: int = 3) -> str:
    """Records for a table, the first few of them."""
    more = [f"… {len(records)} in all"] * (len(records) > most)
    return "\n".join(records[:most] + more)


def resolve(channel: pyuv.dns.Channel, zones: Zones) -> Job:
    """Asks every question of the list at once."""
    job = Job("names: pyuv.dns.Channel", ("name", "type", "answer"))

    def ask(name: str, kind: str) -> None:
        asked = util.hrtime()

        def answered(message: pyuv.dns.Message | None, error: int | None) -> None:
            job.open -= 1
            took = util.hrtime() - asked
            status = error or pyuv.dns.ARES_SUCCESS
            records = (
                sorted(in_words(record.data) for record in message.answer) if not error and message else []
            )
            expected = zone_answer(zones, name, kind)
            wrong = "" if (status, records) == expected else f"not what the zone has: {expected}"
            shown = f"[dim]{pyuv.dns.strerror(error)}[/]" if error else shortened(records)
            job.add((name, kind, shown), took, wrong)

        job.open += 1
        channel.query(name, kind, answered)

    for name, kind in questions():
        ask(name, kind)
    return job


# Files

# A name, a function of pyuv.fs, and the arguments of each call, all of which are to be in flight at once.
Step = tuple[str, Callable[..., Any], list[tuple[Any, ...]]]


class TreeError(Exception):
    """A result that is not what the tree must give."""


def expect(true: bool, what: str) -> None:
    if not true:
        raise TreeError(what)


def tree(root: Path) -> Generator[Step, list[fs.FSRequest], None]:
    """What is done with the files: each `yield` hands a step over and gets its finished requests, in the
    order of the calls."""
    folders = [root / f"folder-{number}" for number in range(FOLDERS)]
    contents = {
        folder / f"file-{number}": f"{folder.name}/{number}\n".encode() * (number**2 + 1)
        for folder in folders
        for number in range(FILES)
    }
    sizes = [len(data) for data in contents.values()]
    links = {folder / "link": "file-0" for folder in folders}
    renamed = {path: path.with_name(f"{path.name}.renamed") for path in contents}

    def every(
        function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], note: str = ""
    ) -> Generator[Step, list[fs.FSRequest], list[Any]]:
        """A step that must succeed; gives the results."""
        requests = yield function.__name__ + note, function, list(calls)
        for request in requests:
            if request.error is not None:
                raise TreeError(f"{request.path or request.fd}: {pyuv.errno.strerror(request.error)}")
        return [request.result for request in requests]

    yield from every(fs.mkdir, ((folder,) for folder in folders))

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    fds = yield from every(fs.open, ((path, flags) for path in contents), ", to write")
    written = yield from every(fs.write, zip(fds, contents.values(), strict=True))
    expect(written == sizes, "a write was short")
    yield from every(fs.close, ((fd,) for fd in fds))

    stats = yield from every(fs.stat, ((path,) for path in contents))
    expect([stat.st_size for stat in stats] == sizes, "the sizes are not those of what was written")

    fds = yield from every(fs.open, ((path, os.O_RDONLY) for path in contents), ", to read")
    read = yield from every(fs.read, ((fd, 65536) for fd in fds))
    expect(read == list(contents.values()), "what was read is not what was written")
    yield from every(fs.close, ((fd,) for fd in fds))

    yield from every(fs.symlink, ((target, link) for link, target in links.items()))
    targets = yield from every(fs.readlink, ((link,) for link in links))
    expect(targets == list(links.values()), f"the links say {targets}")

    yield from every(fs.rename, renamed.items())
    found = {path: path.read_bytes() for path in root.rglob("*.renamed")}
    expect(found == {renamed[path]: data for path, data in contents.items()}, "Python finds another tree")

    listings = yield from every(fs.scandir, ((folder,) for folder in folders))
    for folder, listing in zip(folders, listings, strict=True):
        names = {path.name: fs.UV_DIRENT_FILE for path in renamed.values() if path.parent == folder}
        names["link"] = fs.UV_DIRENT_LINK
        expect({entry.name: entry.type for entry in listing} == names, f"{folder.name} lists other names")

    yield from every(fs.unlink, ((path,) for path in [*renamed.values(), *links]))
    yield from every(fs.rmdir, ((folder,) for folder in folders))
    requests = yield "stat, of nothing", fs.stat, [(folder,) for folder in folders]
    errors = {request.error for request in requests}
    expect(errors == {pyuv.errno.UV_ENOENT}, f"removed folders answer with {errors}")
    expect(not list(root.iterdir()), "something is left")


def work_on_files(loop: pyuv.Loop, root: Path) -> Job:
    """Drives `tree`: makes a step's calls, and starts the next step when the last of them is done."""
    job = Job("files: pyuv.fs", ("operation", "how many", "per second"))
    steps = tree(root)

    def start(step: Step) -> None:
        name, function, calls = step
        begun = util.hrtime()
        job.open = len(calls)

        def done(_: fs.FSRequest) -> None:
            job.open -= 1
            if job.open == 0:
                took = util.hrtime() - begun
                job.add((name, str(len(calls)), f"{len(calls) / took * 1e9:,.0f}"), took)
                go_on(requests)

        requests: list[fs.FSRequest] = [function(loop, *arguments, callback=done) for arguments in calls]

    def go_on(requests: list[fs.FSRequest]) -> None:
        try:
            start(steps.send(requests))
        except StopIteration:
            pass
        except TreeError as error:
            job.rows[-1].wrong = str(error)

    start(next(steps))
    return job


# Addresses


def look_up(loop: pyuv.Loop) -> Job:
    """Asks the system for localhost."""
    job = Job("addresses: pyuv.util.getaddrinfo", ("host", "address", "port"))
    asked = util.hrtime()
    expected = set(socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM))

    def found(result: list[Any] | None, error: int | None) -> None:
        job.open -= 1
        took = util.hrtime() - asked
        if error is not None or not result:
            job.add(("localhost", "", ""), took, pyuv.errno.strerror(error) if error else "no address")
            return
        wrong = "" if set(result) == expected else f"not what socket.getaddrinfo has: {expected}"
        for entry in result:
            host, port = entry[4][:2]
            stranger = "" if ip_address(host).is_loopback else "not a loopback address"
            job.add(("localhost", host, str(port)), took, wrong or stranger)

    job.open = 1
    util.getaddrinfo(loop, "localhost", 80, socktype=socket.SOCK_STREAM, callback=found)
    return job


def main() -> int:
    console = Console() if sys.stdout.isatty() else Console(width=110)
    loop = pyuv.Loop()
    problems: list[str] = []

    def failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        problems.append("".join(traceback.format_exception(kind, error, trace)))

    def give_up(_: pyuv.Timer) -> None:
        problems.append(f"not done after {LIMIT:g} seconds")
        loop.stop()

    loop.excepthook = failed
    watchdog = pyuv.Timer(loop)
    watchdog.start(give_up, LIMIT)
    watchdog.ref = False

    zones = Zones(ZONES)
    with DNSServer() as server, tempfile.TemporaryDirectory(prefix="pyuv-demo-") as folder:
        channel = pyuv.dns.Channel(loop, servers=[server.address], timeout=5.0)
        started = util.hrtime()
        jobs = [resolve(channel, zones), work_on_files(loop, Path(folder)), look_up(loop)]
        loop.run()
        took = util.hrtime() - started
        iterations = loop.metrics().loop_count
        channel.close()
    watchdog.close()
    loop.run()

    for job in jobs:
        console.print(job.table())
        problems += job.wrongs()
    if not problems:
        loop.close()  # an error if anything is still open
    for job in jobs:
        console.print(f"{job.title}: {len(job.rows)} rows, done after {ms(job.ended - started)}")
    console.print(
        f"All on one loop, in {ms(took)} and {iterations} iterations; "
        f"pyuv {pyuv.__version__}, libuv {pyuv.LIBUV_VERSION}, Python {sys.version.split()[0]}."
    )
    for problem in problems:
        console.print(problem, style="red", markup=False)
    console.print("FAILED" if problems else "Every result is what the zones and the tree must give.")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
