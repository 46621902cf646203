"""DNS: c-ares's raw channel and its messages, and the system's resolver."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, Final, Self, TypeAlias, TypeVar, final, overload

from _typeshed import MaybeNone, structseq
from typing_extensions import Buffer, disjoint_base

from .. import Loop
from ..error import DNSError
from ._errorno import ErrorNumber
from ._registry import Flags, Opcode, Rcode, RecordClass, RecordType

__all__ = [
    "AAAA",
    "ARES_AI_ADDRCONFIG",
    "ARES_AI_ALL",
    "ARES_AI_CANONNAME",
    "ARES_AI_ENVHOSTS",
    "ARES_AI_NOSORT",
    "ARES_AI_NUMERICHOST",
    "ARES_AI_NUMERICSERV",
    "ARES_AI_PASSIVE",
    "ARES_AI_V4MAPPED",
    "ARES_EADDRGETNETWORKPARAMS",
    "ARES_EBADFAMILY",
    "ARES_EBADFLAGS",
    "ARES_EBADHINTS",
    "ARES_EBADNAME",
    "ARES_EBADQUERY",
    "ARES_EBADRESP",
    "ARES_EBADSTR",
    "ARES_ECANCELLED",
    "ARES_ECONNREFUSED",
    "ARES_EDESTRUCTION",
    "ARES_EFILE",
    "ARES_EFORMERR",
    "ARES_ELOADIPHLPAPI",
    "ARES_ENODATA",
    "ARES_ENOMEM",
    "ARES_ENONAME",
    "ARES_ENOSERVER",
    "ARES_ENOTFOUND",
    "ARES_ENOTIMP",
    "ARES_ENOTINITIALIZED",
    "ARES_EOF",
    "ARES_EREFUSED",
    "ARES_ESERVFAIL",
    "ARES_ESERVICE",
    "ARES_ETIMEOUT",
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
    "ARES_NI_LOOKUPHOST",
    "ARES_NI_LOOKUPSERVICE",
    "ARES_NI_NAMEREQD",
    "ARES_NI_NOFQDN",
    "ARES_NI_NUMERICHOST",
    "ARES_NI_NUMERICSCOPE",
    "ARES_NI_NUMERICSERV",
    "ARES_NI_SCTP",
    "ARES_NI_UDP",
    "ARES_SERV_STATE_TCP",
    "ARES_SERV_STATE_UDP",
    "ARES_SUCCESS",
    "CAA",
    "CNAME",
    "HINFO",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "OPT",
    "PTR",
    "SIG",
    "SOA",
    "SRV",
    "SVCB",
    "TLSA",
    "TXT",
    "URI",
    "A",
    "ARES_FLAG_DNS0x20",
    "AddrInfoCname",
    "AddrInfoNode",
    "AddrInfoResult",
    "Channel",
    "Configuration",
    "DNSError",
    "DNSRequest",
    "ErrorNumber",
    "Flags",
    "HostResult",
    "Message",
    "NameInfoResult",
    "Opcode",
    "Question",
    "RawData",
    "Rcode",
    "Record",
    "RecordClass",
    "RecordType",
    "errorcode",
    "getaddrinfo",
    "getnameinfo",
    "resolve",
    "strerror",
]

errorcode: Final[dict[int, str]]
"""c-ares's status codes: from number to name."""

def strerror(code: int, /) -> str:
    """The message for a c-ares status code (`ares_strerror`). That of an ErrorNumber says what was
    wrong, too.
    """

ARES_SUCCESS: Final = 0
ARES_ENODATA: Final = 1
ARES_EFORMERR: Final = 2
ARES_ESERVFAIL: Final = 3
ARES_ENOTFOUND: Final = 4
ARES_ENOTIMP: Final = 5
ARES_EREFUSED: Final = 6
ARES_EBADQUERY: Final = 7
ARES_EBADNAME: Final = 8
ARES_EBADFAMILY: Final = 9
ARES_EBADRESP: Final = 10
ARES_ECONNREFUSED: Final = 11
ARES_ETIMEOUT: Final = 12
ARES_EOF: Final = 13
ARES_EFILE: Final = 14
ARES_ENOMEM: Final = 15
ARES_EDESTRUCTION: Final = 16
ARES_EBADSTR: Final = 17
ARES_EBADFLAGS: Final = 18
ARES_ENONAME: Final = 19
ARES_EBADHINTS: Final = 20
ARES_ENOTINITIALIZED: Final = 21
ARES_ELOADIPHLPAPI: Final = 22
ARES_EADDRGETNETWORKPARAMS: Final = 23
ARES_ECANCELLED: Final = 24
ARES_ESERVICE: Final = 25
ARES_ENOSERVER: Final = 26

