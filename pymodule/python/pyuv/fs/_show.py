"""What ``python -m pyuv.fs`` prints, and the statuses it ends with."""

import argparse
import json
import os
import sys
from enum import IntEnum
from typing import Any, Final

from .. import errno
from ..errno import errorcode, strerror


class Exit(IntEnum):
    """The exit statuses. 2 is argparse's."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130
    # What a shell shows of a program that SIGPIPE ended.
    PIPE_CLOSED = 141


UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def show(options: argparse.Namespace, outcome: dict[str, Any]) -> None:
    """Prints an outcome as JSON, or in words."""
    if options.json:
        errors = [
            {"path": path, "code": errorcode.get(code, str(code)), "reason": reason(options, path, code)}
            for path, code in outcome["errors"]
        ]
        print(json.dumps(outcome | {"errors": errors}))
    elif options.command == "du" and "bytes" in outcome:
        amount = outcome["allocated"] if options.bytes else size(outcome["allocated"])
        print(f"{amount}\t{printable(options.path)}")
    elif options.command != "du" and not options.quiet:
        verb = "copied" if options.command == "copy" else "removed"
        files = outcome["files"] + outcome.get("links", 0)
        if options.command == "rm" and outcome["errors"] and not files + outcome["folders"]:
            # That nothing was removed is said by what was in the way.
            return
        print(f"{verb} {counted(files, 'file')} and {counted(outcome['folders'], 'folder')}", file=sys.stderr)


def tell(program: str, options: argparse.Namespace, errors: list[tuple[str, int]]) -> None:
    """Says on standard error what failed."""
    for path, code in errors:
        print(f"{program}: {printable(path)}: {reason(options, path, code)}", file=sys.stderr)


def reason(options: argparse.Namespace, path: str, code: int) -> str:
    """What is wrong, where the system's words do not tell."""
    said: str = strerror(code)
    match options.command, code:
        case "rm", errno.UV_EINVAL if path == options.path:
            return "only a name in a folder can be removed, not ., .. or /"
        case "copy", errno.UV_EINVAL if path in (options.path, options.new_path):
            return "a tree is not copied into itself"
        case "copy", errno.UV_ENOTSUP:
            return f"{said}: pipes, sockets and devices are not copied"
    return said


def size(count: int) -> str:
    """Bytes in the unit that suits them."""
    amount, unit = float(count), 0
    while amount >= 1000 and unit + 1 < len(UNITS):
        amount /= 1024
        unit += 1
    return f"{amount:.1f} {UNITS[unit]}" if unit else f"{count} B"


def counted(count: int, what: str) -> str:
    """A number of things."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def printable(path: str) -> str:
    """A path for people: what is no text in it is escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
