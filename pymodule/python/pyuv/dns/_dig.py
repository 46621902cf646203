"""One question and its answer: ``python -m pyuv.dns NAME [TYPE]``."""

import json
import sys
import time
from collections.abc import Iterable
from typing import Final

import pyuv

from . import OPT, Channel, Flags, Message, Question, Record, RecordType, _ede, strerror
from ._engine import to_ascii
from ._status import ANSWERED, NO_DATA, STATUSES, exit_status

# The size that resolvers agreed on in 2020: no fragments on any path.
UDP_SIZE: Final = 1232
DNSSEC_OK: Final = 0x8000


# The parts of what is printed, in dig's words.
COMMENTS: Final = "comments"
SECTIONS: Final = frozenset({COMMENTS, "question", "answer", "authority", "additional", "stats"})


class Answer:
    """What became of one question."""

    def __init__(self, channel: Channel, query: Message) -> None:
        (question,) = query.question
        self.name = question.name
        self.type = question.type
        self.servers = channel.servers
        self.message: Message | None = None
        self.errorno: int | None = None
        self._started = time.perf_counter()
        self.seconds = 0.0
        channel.send(query, self._answered)

    def _answered(self, message: Message | None, errorno: int | None) -> None:
        self.seconds = time.perf_counter() - self._started
        self.message, self.errorno = message, errorno

    @property
    def status(self) -> str:
        """The status in one word."""
        if self.message is None:
            assert self.errorno is not None
            return STATUSES[self.errorno]
        status = str(self.message.rcode)
        return NO_DATA if status == ANSWERED and not self.message.answer else status

    def json(self) -> str:
        """Everything as a JSON object on one line."""
        shown = {
            "name": self.name,
            "type": str(self.type),
            "status": self.status,
            "servers": self.servers,
            "seconds": round(self.seconds, 6),
        }
        if self.message is None:
            assert self.errorno is not None
            return json.dumps(shown | {"reason": strerror(self.errorno)})
        # The message is JSON already.
        return f'{json.dumps(shown)[:-1]}, "message": {self.message.to_json()}}}'

    def short(self) -> str:
        """The data of the records alone, a line for each."""
        records = self.message.answer if self.message is not None else ()
        return "\n".join(str(record.data) for record in records)

    def text(self, sections: frozenset[str] = SECTIONS) -> str:
        """The message, or these parts of it, as dig prints it."""
        comments = COMMENTS in sections
        lines = [f"; <<>> pyuv {pyuv.__version__} <<>> {self.name} {self.type}"] if comments else []
        if self.message is not None:
            lines += _message(self.message, sections)
        elif comments:
            assert self.errorno is not None
            lines += [f";; status: {self.status}: {strerror(self.errorno)}", ""]
        if "stats" in sections:
            lines.append(f";; Query time: {self.seconds * 1000:.1f} msec")
            lines.append(f";; SERVER: {', '.join(self.servers)}")
        return "\n".join(lines)


def query(name: str, record_type: RecordType, *, recurse: bool, dnssec: bool) -> Message:
    """The message that asks, with EDNS; ValueError for a name that cannot be asked for."""
    flags = Flags.AD | (Flags.RD if recurse else Flags(0))
    return Message(
        flags=flags,
        question=[Question(to_ascii(name), record_type)],
        additional=[Record("", OPT(UDP_SIZE, 0, DNSSEC_OK if dnssec else 0, ()))],
    )


def ask(loop: pyuv.Loop, channel: Channel, message: Message) -> Answer:
    """Asks, and waits for the answer."""
    answer = Answer(channel, message)
    loop.run()
    return answer


def show(answer: Answer, *, as_json: bool, short: bool, sections: frozenset[str] = SECTIONS) -> int:
    """Prints an answer, or of it what is asked for; the exit status."""
    text = answer.json() if as_json else answer.short() if short else answer.text(sections)
    if text:
        print(text)
    if not as_json and answer.message is None and (short or COMMENTS not in sections):
        # What is short of an answer is no answer, and not silence.
        assert answer.errorno is not None
        print(f";; {answer.status}: {strerror(answer.errorno)}", file=sys.stderr)
    return exit_status(answer.status)


def _message(message: Message, sections: frozenset[str]) -> list[str]:
    options = [record.data for record in message.additional if isinstance(record.data, OPT)]
    additional = [record for record in message.additional if not isinstance(record.data, OPT)]
    counts = (
        ("QUERY", message.question),
        ("ANSWER", message.answer),
        ("AUTHORITY", message.authority),
        ("ADDITIONAL", message.additional),
    )
    flags = " ".join(flag.name.lower() for flag in Flags if flag in message.flags and flag.name)
    head = f";; ->>HEADER<<- opcode: {message.opcode}, status: {message.rcode}, id: {message.id}"
    totals = ", ".join(f"{title}: {len(section)}" for title, section in counts)
    comments = COMMENTS in sections
    lines = [head, f";; flags: {flags}; {totals}", ""] if comments else []
    for opt in options if comments else ():
        lines.append(";; OPT PSEUDOSECTION:")
        lines.append(f"; EDNS: version: {opt.version}, flags:{_edns_flags(opt)}; udp: {opt.udp_size}")
        lines += [f"; {_option(number, value)}" for number, value in opt.options]
    if "question" in sections:
        asked = [f";{each.name}.\t\t{each.record_class}\t{each.type}" for each in message.question]
        lines += [";; QUESTION SECTION:", *asked, ""] if comments else asked
    for title, records in (
        ("ANSWER", message.answer),
        ("AUTHORITY", message.authority),
        ("ADDITIONAL", additional),
    ):
        if title.lower() in sections:
            lines += _section(title, records, comments=comments)
    return lines


def _option(number: int, value: bytes) -> str:
    error = _ede.described(value) if number == _ede.OPTION else None
    return f"OPT={number}: {value.hex(' ')}" if error is None else f"EDE: {error}"


def _edns_flags(opt: OPT) -> str:
    return " do" if opt.flags & DNSSEC_OK else ""


def _section(title: str, records: Iterable[Record], *, comments: bool) -> list[str]:
    shown = [str(record) for record in records]
    return [f";; {title} SECTION:", *shown, ""] if shown and comments else shown
