"""DNS: c-ares's raw channel and its messages, and the system's resolver."""

from .._pyuv import DNSError
from .._pyuv.dns import (
    AAAA,
    CAA,
    CNAME,
    HINFO,
    HTTPS,
    MX,
    NAPTR,
    NS,
    OPT,
    PTR,
    SIG,
    SOA,
    SRV,
    SVCB,
    TLSA,
    TXT,
    URI,
    A,
    Channel,
    DNSRequest,
    Message,
    Question,
    RawData,
    Record,
    errorcode,
    getaddrinfo,
    getnameinfo,
    strerror,
)
from .._pyuv.dns import channel_flags as _channel_flags
from ._registry import Flags, Opcode, Rcode, RecordClass, RecordType

# ARES_SUCCESS, ARES_ENODATA and their kin.
globals().update({name: code for code, name in errorcode.items()})
# ARES_FLAG_USEVC and its kin.
globals().update(_channel_flags)

__all__ = [
    "AAAA",
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
    "Channel",
    "DNSError",
    "DNSRequest",
    "Flags",
    "Message",
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
    "strerror",
    *_channel_flags,
    *errorcode.values(),
]
