"""What a `FaultServer` can do to a query; `answer` is the right thing, the others are not."""

import asyncio
import struct

from faultserver import Fault, Query

ADDRESS = bytes([192, 0, 2, 1])
A = 1
TXT = 16
POINTER_TO_QUESTION = b"\xc0\x0c"
QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100


def message(
    query: Query,
    *records: bytes,
    id: bytes | None = None,
    question: bytes | None = None,
    flags: int = QR | AA | RD,
    rcode: int = 0,
) -> bytes:
    """An answer to the query with these records."""
    head = struct.pack("!5H", flags | rcode, 1, len(records), 0, 0)
    return b"".join([id or query.wire[:2], head, question or query.question, *records])


def address(data: bytes = ADDRESS, owner: bytes = POINTER_TO_QUESTION) -> bytes:
    """A record of type A."""
    return record(A, data, owner)


def record(rdtype: int, data: bytes, owner: bytes = POINTER_TO_QUESTION) -> bytes:
    """A record of any type, of class IN."""
    return owner + struct.pack("!HHIH", rdtype, 1, 300, len(data)) + data


def answer(query: Query) -> None:
    """One address."""
    query.send(message(query, address()))


def drop(query: Query) -> None:
    """Silence."""


def delay(seconds: float) -> Fault:
    """The answer, late."""

    async def fault(query: Query) -> None:
        await asyncio.sleep(seconds)
        answer(query)

    return fault


def twice(query: Query) -> None:
    """The answer, and again."""
    answer(query)
    answer(query)


def truncate(query: Query) -> None:
    """Nothing but the flag TC over UDP; the answer over TCP."""
    if query.tcp:
        answer(query)
    else:
        query.send(message(query, flags=QR | AA | RD | TC))


def truncate_always(query: Query) -> None:
    """The flag TC over TCP too."""
    query.send(message(query, address(), flags=QR | AA | RD | TC))


def wrong_port(query: Query) -> None:
    """The answer, from a port that was not asked."""
    query.send_from_elsewhere(message(query, address()))


def wrong_id(query: Query) -> None:
    """The answer to another query."""
    query.send(message(query, address(), id=bytes(byte ^ 0xFF for byte in query.wire[:2])))


def wrong_question(query: Query) -> None:
    """The answer to another question."""
    query.send(message(query, address(), question=b"\5other\7example\0\0\1\0\1"))


def wrong_type(query: Query) -> None:
    """The answer to a question for another type."""
    query.send(message(query, address(), question=query.question[:-4] + b"\0\x1c\0\1"))


def garbage(query: Query) -> None:
    """Bytes that are no message, but for the id."""
    query.send(query.wire[:2] + bytes([0xFF]) * 40)


def noise(query: Query) -> None:
    """Bytes that are no message at all."""
    query.send(bytes(range(7, 90)))


def empty(query: Query) -> None:
    """A datagram of nothing, a TCP message of length 0."""
    query.send(b"")


def echo(query: Query) -> None:
    """The query itself."""
    query.send(query.wire)


def header_alone(query: Query) -> None:
    """A header that promises a question and a record, and ends."""
    query.send(query.wire[:2] + struct.pack("!5H", QR, 1, 1, 0, 0))


def cut_short(query: Query) -> None:
    """An answer without its last byte."""
    query.send(message(query, address())[:-1])


def many_promised(query: Query) -> None:
    """65,535 records promised in each section, none there."""
    query.send(query.wire[:2] + struct.pack("!5H", QR, 1, 0xFFFF, 0xFFFF, 0xFFFF) + query.question)


def loop_of_one(query: Query) -> None:
    """A name that is a pointer to itself."""
    at = 12 + len(query.question)
    query.send(message(query, address(owner=struct.pack("!H", 0xC000 | at))))


def loop_of_two(query: Query) -> None:
    """Two names that point to each other."""
    at = 12 + len(query.question)
    there, back = struct.pack("!H", 0xC000 | (at + 16)), struct.pack("!H", 0xC000 | at)
    query.send(message(query, address(owner=there), address(owner=back)))


def pointer_forward(query: Query) -> None:
    """A name that points behind the end of the message."""
    query.send(message(query, address(owner=b"\xff\xff")))


def rcode(number: int) -> Fault:
    """An answer without records, but an rcode."""

    def fault(query: Query) -> None:
        query.send(message(query, rcode=number))

    return fault


servfail, notimp, refused, formerr = rcode(2), rcode(4), rcode(5), rcode(1)


def over_tcp(fault: Fault) -> Fault:
    """The fault over TCP, where the flag TC has sent the client."""

    def either(query: Query):
        return fault(query) if query.tcp else truncate(query)

    return either


def close(query: Query) -> None:
    """The end of the TCP connection, instead of an answer."""
    query.close()


def reset(query: Query) -> None:
    """RST, instead of an answer."""
    query.reset()


def half_then_close(query: Query) -> None:
    """The first half of an answer, and the end of the connection."""
    whole = message(query, address())
    query.send_raw(len(whole).to_bytes(2) + whole[: len(whole) // 2])
    query.close()


def length_then_silence(query: Query) -> None:
    """The length of an answer that never comes."""
    query.send_raw(b"\xff\xff")


def largest(query: Query) -> bytes:
    """An answer of exactly 65,535 bytes: 4,000 addresses, and text that fills the rest."""
    numbers = range(0xC6336400, 0xC6336400 + 4000)
    whole = message(query, *(address(number.to_bytes(4)) for number in numbers), record(TXT, b""))
    room = 65535 - len(whole)
    strings = b""
    while len(strings) < room:
        length = min(255, room - len(strings) - 1)
        strings += bytes([length]) + b"x" * length
    addresses = (address(number.to_bytes(4)) for number in numbers)
    return message(query, *addresses, record(TXT, strings))


def single_bytes(query: Query):
    """An answer of 64 KiB over TCP, one byte in each segment."""
    if not query.tcp:
        return truncate(query)

    async def bytewise() -> None:
        assert query.writer is not None
        whole = largest(query)
        for byte in len(whole).to_bytes(2) + whole:
            query.send_raw(bytes([byte]))
            await query.writer.drain()
            await asyncio.sleep(0)

    return bytewise()