ARES_FLAG_USEVC: Final = 1
"""Ask over TCP only."""
ARES_FLAG_PRIMARY: Final = 2
"""Ask the first server only."""
ARES_FLAG_IGNTC: Final = 4
"""Take a truncated answer instead of asking over TCP."""
ARES_FLAG_NORECURSE: Final = 8
"""Do not ask the server to recurse."""
ARES_FLAG_STAYOPEN: Final = 16
"""Keep the sockets when no query is left."""
ARES_FLAG_NOSEARCH: Final = 32
"""Do not use the search domains."""
ARES_FLAG_NOALIASES: Final = 64
"""Do not use the HOSTALIASES file."""
ARES_FLAG_NOCHECKRESP: Final = 128
"""Take answers that are SERVFAIL, NOTIMP or REFUSED instead of asking the next server."""
ARES_FLAG_EDNS: Final = 256
"""Offer EDNS, as is done when no flags are given."""
ARES_FLAG_NO_DFLT_SVR: Final = 512
"""Fail with ARES_ENOSERVER, instead of asking 127.0.0.1, where no server is configured."""
ARES_FLAG_DNS0x20: Final = 1024
"""Ask with letters in random case, and expect them back."""

ARES_AI_CANONNAME: Final = 1
"""Name the host, one without aliases too."""
ARES_AI_NUMERICHOST: Final = 2
"""The host is an address in numbers."""
ARES_AI_PASSIVE: Final = 4
"""Addresses to bind to, where no host is given."""
ARES_AI_NUMERICSERV: Final = 8
"""The port is a number."""
ARES_AI_V4MAPPED: Final = 16
"""As in `socket`; c-ares does not look at it."""
ARES_AI_ALL: Final = 32
"""As in `socket`; c-ares does not look at it."""
ARES_AI_ADDRCONFIG: Final = 64
"""As in `socket`; c-ares does not look at it."""
ARES_AI_NOSORT: Final = 128
"""Give the addresses in the order in which they came."""
ARES_AI_ENVHOSTS: Final = 256
"""Look at the hosts file that the environment variable CARES_HOSTS names."""
ARES_NI_NOFQDN: Final = 1
"""Leave out the domain of a host in this one."""
ARES_NI_NUMERICHOST: Final = 2
"""The host in numbers."""
ARES_NI_NAMEREQD: Final = 4
"""ARES_ENOTFOUND for a host without a name, not its numbers."""
ARES_NI_NUMERICSERV: Final = 8
"""The port in numbers."""
ARES_NI_UDP: Final = 16
"""The service is of UDP."""
ARES_NI_SCTP: Final = 32
"""The service is of SCTP."""
ARES_NI_DCCP: Final = 64
"""The service is of DCCP."""
ARES_NI_NUMERICSCOPE: Final = 128
"""The scope in numbers."""
ARES_NI_LOOKUPHOST: Final = 256
"""Look up the host."""
ARES_NI_LOOKUPSERVICE: Final = 512
"""Look up the service."""
ARES_SERV_STATE_UDP: Final = 1
"""The query went over UDP."""
ARES_SERV_STATE_TCP: Final = 2
"""The query went over TCP."""

class _Comparable:
    """Immutable, hashable, picklable, and ordered by its fields."""

    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...
    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]: ...

@final
class A(_Comparable):
    """An IPv4 address (RFC 1035)."""

    __match_args__ = ("addr",)

    def __new__(cls, addr: str | ipaddress.IPv4Address) -> A: ...
    @property
    def addr(self) -> str:
        """The address."""

@final
class NS(_Comparable):
    """A name server of a zone (RFC 1035)."""

    __match_args__ = ("nsdname",)

    def __new__(cls, nsdname: str) -> NS: ...
    @property
    def nsdname(self) -> str:
        """The server's name."""

@final
class CNAME(_Comparable):
    """The name that the owner is an alias of (RFC 1035)."""

    __match_args__ = ("cname",)

    def __new__(cls, cname: str) -> CNAME: ...
    @property
    def cname(self) -> str:
        """The canonical name."""

