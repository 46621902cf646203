"""The numbers of pycares 5, and its results, which `query_dns`, `getaddrinfo`, `getnameinfo` and
`gethostbyaddr` give.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ... import dns
from ...dns import (
    ARES_FLAG_EDNS,
    ARES_FLAG_IGNTC,
    ARES_FLAG_NO_DFLT_SVR,
    ARES_FLAG_NOALIASES,
    ARES_FLAG_NOCHECKRESP,
    ARES_FLAG_NORECURSE,
    ARES_FLAG_NOSEARCH,
    ARES_FLAG_PRIMARY,
    ARES_FLAG_STAYOPEN,
    ARES_FLAG_USEVC,
    ARES_NI_DCCP,
    ARES_NI_LOOKUPHOST,
    ARES_NI_LOOKUPSERVICE,
    ARES_NI_NAMEREQD,
    ARES_NI_NOFQDN,
    ARES_NI_NUMERICHOST,
    ARES_NI_NUMERICSCOPE,
    ARES_NI_NUMERICSERV,
    ARES_NI_SCTP,
    ARES_NI_UDP,
)

__all__ = [
    "ARES_FLAG_EDNS",
    "ARES_FLAG_IGNTC",
    "ARES_FLAG_NOALIASES",
    "ARES_FLAG_NOCHECKRESP",
    "ARES_FLAG_NORECURSE",
    "ARES_FLAG_NOSEARCH",
    "ARES_FLAG_NO_DFLT_SVR",
    "ARES_FLAG_PRIMARY",
    "ARES_FLAG_STAYOPEN",
    "ARES_FLAG_USEVC",
    "ARES_NI_DCCP",
    "ARES_NI_DGRAM",
    "ARES_NI_LOOKUPHOST",
    "ARES_NI_LOOKUPSERVICE",
    "ARES_NI_NAMEREQD",
    "ARES_NI_NOFQDN",
    "ARES_NI_NUMERICHOST",
    "ARES_NI_NUMERICSCOPE",
    "ARES_NI_NUMERICSERV",
    "ARES_NI_SCTP",
    "ARES_NI_TCP",
    "ARES_NI_UDP",
    "QUERY_CLASS_ANY",
    "QUERY_CLASS_CHAOS",
    "QUERY_CLASS_HS",
    "QUERY_CLASS_IN",
    "QUERY_CLASS_NONE",
    "QUERY_TYPE_A",
    "QUERY_TYPE_AAAA",
    "QUERY_TYPE_ANY",
    "QUERY_TYPE_CAA",
    "QUERY_TYPE_CNAME",
    "QUERY_TYPE_HTTPS",
    "QUERY_TYPE_MX",
    "QUERY_TYPE_NAPTR",
    "QUERY_TYPE_NS",
    "QUERY_TYPE_PTR",
    "QUERY_TYPE_SOA",
    "QUERY_TYPE_SRV",
    "QUERY_TYPE_TLSA",
    "QUERY_TYPE_TXT",
    "QUERY_TYPE_URI",
    "AAAARecordData",
    "ARecordData",
    "AddrInfoCname",
    "AddrInfoNode",
    "AddrInfoResult",
    "CAARecordData",
    "CNAMERecordData",
    "DNSRecord",
    "DNSResult",
    "HTTPSRecordData",
    "HostResult",
    "MXRecordData",
    "NAPTRRecordData",
    "NSRecordData",
    "NameInfoResult",
    "PTRRecordData",
    "SOARecordData",
    "SRVRecordData",
    "TLSARecordData",
    "TXTRecordData",
    "URIRecordData",
]

# Of the number 0, and another name of one.
ARES_NI_TCP = 0
ARES_NI_DGRAM = ARES_NI_UDP

QUERY_TYPE_A = int(dns.RecordType.A)
QUERY_TYPE_AAAA = int(dns.RecordType.AAAA)
QUERY_TYPE_ANY = int(dns.RecordType.ANY)
QUERY_TYPE_CAA = int(dns.RecordType.CAA)
QUERY_TYPE_CNAME = int(dns.RecordType.CNAME)
QUERY_TYPE_HTTPS = int(dns.RecordType.HTTPS)
QUERY_TYPE_MX = int(dns.RecordType.MX)
QUERY_TYPE_NAPTR = int(dns.RecordType.NAPTR)
QUERY_TYPE_NS = int(dns.RecordType.NS)
QUERY_TYPE_PTR = int(dns.RecordType.PTR)
QUERY_TYPE_SOA = int(dns.RecordType.SOA)
QUERY_TYPE_SRV = int(dns.RecordType.SRV)
QUERY_TYPE_TLSA = int(dns.RecordType.TLSA)
QUERY_TYPE_TXT = int(dns.RecordType.TXT)
QUERY_TYPE_URI = int(dns.RecordType.URI)

QUERY_CLASS_IN = int(dns.RecordClass.IN)
QUERY_CLASS_CHAOS = int(dns.RecordClass.CHAOS)
QUERY_CLASS_HS = int(dns.RecordClass.HS)
QUERY_CLASS_NONE = int(dns.RecordClass.NONE)
QUERY_CLASS_ANY = int(dns.RecordClass.ANY)


@dataclass
class ARecordData:
    """An IPv4 address."""

    addr: str


@dataclass
class AAAARecordData:
    """An IPv6 address."""

    addr: str


@dataclass
class MXRecordData:
    """A mail exchanger."""

    priority: int
    exchange: str


@dataclass
class TXTRecordData:
    """Text, its strings put together."""

    data: bytes


@dataclass
class CAARecordData:
    """Who may issue certificates."""

    critical: int
    tag: str
    value: str


@dataclass
class CNAMERecordData:
    """The name that an alias stands for."""

    cname: str


@dataclass
class NAPTRRecordData:
    """A rule that rewrites the name."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str
    replacement: str


