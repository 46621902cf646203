"""``python -m pyuv.dns``: asks name servers, for one name or for millions."""

import argparse
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Final

import pyuv
from pyuv._output import discard_output, flush_output

from . import (
    ARES_FLAG_EDNS,
    ARES_FLAG_NOCHECKRESP,
    ARES_FLAG_USEVC,
    Channel,
    DNSError,
    RecordType,
    getaddrinfo,
)
from ._bulk import run
from ._dig import SECTIONS, ask, query, show
from ._engine import Answered
from ._names import type_named
from ._results import ResultsError, resume
from ._status import Exit

PROGRAM: Final = "python -m pyuv.dns"
DNS_PORT: Final = 53
RECEIVE_BUFFER: Final = 4 << 20
"""Room for the answers to as many questions as can be in flight, as far as the system allows it."""

MOST_RETRIES: Final = 0xFFFFFFFF

SWITCHES: Final = ("+short", "+tcp", "+dnssec", "+norecurse")
# What is shown or left out: +noall +answer, +nostats, ...
PARTS: Final = {f"+{no}{part}": (part, not no) for part in SECTIONS for no in ("", "no")}
ALL: Final = {"+all": True, "+noall": False}
TRANSFERS: Final = frozenset({RecordType.AXFR, RecordType.IXFR})
EPILOG: Final = f"""\
words like dig's: {", ".join(SWITCHES)}, +noall, +all, +answer, +nostats and their like.
exit status: 0 records were answered; 1 no such name, or no such records; 2 wrong usage; 3 the server refused
or failed; 4 no answer, or in bulk some failures; 5 a file cannot be read or written; 130 interrupted
"""


class UsageError(Exception):
    """What is wrong with the arguments."""


class NotToBeDoneError(UsageError):
    """The arguments are well written, but what they ask for cannot be done: no help with writing them."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog=PROGRAM, description=__doc__, epilog=EPILOG)
    made.add_argument(
        "words", nargs="*", metavar="NAME [TYPE] [@SERVER[:PORT]] [+short]", help="the question"
    )
    made.add_argument("-x", dest="reverse", metavar="ADDRESS", help="ask for the name of an address")
    made.add_argument("-p", "--port", type=int, help="of servers that name none (53)")
    made.add_argument("-t", "--type", help="the record type (A)")
    made.add_argument("--json", action="store_true", help="print the answer as a JSON object")
    made.add_argument("--short", action="store_true", help="print the records' data only, like +short")
    made.add_argument("--tcp", action="store_true", help="ask over TCP only")
    made.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS", help="of one try (2)")
    made.add_argument("--tries", type=int, default=3, help="how often each server is asked (3)")
    made.add_argument(
        "--version", action="version", version=f"pyuv {pyuv.__version__}, c-ares {pyuv.ARES_VERSION}"
    )
    bulk = made.add_argument_group("many names")
    bulk.add_argument("--file", metavar="NAMES", help="ask for each line's NAME [TYPE]; - is standard input")
    bulk.add_argument("--out", metavar="RESULTS", help="where the lines of JSON go (standard output)")
    bulk.add_argument("--concurrency", type=int, default=256, help="questions in flight (256)")
    bulk.add_argument("--retries", type=int, default=1, help="how often a failure is asked again (1)")
    bulk.add_argument("--resume", action="store_true", help="ask for what RESULTS has no answer to")
    bulk.add_argument("--overwrite", action="store_true", help="replace RESULTS")
    bulk.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    return made


class Question:
    """What the words and options of the command line ask."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.switches = {"+short"} if options.short else set()
        if options.tcp:
            self.switches.add("+tcp")
        self.servers: list[str] = []
        self.sections = SECTIONS
        port = options.port
        if port is not None and not 0 < port < 65536:
            raise UsageError(f"not a port: {port}")
        words = []
        for word in options.words:
            if word.startswith("@"):
                self.servers += servers(word[1:], port or DNS_PORT)
            elif word in SWITCHES:
                self.switches.add(word)
            elif word in ALL:
                self.sections = SECTIONS if ALL[word] else frozenset()
            elif word in PARTS:
                part, shown = PARTS[word]
                self.sections = self.sections | {part} if shown else self.sections - {part}
            elif word.startswith("+"):
                known = ", ".join([*SWITCHES, *ALL, *sorted(PARTS)])
                raise UsageError(f"{word} is none of {known}")
            else:
                words.append(word)
        if options.reverse is not None:
            words = [reverse_name(options.reverse), options.type or "PTR", *words]
        elif options.type is not None:
            words[1:1] = [options.type] if words else []
        if len(words) > 2:
            raise UsageError(f"one name and one type, not {' '.join(words)}")
        if len(words) == 2 and is_type(words[0]) and not is_type(words[1]):
            # As dig takes them, too.
            words.reverse()
        self.name = words[0] if words else None
        self.type = known_type(words[1] if len(words) == 2 else options.type or "A")
        self.port = port
        if self.type in TRANSFERS:
            raise NotToBeDoneError(f"{self.type} is a transfer of a whole zone, which this does not do")