@final
class SOA(_Comparable):
    """The start of a zone of authority (RFC 1035)."""

    __match_args__ = (
        "mname",
        "rname",
        "serial",
        "refresh",
        "retry",
        "expire",
        "minimum",
    )

    def __new__(
        cls, mname: str, rname: str, serial: int, refresh: int, retry: int, expire: int, minimum: int
    ) -> SOA: ...
    @property
    def mname(self) -> str:
        """The primary name server."""
    @property
    def rname(self) -> str:
        """The mailbox of who is responsible, its first dot standing for the at sign."""
    @property
    def serial(self) -> int:
        """The zone's version."""
    @property
    def refresh(self) -> int:
        """Seconds between a secondary's looks at the serial."""
    @property
    def retry(self) -> int:
        """Seconds before a secondary tries again after a failed refresh."""
    @property
    def expire(self) -> int:
        """Seconds after which a secondary that cannot refresh stops answering."""
    @property
    def minimum(self) -> int:
        """Seconds for which a negative answer may be cached (RFC 2308)."""

@final
class PTR(_Comparable):
    """A pointer to another name, as reverse zones use it (RFC 1035)."""

    __match_args__ = ("dname",)

    def __new__(cls, dname: str) -> PTR: ...
    @property
    def dname(self) -> str:
        """The name pointed to."""

@final
class HINFO(_Comparable):
    """A host's hardware and system (RFC 1035)."""

    __match_args__ = (
        "cpu",
        "os",
    )

    def __new__(cls, cpu: str | bytes, os: str | bytes) -> HINFO: ...
    @property
    def cpu(self) -> str:
        """The kind of CPU."""
    @property
    def os(self) -> str:
        """The operating system."""

@final
class MX(_Comparable):
    """A mail exchanger (RFC 1035)."""

    __match_args__ = (
        "priority",
        "exchange",
    )

    def __new__(cls, priority: int, exchange: str) -> MX: ...
    @property
    def priority(self) -> int:
        """The lowest is tried first."""
    @property
    def exchange(self) -> str:
        """The mail server's name."""

@final
class TXT(_Comparable):
    """Text: one or more strings of at most 255 bytes (RFC 1035)."""

    __match_args__ = ("data",)

    def __new__(cls, data: bytes | Iterable[bytes]) -> TXT: ...
    @property
    def data(self) -> bytes:
        """The strings in their order."""
    @property
    def strings(self) -> tuple[bytes, ...]:
        """The strings one by one, as a tuple of bytes."""

@final
class SIG(_Comparable):
    """A signature over a message or a record set (RFC 2931)."""

    __match_args__ = (
        "type_covered",
        "algorithm",
        "labels",
        "original_ttl",
        "expiration",
        "inception",
        "key_tag",
        "signers_name",
        "signature",
    )

    def __new__(
        cls,
        type_covered: int,
        algorithm: int,
        labels: int,
        original_ttl: int,
        expiration: int,
        inception: int,
        key_tag: int,
        signers_name: str,
        signature: bytes,
    ) -> SIG: ...
    @property
    def type_covered(self) -> int:
        """The type of the records covered; 0 for a whole message."""
    @property
    def algorithm(self) -> int:
        """The signature's algorithm."""
    @property
    def labels(self) -> int:
        """How many labels the signed owner has."""
    @property
    def original_ttl(self) -> int:
        """The time to live as signed, in seconds."""
    @property
    def expiration(self) -> int:
        """The end of validity, in seconds since 1970 modulo 2**32."""
    @property
    def inception(self) -> int:
        """The begin of validity, in seconds since 1970 modulo 2**32."""
    @property
    def key_tag(self) -> int:
        """Which of the signer's keys."""
    @property
    def signers_name(self) -> str:
        """The signer."""
    @property
    def signature(self) -> bytes:
        """The signature."""

@final
class AAAA(_Comparable):
    """An IPv6 address (RFC 3596)."""

    __match_args__ = ("addr",)

    def __new__(cls, addr: str | ipaddress.IPv6Address) -> AAAA: ...
    @property
    def addr(self) -> str:
        """The address."""

