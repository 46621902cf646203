"""The rows of docs/coverage.toml, and whether what they say is true.

A row says of one C function what has become of it, in one of three ways:

    uv_run = { python = "pyuv.Loop.run", test = "tests/test_loop.py::test_an_empty_loop_returns_at_once" }
    uv_close = { rust = "src/handle/mod.rs::close" }
    uv_sleep = { reason = "time.sleep does the same" }

python
: The object that gives it to Python, and a test that uses it. The function must be called somewhere in
  Rust; where it is not, because the object does the same in another way, `note` says how.

rust
: The Rust function that calls it, in a file or anywhere in a folder.

reason
: Why it makes no sense from Python.

c-ares is called through the crate c-ares. There `via` names the crate's function, and it is that function's
calls that are looked for.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import vendored
from vendored import ROOT

KINDS = ("python", "rust", "reason")
FURTHER = {"python": {"test", "note", "via"}, "rust": {"via"}, "reason": set[str]()}
SOURCES = ("src", "fs/src", "dns/src", "pymodule/src")
COMMENT = re.compile(r"//.*")


@dataclass(frozen=True)
class Row:
    """What a table says of one function."""

    function: str
    kind: str
    value: str
    test: str = ""
    note: str = ""
    via: str = ""


def read(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> tuple[dict[str, list[Row]], list[str]]:
    """The rows of one library by room, and what is wrong with their form."""
    rooms: dict[str, list[Row]] = {}
    problems = []
    for room, entries in table.items():
        rooms[room] = []
        for function, entry in entries.items():
            kinds = [kind for kind in KINDS if kind in entry]
            if len(kinds) != 1:
                problems.append(f"{function}: one of {', '.join(KINDS)} is wanted")
                continue
            [kind] = kinds
            further = {key: value for key, value in entry.items() if key != kind}
            unknown = set(further) - FURTHER[kind]
            if unknown or not all(isinstance(value, str) and value for value in entry.values()):
                problems.append(f"{function}: not understood: {dict(entry)}")
                continue
            rooms[room].append(Row(function, kind, entry[kind], **further))
    return rooms, problems


def compare(rooms: Mapping[str, Sequence[Row]], functions: Sequence[str]) -> Iterator[str]:
    """Functions without a row, rows without a function, second rows."""
    listed = [row.function for rows in rooms.values() for row in rows]
    for function in functions:
        if function not in listed:
            yield f"{function}: has no row"
    for function in sorted(set(listed)):
        if function not in functions:
            yield f"{function}: is no public function"
        if listed.count(function) > 1:
            yield f"{function}: has more than one row"


def verify(row: Row) -> Iterator[str]:
    """What is not true of a row."""
    if row.kind == "rust":
        yield from verify_rust(row)
    if row.kind == "python":
        yield from verify_python(row)
    if row.via and not crate_calls(row.via, row.function):
        yield f"{row.function}: the crate c-ares does not call it in {row.via}"


def verify_rust(row: Row) -> Iterator[str]:
    place, _, symbol = row.value.partition("::")
    called = row.via or row.function
    define = re.compile(rf"\bfn {re.escape(symbol)}\b")
    texts = code_under(place)
    if not texts:
        yield f"{row.function}: there is no {place}"
    elif not any(define.search(text) and calls(text, called) for text in texts.values()):
        yield f"{row.function}: {place} has no {symbol} beside a use of {called}"


def verify_python(row: Row) -> Iterator[str]:
    if not exists(row.value):
        yield f"{row.function}: there is no {row.value}"
    source = test_source(row.test)
    if source is None:
        yield f"{row.function}: there is no {row.test or 'test'}"
    elif not re.search(rf"\b{re.escape(row.value.rpartition('.')[2])}\b", source):
        yield f"{row.function}: {row.test} does not use {row.value}"
    called = row.via or row.function
    if not row.note and not any(
        calls(text, called) for root in SOURCES for text in code_under(root).values()
    ):
        yield f"{row.function}: nothing calls {called}, and no note says why"


def exists(path: str) -> bool:
    """Whether `pyuv.x.y` can be had."""
    module, *names = path.split(".")
    found: object = importlib.import_module(module)
    for name in names:
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


@cache
def test_source(identity: str) -> str | None:
    """The source of a test, `file::function` or `file::class::function`, decorators included."""
    path, *names = identity.split("::")
    file = ROOT / path
    if not names or not file.is_file():
        return None
    text = file.read_text()
    node: ast.AST = ast.parse(text)
    for name in names:
        named = [each for each in ast.iter_child_nodes(node) if getattr(each, "name", None) == name]
        if not named:
            return None
        node = named[-1]
    decorators = getattr(node, "decorator_list", [])
    parts = [ast.get_source_segment(text, part) or "" for part in (*decorators, node)]
    return "\n".join(parts)


@cache
def code_under(place: str, root: Path = ROOT) -> dict[str, str]:
    """The text of a file, or of every Rust file in a folder, without comments."""
    path = root / place
    files = sorted(path.rglob("*.rs")) if path.is_dir() else [path] if path.is_file() else []
    return {str(file.relative_to(root)): COMMENT.sub("", file.read_text()) for file in files}


def calls(code: str, name: str) -> bool:
    """Whether a name is used."""
    return re.search(rf"\b{re.escape(name)}\b", code) is not None


@cache
def crate_functions() -> dict[str, str]:
    """The code of each function of the crate c-ares; of several with one name, together."""
    found: dict[str, str] = {}
    for text in code_under("src", vendored.crates()["c-ares"].folder).values():
        for part in re.split(r"\n(?=[ \t]*(?:pub(?:\([^)]*\))? )?(?:unsafe )?fn )", text):
            name = re.search(r"\bfn (\w+)", part)
            if name:
                found[name[1]] = found.get(name[1], "") + part
    return found


def crate_calls(via: str, function: str) -> bool:
    """Whether the crate's function `via` calls the C function, or another method of its own that does."""
    known = crate_functions()
    code = known.get(via, "")
    codes = [code, *(known.get(method, "") for method in re.findall(r"\bself\.(\w+)\(", code))]
    return any(calls(each, function) for each in codes)