def is_type(word: str) -> bool:
    """Whether a word names a record type."""
    try:
        type_named(word)
    except ValueError:
        return False
    return True


def known_type(word: str) -> RecordType:
    """The record type of that name."""
    if not is_type(word):
        raise UsageError(f"unknown record type: {word}")
    return type_named(word)


def reverse_name(address: str) -> str:
    """The name under which an address has its PTR record."""
    try:
        return ipaddress.ip_address(address).reverse_pointer
    except ValueError:
        raise UsageError(f"not an IP address: {address}") from None


def servers(text: str, default_port: int) -> list[str]:
    """The addresses of `address`, `address:port`, `[address]:port`, `name` or `name:port`."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(f"not a port: {text}")
    number = int(port or default_port)
    try:
        ipaddress.ip_address(host)
        found = [host]
    except ValueError:
        try:
            resolved = getaddrinfo(pyuv.Loop(), host, number, socktype=socket.SOCK_DGRAM)
        except pyuv.error.UVError as error:
            raise NotToBeDoneError(f"no such server: {text}: {pyuv.errno.strerror(error.args[0])}") from None
        except ValueError as error:
            raise NotToBeDoneError(f"no such server: {text}: {error}") from None
        found = [entry[4][0] for entry in resolved]
    return [f"[{address}]:{number}" if ":" in address else f"{address}:{number}" for address in found]


def make_channel(
    loop: pyuv.Loop, options: argparse.Namespace, question: Question, *, flags: int = 0, concurrency: int = 1
) -> Channel:
    """A channel as the command line wants it."""
    flags |= ARES_FLAG_EDNS | (ARES_FLAG_USEVC if "+tcp" in question.switches else 0)
    try:
        return Channel(
            loop,
            servers=question.servers or None,
            timeout=options.timeout,
            tries=options.tries,
            flags=flags,
            # Many questions are for all servers to share.
            rotate=concurrency > 1 and len(question.servers) > 1,
            max_in_flight=concurrency,
            udp_port=question.port,
            tcp_port=question.port,
            socket_receive_buffer_size=RECEIVE_BUFFER,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def dig(options: argparse.Namespace, question: Question) -> int:
    """Asks one question; the exit status."""
    if question.name is None:
        raise UsageError("a NAME, -x ADDRESS or --file NAMES is needed")
    loop = pyuv.Loop()
    # What a server says is shown, whatever it is.
    channel = make_channel(loop, options, question, flags=ARES_FLAG_NOCHECKRESP)
    recurse, dnssec = "+norecurse" not in question.switches, "+dnssec" in question.switches
    try:
        answer = ask(loop, channel, query(question.name, question.type, recurse=recurse, dnssec=dnssec))
    except ValueError as error:
        raise UsageError(str(error)) from None
    short = "+short" in question.switches
    return show(answer, as_json=options.json, short=short, sections=question.sections)


def bulk(options: argparse.Namespace, question: Question) -> int:
    """Asks for every name in a file; the exit status."""
    if question.name is not None:
        raise UsageError(f"--file and a name: {question.name}")
    if options.retries < 0:
        raise UsageError(f"--retries {options.retries} is negative")
    options.retries = min(options.retries, MOST_RETRIES)
    fd, answered = open_results(options)
    try:
        return run(
            lambda loop: make_channel(loop, options, question, concurrency=options.concurrency),
            options.file,
            (fd, options.out or "standard output"),
            record_type=question.type,
            concurrency=options.concurrency,
            retries=options.retries,
            answered=answered,
            quiet=options.quiet,
        )
    finally:
        if options.out is not None:
            os.close(fd)


def open_results(options: argparse.Namespace) -> tuple[int, Answered | None]:
    """Where the results go, and what is answered there already."""
    if options.out is None:
        if options.resume:
            raise UsageError("--resume needs --out")
        if sys.stdout is None:
            raise UsageError("standard output is closed: --out names a file")
        return sys.stdout.fileno(), None
    if options.resume:
        fd = os.open(options.out, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            return fd, resume(fd)
        except ResultsError as error:
            os.close(fd)
            raise UsageError(f"{options.out}: {error}") from None
    fd = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    if os.fstat(fd).st_size and not options.overwrite:
        os.close(fd)
        raise UsageError(f"{options.out} has results: --resume continues, --overwrite replaces them")
    if options.overwrite:
        os.ftruncate(fd, 0)
    return fd, None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the exit status."""
    made = parser()
    options = made.parse_intermixed_args(arguments)
    try:
        question = Question(options)
        status = dig(options, question) if options.file is None else bulk(options, question)
        flush_output()
    except NotToBeDoneError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return Exit.USAGE
    except UsageError as error:
        made.error(str(error))
    except BrokenPipeError:
        discard_output()
        return Exit.PIPE_CLOSED
    except (OSError, DNSError) as error:
        discard_output()
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return Exit.NO_FILE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status


if __name__ == "__main__":
    sys.exit(main())
