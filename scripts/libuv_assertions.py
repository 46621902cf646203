"""docs/assertions.toml: why no assertion of libuv's Unix half ends the process.

    libuv_assertions.py            say what is wrong with the table: what it lacks, what libuv no longer has
    libuv_assertions.py --missing  print the rows that it lacks, to be filled in

The table is edited by hand, and a test runs the check. An entry is of one function, or macro:

    [[assertion]]
    file = "unix/core.c"
    function = "uv__close"
    is = ["assert(fd > STDERR_FILENO)"]     # as the source has it, on one line
    cannot = "why it always holds"          # or
    checked = "what looks before" or
    detoured = "what is called instead", both with
    test = "tests/test_x.py::test_y"        # causes it, a Rust test as src/x.rs::name, or a list
    elsewhere = "the system that has it"    # not compiled on Linux
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vendored
from vendored import ROOT

TABLE = ROOT / "docs" / "assertions.toml"
VERDICTS = ("cannot", "checked", "detoured", "elsewhere")
PROVEN = ("checked", "detoured")

_ASSERTION = re.compile(r"\b(?:assert|abort|UNREACHABLE)\s*\(")
_FUNCTION = re.compile(r"^(?:[A-Za-z_][\w\s*]*?[\s*])?(\w+)\((?!.*;\s*$)")
_MACRO = re.compile(r"^#\s*define\s+(\w+)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, order=True)
class Assertion:
    """A place where libuv ends the process if something does not hold."""

    file: str
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.function}: {self.text}"


def sources() -> list[Path]:
    """The files of libuv's Unix half: those that all systems share, and those of each Unix."""
    folder = _folder()
    return sorted(path for part in (folder, folder / "unix") for path in part.glob("*.[ch]"))


def found() -> Counter[Assertion]:
    """Every assertion in the vendored source, and how often it stands there."""
    folder = _folder()
    return Counter(
        Assertion(path.relative_to(folder).as_posix(), function, text)
        for path in sources()
        for function, text in assertions_in(path.read_text())
    )


def assertions_in(source: str) -> Iterator[tuple[str, str]]:
    """What a source asserts: the function or macro, and the text on one line."""
    # Comments keep their lines, so that what follows stands where it stood.
    source = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source)
    function, macro, position = "", "", 0
    for line in source.splitlines(keepends=True):
        if header := _FUNCTION.match(line):
            function = header[1]
        elif header := _MACRO.match(line):
            macro = header[1]
        for start in _ASSERTION.finditer(line):
            yield macro or function, _call(source, position + start.start())
        if not line.endswith("\\\n"):
            macro = ""
        position += len(line)


def _call(source: str, start: int) -> str:
    """The call that begins there, to its last parenthesis, without the macros' backslashes."""
    depth = 0
    for end in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[end], 0)
        if source[end] == ")" and depth == 0:
            return " ".join(source[start : end + 1].replace("\\\n", "\n").split())
    raise ValueError(f"no end: {source[start : start + 40]}")


def rows() -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = tomllib.loads(TABLE.read_text())["assertion"]
    return table


def check() -> list[str]:
    """Everything that is wrong."""
    problems: list[str] = []
    told: Counter[Assertion] = Counter()
    for row in rows():
        name = f"{row.get('file')}: {row.get('function')}"
        told.update(Assertion(row["file"], row["function"], text) for text in row["is"])
        verdicts = [verdict for verdict in VERDICTS if row.get(verdict)]
        if len(verdicts) != 1:
            problems.append(f"{name}: one of {', '.join(VERDICTS)}")
        elif verdicts[0] in PROVEN:
            tests = row.get("test", [])
            tests = [tests] if isinstance(tests, str) else tests
            problems += [] if tests else [f"{name}: no test causes it"]
            problems += [f"{name}: there is no {test}" for test in tests if not _exists(test)]
    there = found()
    problems += [f"no row: {assertion}" for assertion in sorted(there - told)]
    problems += [f"libuv has no longer: {assertion}" for assertion in sorted(told - there)]
    return problems


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / path
    return file.is_file() and re.search(rf"\b(?:def|fn) {re.escape(name)}\b", file.read_text()) is not None


def missing() -> str:
    told = (
        Counter(Assertion(row["file"], row["function"], text) for row in rows() for text in row["is"])
        if TABLE.exists()
        else Counter()
    )
    groups: dict[tuple[str, str], list[str]] = {}
    for assertion, count in sorted((found() - told).items()):
        groups.setdefault((assertion.file, assertion.function), []).extend([assertion.text] * count)
    lines = []
    for (file, function), texts in groups.items():
        quoted = ", ".join("'" + text + "'" if '"' in text else f'"{text}"' for text in texts)
        lines += ["[[assertion]]", f'file = "{file}"', f'function = "{function}"', f"is = [{quoted}]", ""]
    return "\n".join(lines)


def _folder() -> Path:
    return vendored.crates()["libuv-sys2"].folder / "libuv" / "src"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument("--missing", action="store_true", help="print the rows that the table lacks")
    if parser.parse_args().missing:
        print(missing())
        return 0
    problems = check()
    print("\n".join(problems) or f"{found().total()} assertions, each with its row")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