@final
class SRV(_Comparable):
    """Where a service is to be found (RFC 2782)."""

    __match_args__ = (
        "priority",
        "weight",
        "port",
        "target",
    )

    def __new__(cls, priority: int, weight: int, port: int, target: str) -> SRV: ...
    @property
    def priority(self) -> int:
        """The lowest is tried first."""
    @property
    def weight(self) -> int:
        """The share among those of one priority."""
    @property
    def port(self) -> int:
        """The service's port."""
    @property
    def target(self) -> str:
        """The host's name."""

@final
class NAPTR(_Comparable):
    """A rule that rewrites the name (RFC 3403)."""

    __match_args__ = (
        "order",
        "preference",
        "flags",
        "service",
        "regexp",
        "replacement",
    )

    def __new__(
        cls,
        order: int,
        preference: int,
        flags: str | bytes,
        service: str | bytes,
        regexp: str | bytes,
        replacement: str,
    ) -> NAPTR: ...
    @property
    def order(self) -> int:
        """The lowest is applied first."""
    @property
    def preference(self) -> int:
        """The lowest of one order is preferred."""
    @property
    def flags(self) -> str:
        """What the rule's result is: `"S"`, `"A"`, `"U"`, `"P"`."""
    @property
    def service(self) -> str:
        """The services that the rule leads to."""
    @property
    def regexp(self) -> str:
        """The substitution."""
    @property
    def replacement(self) -> str:
        """The next name, where there is no substitution."""

@final
class OPT(_Comparable):
    """EDNS: what a peer can do, and options (RFC 6891)."""

    __match_args__ = (
        "udp_size",
        "version",
        "flags",
        "options",
    )

    def __new__(
        cls, udp_size: int, version: int, flags: int, options: Iterable[tuple[int, bytes]]
    ) -> OPT: ...
    @property
    def udp_size(self) -> int:
        """The largest UDP message that the peer takes, in bytes."""
    @property
    def version(self) -> int:
        """EDNS's version."""
    @property
    def flags(self) -> int:
        """EDNS's flags: 0x8000 is DO, the wish for DNSSEC records."""
    @property
    def options(self) -> tuple[tuple[int, bytes], ...]:
        """Option numbers and values."""

@final
class TLSA(_Comparable):
    """A certificate for a TLS server (RFC 6698)."""

    __match_args__ = (
        "cert_usage",
        "selector",
        "matching_type",
        "cert_association_data",
    )

    def __new__(
        cls, cert_usage: int, selector: int, matching_type: int, cert_association_data: bytes
    ) -> TLSA: ...
    @property
    def cert_usage(self) -> int:
        """What the certificate is for."""
    @property
    def selector(self) -> int:
        """Which part of it is compared."""
    @property
    def matching_type(self) -> int:
        """How it is compared: 0 whole, 1 by SHA-256, 2 by SHA-512."""
    @property
    def cert_association_data(self) -> bytes:
        """What it is compared with."""

@final
class SVCB(_Comparable):
    """Where and how a service is reached (RFC 9460)."""

    __match_args__ = (
        "priority",
        "target",
        "params",
    )

    def __new__(cls, priority: int, target: str, params: Iterable[tuple[int, bytes]]) -> SVCB: ...
    @property
    def priority(self) -> int:
        """0 for an alias, else the lowest is tried first."""
    @property
    def target(self) -> str:
        """The host's name."""
    @property
    def params(self) -> tuple[tuple[int, bytes], ...]:
        """Parameter numbers and values."""

@final
class HTTPS(_Comparable):
    """SVCB for HTTPS (RFC 9460)."""

    __match_args__ = (
        "priority",
        "target",
        "params",
    )

    def __new__(cls, priority: int, target: str, params: Iterable[tuple[int, bytes]]) -> HTTPS: ...
    @property
    def priority(self) -> int:
        """0 for an alias, else the lowest is tried first."""
    @property
    def target(self) -> str:
        """The host's name."""
    @property
    def params(self) -> tuple[tuple[int, bytes], ...]:
        """Parameter numbers and values."""

@final
class URI(_Comparable):
    """A URI (RFC 7553)."""

    __match_args__ = (
        "priority",
        "weight",
        "target",
    )

    def __new__(cls, priority: int, weight: int, target: str | bytes) -> URI: ...
    @property
    def priority(self) -> int:
        """The lowest is tried first."""
    @property
    def weight(self) -> int:
        """The share among those of one priority."""
    @property
    def target(self) -> str:
        """The URI."""

