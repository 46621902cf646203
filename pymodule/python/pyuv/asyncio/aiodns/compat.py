"""``aiodns.compat``: the results of pycares 4, which `query` and `gethostbyname` give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ... import dns
from .error import ARES_ENODATA, DNSError
from .pycares import DNSRecord, _records

__all__ = [
    "AresHostResult",
    "AresQueryAAAAResult",
    "AresQueryAResult",
    "AresQueryCAAResult",
    "AresQueryCNAMEResult",
    "AresQueryMXResult",
    "AresQueryNAPTRResult",
    "AresQueryNSResult",
    "AresQueryPTRResult",
    "AresQuerySOAResult",
    "AresQuerySRVResult",
    "AresQueryTXTResult",
    "QueryResult",
]


@dataclass(frozen=True, slots=True)
class AresQueryAResult:
    """An IPv4 address."""

    host: str
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryAAAAResult:
    """An IPv6 address."""

    host: str
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryCNAMEResult:
    """The name that an alias stands for."""

    cname: str
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryMXResult:
    """A mail exchanger."""

    host: str
    priority: int
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryNSResult:
    """A name server."""

    host: str
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryTXTResult:
    """Text: str if it is ASCII, otherwise bytes."""

    text: str | bytes
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQuerySOAResult:
    """The start of a zone. Times are in seconds."""

    nsname: str
    hostmaster: str
    serial: int
    refresh: int
    retry: int
    expires: int
    minttl: int
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQuerySRVResult:
    """Where a service is."""

    host: str
    port: int
    priority: int
    weight: int
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryNAPTRResult:
    """A rule that rewrites the name."""

    order: int
    preference: int
    flags: str
    service: str
    regex: str
    replacement: str
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryCAAResult:
    """Who may issue certificates."""

    critical: int
    property: str
    value: str
    ttl: int


@dataclass(frozen=True, slots=True)
class AresQueryPTRResult:
    """A pointer to another name."""

    name: str
    ttl: int
    aliases: list[str]


@dataclass(frozen=True, slots=True)
class AresHostResult:
    """What is known of a host."""

    name: str
    aliases: list[str]
    addresses: list[str]


QueryResult: TypeAlias = Any
"""What `query` gives: a list of results, or one for the types CNAME, PTR and SOA."""

# The types of which a name has one record.
_SINGLE = {dns.RecordType.CNAME, dns.RecordType.PTR, dns.RecordType.SOA}

_OF_DATA: dict[type, Callable[[Any, int], Any]] = {
    dns.A: lambda data, ttl: AresQueryAResult(data.addr, ttl),
    dns.AAAA: lambda data, ttl: AresQueryAAAAResult(data.addr, ttl),
    dns.CAA: lambda data, ttl: AresQueryCAAResult(data.critical, data.tag, data.value, ttl),
    dns.CNAME: lambda data, ttl: AresQueryCNAMEResult(data.cname, ttl),
    dns.MX: lambda data, ttl: AresQueryMXResult(data.exchange, data.priority, ttl),
    dns.NAPTR: lambda data, ttl: AresQueryNAPTRResult(
        data.order, data.preference, data.flags, data.service, data.regexp, data.replacement, ttl
    ),
    dns.NS: lambda data, ttl: AresQueryNSResult(data.nsdname, ttl),
    dns.PTR: lambda data, ttl: AresQueryPTRResult(data.dname, ttl, []),
    dns.SOA: lambda data, ttl: AresQuerySOAResult(
        data.mname,
        data.rname,
        data.serial,
        data.refresh,
        data.retry,
        data.expire,
        data.minimum,
        ttl,
    ),
    dns.SRV: lambda data, ttl: AresQuerySRVResult(data.target, data.port, data.priority, data.weight, ttl),
    dns.TXT: lambda data, ttl: AresQueryTXTResult(_text(data.data), ttl),
}


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        return data


def _of_record(record: dns.Record) -> Any:
    """The result of pycares 4 for a record, or that of pycares 5 where it has none; None without any."""
    convert = _OF_DATA.get(type(record.data))
    if convert is not None:
        return convert(record.data, record.ttl)
    known: list[DNSRecord] = _records((record,))
    return known[0] if known else None


def _of_message(message: dns.Message, wanted: int) -> QueryResult:
    """The records of the type that was asked for. Raises DNSError where there are none."""
    if wanted == dns.RecordType.ANY:
        return [found for record in message.answer if (found := _of_record(record)) is not None]
    results = [_of_record(record) for record in message.answer if record.type == wanted]
    if not results:
        raise DNSError(ARES_ENODATA, dns.strerror(ARES_ENODATA))
    return results[0] if wanted in _SINGLE else results
