"""docs/coverage.md: what has become of every public function of libuv and c-ares.

    api_coverage.py            rewrite it from docs/coverage.toml
    api_coverage.py --check    say what is wrong with either; needs pyuv to be installed

The table is edited by hand; `api_rows.py` says how. A test runs the check.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import api_headers
import api_rows
import vendored
from api_rows import Row
from vendored import ROOT

TABLE = ROOT / "docs" / "coverage.toml"
PAGE = ROOT / "docs" / "coverage.md"

INTRODUCTION = """\
# Coverage

What has become of every public function of libuv and c-ares. `make coverage` makes this page of
`docs/coverage.toml`; a test compares that with the headers, the package, the tests and the Rust sources.
"""

KINDS = {
    "python": "can be reached from Python",
    "rust": "used inside",
    "reason": "of no use from Python",
}


def load() -> tuple[dict[str, dict[str, list[Row]]], list[str]]:
    """The rows by library and room, and what is wrong with their form."""
    table = tomllib.loads(TABLE.read_text())
    problems = [f"{name}: no such library" for name in table if name not in api_headers.LIBRARIES]
    libraries = {}
    for library in api_headers.LIBRARIES:
        libraries[library], wrong = api_rows.read(table.get(library, {}))
        problems += wrong
    return libraries, problems


def check() -> list[str]:
    """Everything that is wrong."""
    libraries, problems = load()
    for library, rooms in libraries.items():
        problems += api_rows.compare(rooms, api_headers.functions(library))
        for rows in rooms.values():
            for row in rows:
                problems += api_rows.verify(row)
    if not PAGE.exists() or PAGE.read_text() != page(libraries):
        problems.append("docs/coverage.md is out of date: make coverage")
    return problems


def page(libraries: Mapping[str, Mapping[str, Sequence[Row]]]) -> str:
    lines = [INTRODUCTION]
    for library, rooms in libraries.items():
        crate = vendored.crates()[api_headers.LIBRARIES[library].crate]
        counts = Counter(row.kind for rows in rooms.values() for row in rows)
        told = ", ".join(f"{counts[kind]} {what}" for kind, what in KINDS.items() if counts[kind])
        lines.append(f"## {library}\n\n{counts.total()} functions in {library}'s headers, crate")
        lines[-1] += f" {api_headers.LIBRARIES[library].crate} {crate.version}: {told}.\n"
        for room, rows in rooms.items():
            lines.append(f"### {library}: {room}\n\n| function | | |\n|---|---|---|")
            lines += [f"| `{row.function}` | {' | '.join(cells(row))} |" for row in rows]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def cells(row: Row) -> Iterator[str]:
    """How a function is reached, and what shows it."""
    if row.kind == "python":
        yield f"`{row.value}`"
        yield f"`{row.test}`" + (f"; {row.note}" if row.note else "")
    elif row.kind == "rust":
        yield "inside"
        yield f"`{row.value}`"
    else:
        yield "no"
        yield row.value


def main() -> int:
    parser = argparse.ArgumentParser(description="the table of libuv's and c-ares's functions")
    parser.add_argument("--check", action="store_true", help="change nothing; say what is wrong")
    options = parser.parse_args()
    libraries, problems = load()
    if options.check:
        problems = check()
    else:
        PAGE.write_text(page(libraries))
    for problem in problems:
        print(problem)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