@final
class CAA(_Comparable):
    """Who may issue certificates for the owner (RFC 8659)."""

    __match_args__ = (
        "critical",
        "tag",
        "value",
    )

    def __new__(cls, critical: int, tag: str | bytes, value: str | bytes) -> CAA: ...
    @property
    def critical(self) -> int:
        """The flags byte; 0x80 is set if the property is critical."""
    @property
    def tag(self) -> str:
        """The property: `"issue"`, `"issuewild"`, `"iodef"`."""
    @property
    def value(self) -> str:
        """The property's value."""

@final
class RawData(_Comparable):
    """Data as it stood on the wire: of a type that has no class here, or not as its type allows it."""

    __match_args__ = ("type", "data")
    def __new__(cls, type: int | str, data: bytes) -> RawData: ...
    @property
    def type(self) -> RecordType:
        """The type's number."""
    @property
    def data(self) -> bytes:
        """The bytes as they stood on the wire."""

_Data = (
    A
    | NS
    | CNAME
    | SOA
    | PTR
    | HINFO
    | MX
    | TXT
    | SIG
    | AAAA
    | SRV
    | NAPTR
    | OPT
    | TLSA
    | SVCB
    | HTTPS
    | URI
    | CAA
    | RawData
)

@final
class Question(_Comparable):
    """What a message asks: a name, a type and a class."""

    __match_args__ = ("name", "type", "record_class")
    def __new__(cls, name: str, type: int | str, record_class: int | str = 1) -> Question: ...
    @property
    def name(self) -> str:
        """The name asked for."""
    @property
    def type(self) -> RecordType:
        """The type asked for."""
    @property
    def record_class(self) -> RecordClass:
        """The class asked for."""

@final
class Record(_Comparable):
    """A resource record: its owner's name, and what it says about it."""

    __match_args__ = ("name", "data", "ttl", "record_class")
    def __new__(cls, name: str, data: _Data, ttl: int = 0, record_class: int | str = 1) -> Record: ...
    @property
    def name(self) -> str:
        """The owner's name, without the final dot."""
    @property
    def type(self) -> RecordType:
        """The record's type, a RecordType."""
    @property
    def record_class(self) -> RecordClass:
        """The record's class, a RecordClass."""
    @property
    def ttl(self) -> int:
        """How long the record may be kept, in seconds."""
    @property
    def data(self) -> _Data:
        """What the record says: an object of the class named after its type."""

@final
class Message:
    """A DNS message: header, question and three sections of records."""

    __match_args__ = ("id", "flags", "opcode", "rcode", "question", "answer", "authority", "additional")
    def __new__(
        cls,
        id: int = 0,
        flags: int = 0,
        opcode: int = 0,
        rcode: int = 0,
        question: Iterable[Question] = (),
        answer: Iterable[Record] = (),
        authority: Iterable[Record] = (),
        additional: Iterable[Record] = (),
    ) -> Message: ...
    @classmethod
    def parse(cls, wire: Buffer, /) -> Message:
        """Parses a message from the wire: any bytes-like object. A record whose data is not as its
        type allows it has RawData.

        Raises DNSError with ARES_EBADRESP for bytes that are no message; it says which record cannot
        be read.
        """
    def to_bytes(self) -> bytes:
        """The message as it goes on the wire, names compressed. Raises DNSError with
        ARES_EBADQUERY for one that is too long.
        """
    def to_json(self) -> str:
        """The message as a JSON object on one line; docs/dns-tool.md describes it."""
    def answer_to_json(self) -> str:
        """The answer section alone, as a JSON array."""
    @property
    def id(self) -> int:
        """The query's number, which its answer repeats."""
    @property
    def flags(self) -> Flags:
        """The header's flags, a Flags."""
    @property
    def opcode(self) -> Opcode:
        """The kind of message, an Opcode."""
    @property
    def rcode(self) -> Rcode:
        """How the server answered, an Rcode; with EDNS, all 12 bits."""
    @property
    def question(self) -> tuple[Question, ...]:
        """What was asked: a tuple of Question."""
    @property
    def answer(self) -> tuple[Record, ...]:
        """The records that answer the question: a tuple of Record."""
    @property
    def authority(self) -> tuple[Record, ...]:
        """The records that name an authority: a tuple of Record."""
    @property
    def additional(self) -> tuple[Record, ...]:
        """The records that may help, EDNS's OPT among them: a tuple of Record."""
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]: ...

_Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
_AddrInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, _Address]

_Result = TypeVar("_Result")
_Callback: TypeAlias = Callable[[_Result | MaybeNone, int | None], object]

@final
class Configuration(
    structseq[Any],
    tuple[
        tuple[str, ...],
        tuple[str, ...],
        int,
        float,
        int,
        bool,
        bool,
        str,
        tuple[str, ...],
        dict[str, str | tuple[str, ...]],
        tuple[str, ...],
    ],
):
    """What a channel goes by, and where each part of it was found."""

    __match_args__: Final = (
        "servers",
        "search",
        "ndots",
        "timeout",
        "tries",
        "rotate",
        "use_vc",
        "lookups",
        "sortlist",
        "sources",
        "problems",
    )
    @property
    def servers(self) -> tuple[str, ...]:
        """The name servers."""
    @property
    def search(self) -> tuple[str, ...]:
        """The search domains."""
    @property
    def ndots(self) -> int:
        """How many dots make a name absolute."""
    @property
    def timeout(self) -> float:
        """Seconds that a server has for an answer."""
    @property
    def tries(self) -> int:
        """How often each server is asked."""
    @property
    def rotate(self) -> bool:
        """Whether a random server is asked instead of the first."""
    @property
    def use_vc(self) -> bool:
        """Whether servers are asked over TCP only."""
    @property
    def lookups(self) -> str:
        """Where hosts are looked up: b for DNS, f for the hosts file."""
    @property
    def sortlist(self) -> tuple[str, ...]:
        """Networks, the nearest first."""
    @property
    def sources(self) -> dict[str, str | tuple[str, ...]]:
        """Where each of these was found."""
    @property
    def problems(self) -> tuple[str, ...]:
        """What was found and cannot be followed."""

@final
class HostResult(structseq[Any], tuple[str, tuple[str, ...], tuple[str, ...]]):
    """What is known of a host."""

    __match_args__: Final = ("name", "aliases", "addresses")
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other names."""
    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses."""

@final
class NameInfoResult(structseq[Any], tuple[str | None, str | None]):
    """The names of an address and its port."""

    __match_args__: Final = ("node", "service")
    @property
    def node(self) -> str | None:
        """The host's name, or None if it was not asked for."""
    @property
    def service(self) -> str | None:
        """The service's name, or None if it was not asked for."""

@final
class AddrInfoNode(structseq[Any], tuple[int, int, int, int, int, _Address]):
    """One address of a host."""

    __match_args__: Final = ("ttl", "flags", "family", "socktype", "protocol", "addr")
    @property
    def ttl(self) -> int:
        """How long it may be kept, in seconds."""
    @property
    def flags(self) -> int:
        """ARES_AI_*."""
    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
    @property
    def socktype(self) -> int:
        """SOCK_*, as asked for."""
    @property
    def protocol(self) -> int:
        """IPPROTO_*, as asked for."""
    @property
    def addr(self) -> _Address:
        """(host, port) or (host, port, flowinfo, scope_id)."""

@final
class AddrInfoCname(structseq[Any], tuple[int, str | None, str | None]):
    """One alias of a host."""

    __match_args__: Final = ("ttl", "alias", "name")
    @property
    def ttl(self) -> int:
        """How long it may be kept, in seconds."""
    @property
    def alias(self) -> str | None:
        """The alias, or None."""
    @property
    def name(self) -> str | None:
        """The name that it stands for."""

@final
class AddrInfoResult(structseq[Any], tuple[tuple[AddrInfoCname, ...], tuple[AddrInfoNode, ...]]):
    """The addresses of a host, and its aliases."""

    __match_args__: Final = ("cnames", "nodes")
    @property
    def cnames(self) -> tuple[AddrInfoCname, ...]:
        """The aliases."""
    @property
    def nodes(self) -> tuple[AddrInfoNode, ...]:
        """The addresses, the best first."""

def resolve(
    name: str | bytes,
    type: RecordType | str | int = "A",
    record_class: RecordClass | str | int = "IN",
    *,
    timeout: float | None = None,
    servers: str | Iterable[str] | None = None,
    port: int | None = None,
    tries: int | None = None,
    flags: int | None = None,
) -> Message:
    """Asks for the records of `name` that are of one type, and waits for the answer with the GIL
    released. It needs no loop.

    Raises DNSError with ARES_ENOTFOUND for a name that does not exist, ARES_ENODATA where it has no
    such records, ARES_ETIMEOUT when there is no answer within `timeout` seconds, or when every
    server was asked `tries` times (6; 3 without `timeout`), each time for twice as long: at first
    for 2 seconds, or less where it has been quick. `servers`, `port` and `flags` are as for
    `Channel`; `port` is for UDP and TCP. Ctrl-C ends the wait.
    """

