"""The public functions of libuv and c-ares, from the headers of the sources that pyuv is built with."""

from __future__ import annotations

import re
from dataclasses import dataclass

import vendored


@dataclass(frozen=True)
class Library:
    """Where a library's headers are, and the macro that marks what is public in them."""

    crate: str
    headers: tuple[str, ...]
    marker: str


LIBRARIES = {
    "libuv": Library("libuv-sys2", ("libuv/include/uv.h",), "UV_EXTERN"),
    "c-ares": Library(
        "c-ares-sys",
        ("c-ares/include/ares.h", "c-ares/include/ares_dns_record.h"),
        "CARES_EXTERN",
    ),
}

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:.*\\\n)*.*$", re.MULTILINE)
ATTRIBUTE = re.compile(r"\bCARES_DEPRECATED_FOR\s*\([^)]*\)")


def functions(library: str) -> list[str]:
    """The names, in the order of the headers."""
    described = LIBRARIES[library]
    folder = vendored.crates()[described.crate].folder
    names: dict[str, None] = {}
    for header in described.headers:
        names.update(dict.fromkeys(parse((folder / header).read_text(), described.marker)))
    return list(names)


def parse(text: str, marker: str) -> list[str]:
    """What `marker` declares in a header: the name before the first parenthesis."""
    for unwanted in (COMMENT, DIRECTIVE, ATTRIBUTE):
        text = unwanted.sub("", text)
    return re.findall(rf"\b{marker}\b[^;(]*?\b(\w+)\s*\(", text)