@dataclass
class NSRecordData:
    """A name server."""

    nsdname: str


@dataclass
class PTRRecordData:
    """A pointer to another name."""

    dname: str


@dataclass
class SOARecordData:
    """The start of a zone. Times are in seconds."""

    mname: str
    rname: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


@dataclass
class SRVRecordData:
    """Where a service is."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass
class TLSARecordData:
    """A certificate of a TLS server's."""

    cert_usage: int
    selector: int
    matching_type: int
    cert_association_data: bytes


@dataclass
class HTTPSRecordData:
    """How a web server is reached; params are numbers and values."""

    priority: int
    target: str
    params: list[tuple[int, bytes]]


@dataclass
class URIRecordData:
    """A URI."""

    priority: int
    weight: int
    target: str


RecordData: TypeAlias = (
    ARecordData
    | AAAARecordData
    | MXRecordData
    | TXTRecordData
    | CAARecordData
    | CNAMERecordData
    | HTTPSRecordData
    | NAPTRRecordData
    | NSRecordData
    | PTRRecordData
    | SOARecordData
    | SRVRecordData
    | TLSARecordData
    | URIRecordData
)


@dataclass
class DNSRecord:
    """A record; ttl is in seconds."""

    name: str
    type: int
    record_class: int
    ttl: int
    data: RecordData


@dataclass
class DNSResult:
    """The sections of an answer, without records of types that pycares does not know."""

    answer: list[DNSRecord]
    authority: list[DNSRecord]
    additional: list[DNSRecord]


@dataclass
class HostResult:
    """What is known of a host."""

    name: str
    aliases: list[str]
    addresses: list[str]


@dataclass
class NameInfoResult:
    """The names of an address and of a port."""

    node: str
    service: str | None


@dataclass
class AddrInfoNode:
    """An address; of addr the first is bytes. ttl is in seconds."""

    ttl: int
    flags: int
    family: int
    socktype: int
    protocol: int
    addr: tuple[bytes, int] | tuple[bytes, int, int, int]


@dataclass
class AddrInfoCname:
    """An alias; ttl is in seconds."""

    ttl: int
    alias: str
    name: str


@dataclass
class AddrInfoResult:
    """The addresses of a host, and its aliases."""

    cnames: list[AddrInfoCname]
    nodes: list[AddrInfoNode]


# How the data of each type becomes pycares' class for it, which has the same fields.
_OF_DATA: dict[type, Callable[[Any], RecordData]] = {
    dns.A: lambda data: ARecordData(data.addr),
    dns.AAAA: lambda data: AAAARecordData(data.addr),
    dns.MX: lambda data: MXRecordData(data.priority, data.exchange),
    dns.TXT: lambda data: TXTRecordData(data.data),
    dns.CAA: lambda data: CAARecordData(data.critical, data.tag, data.value),
    dns.CNAME: lambda data: CNAMERecordData(data.cname),
    dns.NAPTR: lambda data: NAPTRRecordData(
        data.order, data.preference, data.flags, data.service, data.regexp, data.replacement
    ),
    dns.NS: lambda data: NSRecordData(data.nsdname),
    dns.PTR: lambda data: PTRRecordData(data.dname),
    dns.SOA: lambda data: SOARecordData(
        data.mname, data.rname, data.serial, data.refresh, data.retry, data.expire, data.minimum
    ),
    dns.SRV: lambda data: SRVRecordData(data.priority, data.weight, data.port, data.target),
    dns.TLSA: lambda data: TLSARecordData(
        data.cert_usage, data.selector, data.matching_type, data.cert_association_data
    ),
    dns.HTTPS: lambda data: HTTPSRecordData(data.priority, data.target, list(data.params)),
    dns.URI: lambda data: URIRecordData(data.priority, data.weight, data.target),
}


def _records(section: tuple[dns.Record, ...]) -> list[DNSRecord]:
    return [
        DNSRecord(record.name, int(record.type), int(record.record_class), record.ttl, convert(record.data))
        for record in section
        if (convert := _OF_DATA.get(type(record.data))) is not None
    ]


def _of_message(message: dns.Message) -> DNSResult:
    return DNSResult(_records(message.answer), _records(message.authority), _records(message.additional))


def _of_host(found: dns.HostResult) -> HostResult:
    return HostResult(found.name, list(found.aliases), list(found.addresses))


def _of_names(found: dns.NameInfoResult) -> NameInfoResult:
    return NameInfoResult(found.node or "", found.service)


def _of_addresses(found: dns.AddrInfoResult) -> AddrInfoResult:
    cnames = [AddrInfoCname(each.ttl, each.alias or "", each.name or "") for each in found.cnames]
    nodes = [
        AddrInfoNode(
            each.ttl, each.flags, each.family, each.socktype, each.protocol, _address_in_bytes(each.addr)
        )
        for each in found.nodes
    ]
    return AddrInfoResult(cnames, nodes)


def _address_in_bytes(address: Any) -> Any:
    return (address[0].encode("ascii"), *address[1:])