@disjoint_base
class Channel:
    """A raw DNS client on the loop (`ares_channel_t`).

    `servers` are addresses, each `address`, `address:port` or `[address]:port`, or a str of several
    with commas between them; without them those of resolv.conf are asked. A server that does not
    answer is asked `tries` times, `timeout` seconds each. `max_in_flight` is how many queries
    c-ares works on at a time; more wait their turn. `query_cache_max_ttl` is how many seconds an
    answer may be given again without asking; 0 is never. The other options are those of
    `ares_init_options`; a wrong one raises ValueError that names it and its value.

    A channel with queries in flight is kept alive by its loop. Collected or dropped, it ends them
    without calling anybody; `close` tells them.
    """

    def __init__(
        self,
        loop: Loop,
        servers: str | Iterable[str] | None = None,
        *,
        query_cache_max_ttl: int | None = None,
        timeout: float | None = None,
        max_timeout: float | None = None,
        tries: int | None = None,
        ndots: int | None = None,
        flags: int | None = None,
        domains: Iterable[str] | None = None,
        lookups: str | None = None,
        sortlist: Iterable[str] | None = None,
        rotate: bool | None = None,
        udp_port: int | None = None,
        tcp_port: int | None = None,
        max_in_flight: int | None = None,
        resolvconf_path: str | PathLike[str] | None = None,
        hosts_path: str | PathLike[str] | None = None,
        edns_size: int | None = None,
        socket_send_buffer_size: int | None = None,
        socket_receive_buffer_size: int | None = None,
        udp_max_queries: int | None = None,
        server_retry_chance: int | None = None,
        server_retry_delay: float | None = None,
        local_ip4: str | ipaddress.IPv4Address | None = None,
        local_ip6: str | ipaddress.IPv6Address | None = None,
        local_dev: str | None = None,
    ) -> None: ...
    def query(
        self,
        name: str | bytes,
        type: RecordType | str | int,
        callback: _Callback[Message],
        record_class: RecordClass | str | int = 1,
    ) -> None:
        """Asks for the records of `name` that are of one type: `"MX"`, `RecordType.MX`, 15.

        `callback(result, errorno)` is called by the loop: with a Message and None or, when there is
        no answer, with None and a c-ares code, ARES_ENOTFOUND for instance. `record_class` is
        `"IN"`, `"CHAOS"`, `"HS"`, `"NONE"` or `"ANY"` (`ares_query_dnsrec`).
        """

    def search(
        self,
        name: str | bytes,
        type: RecordType | str | int,
        callback: _Callback[Message],
        record_class: RecordClass | str | int = 1,
    ) -> None:
        """Like `query`, but asks for `name` in each of the search domains too, until one has an
        answer (`ares_search_dnsrec`)."""

    def send(self, message: Message, callback: _Callback[Message]) -> None:
        """Sends a Message with one question (`ares_send_dnsrec`). Its id is replaced.

        `callback(result, errorno)` gets whatever Message comes back, whatever its rcode; SERVFAIL,
        NOTIMP and REFUSED are errors unless the channel has ARES_FLAG_NOCHECKRESP.
        """

    def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        callback: _Callback[AddrInfoResult],
        family: int = 0,
        socktype: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> None:
        """Looks up the addresses of a host in the hosts file and in DNS (`ares_getaddrinfo`).

        `family` is AF_UNSPEC, AF_INET or AF_INET6, `flags` are ARES_AI_*.
        """

    def getnameinfo(self, address: _Address, flags: int, callback: _Callback[NameInfoResult]) -> None:
        """Looks up the names of an address and of its port (`ares_getnameinfo`).

        `flags` are ARES_NI_*; without ARES_NI_LOOKUPHOST and ARES_NI_LOOKUPSERVICE, the host alone
        is looked up.
        """

    def gethostbyname(self, name: str | bytes, family: int, callback: _Callback[HostResult]) -> None:
        """Looks up the addresses of a host that are of one family, or of the first that it has any
        of for AF_UNSPEC (`ares_gethostbyname`)."""

    def gethostbyaddr(
        self,
        address: str | bytes | ipaddress.IPv4Address | ipaddress.IPv6Address,
        callback: _Callback[HostResult],
    ) -> None:
        """Looks up the names of an address (`ares_gethostbyaddr`)."""

    @property
    def configuration(self) -> Configuration:
        """What the channel goes by, with where each part of it was found."""

    def reinit(self, callback: Callable[[None, int | None], object] | None = None) -> None:
        """Reads resolv.conf again, on the thread pool, for what is asked after that (what
        `ares_reinit` does).

        `callback(None, errorno)` is called by the loop, with None or the code of the error for
        which the channel keeps what it had.
        """

    @property
    def server_state_callback(self) -> Callable[[str, bool, int], object] | None:
        """Called as `server_state_callback(server, success, flags)` for every query that a server
        answered, or failed to (`ares_set_server_state_callback`); None is nobody."""

    @server_state_callback.setter
    def server_state_callback(self, callback: Callable[[str, bool, int], object] | None) -> None: ...
    def cancel(self) -> None:
        """Ends every query with ARES_ECANCELLED (`ares_cancel`). The loop calls the callbacks."""

    def close(self) -> None:
        """Closes the channel (`ares_destroy`): every query ends with ARES_EDESTRUCTION. Of a channel that
        is closed it does nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None:
        """Closes the channel."""

    @property
    def closed(self) -> bool:
        """Whether the channel was closed."""

    @property
    def servers(self) -> list[str]:
        """The servers that are asked. May be set at any time."""

    @servers.setter
    def servers(self, servers: str | Iterable[str]) -> None: ...
    @property
    def active_queries(self) -> int:
        """How many lookups have not had their callback called."""

    @property
    def max_in_flight(self) -> int:
        """How many queries c-ares works on at a time; more wait their turn."""

    def timeout(self) -> float | None:
        """Seconds until the next timeout of a query in flight; None without one (`ares_timeout`)."""

    @property
    def loop(self) -> Loop:
        """The loop the channel is on."""

@disjoint_base
class DNSRequest:
    """A `getaddrinfo` or `getnameinfo` that was started with a callback."""

    def cancel(self) -> bool:
        """Takes the request back if no thread has begun it (`uv_cancel`). Says whether it did."""

    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@overload
def getaddrinfo(
    loop: Loop,
    host: str | bytes | None,
    port: str | bytes | int | None = 0,
    family: int = 0,
    socktype: int = 0,
    proto: int = 0,
    flags: int = 0,
    callback: None = None,
) -> list[_AddrInfo]:
    """Looks up the addresses of a host (`uv_getaddrinfo`), as `socket.getaddrinfo` does.

    With a callback the thread pool does it, and the loop calls `callback(result, errorno)`.
    """

@overload
def getaddrinfo(
    loop: Loop,
    host: str | bytes | None,
    port: str | bytes | int | None = 0,
    family: int = 0,
    socktype: int = 0,
    proto: int = 0,
    flags: int = 0,
    *,
    callback: Callable[[list[_AddrInfo] | MaybeNone, int | None], object],
) -> DNSRequest: ...
@overload
def getaddrinfo(
    loop: Loop,
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int,
    socktype: int,
    proto: int,
    flags: int,
    callback: Callable[[list[_AddrInfo] | MaybeNone, int | None], object],
) -> DNSRequest: ...
@overload
def getnameinfo(
    loop: Loop,
    address: tuple[str, int] | tuple[str, int, int] | _Address,
    flags: int = 0,
    callback: None = None,
) -> tuple[str, str]:
    """Looks up the names of an address and its port (`uv_getnameinfo`): (host, service).

    With a callback the thread pool does it, and the loop calls `callback(result, errorno)`.
    """

@overload
def getnameinfo(
    loop: Loop,
    address: tuple[str, int] | tuple[str, int, int] | _Address,
    flags: int = 0,
    *,
    callback: Callable[[tuple[str, str] | MaybeNone, int | None], object],
) -> DNSRequest: ...
@overload
def getnameinfo(
    loop: Loop,
    address: tuple[str, int] | tuple[str, int, int] | _Address,
    flags: int,
    callback: Callable[[tuple[str, str] | MaybeNone, int | None], object],
) -> DNSRequest: ...
