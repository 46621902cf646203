"""Extended DNS Errors (RFC 8914) in words."""

from typing import Final

OPTION: Final = 15
"""EDNS's number for them."""

# IANA's registry.
_MEANINGS: Final = (
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
)


def described(value: bytes) -> str | None:
    """An option's value as dig shows it, ``22 (No Reachable Authority): text``; None if it is too short."""
    if len(value) < 2:
        return None
    number = int.from_bytes(value[:2])
    meaning = f" ({_MEANINGS[number]})" if number < len(_MEANINGS) else ""
    text = value[2:].rstrip(b"\0").decode("utf-8", "backslashreplace")
    shown = "".join(
        character if character.isprintable() else f"\\x{ord(character):02x}" for character in text
    )
    return f"{number}{meaning}" + (f": ({shown})" if shown else "")
