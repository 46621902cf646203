"""How a test ended, and reading that from what pytest's plugin wrote and from what cargo test printed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_BINARY = re.compile(r"^ +Running .*\(.*?([^/\\]+)-[0-9a-f]+(?:\.exe)?\)$")
_DOC_TESTS = re.compile(r"^ +Doc-tests (\S+)$")
_TEST = re.compile(r"^test (?P<name>.+?) \.\.\. (?P<kind>ok|FAILED|ignored)(?:, (?P<reason>.*))?$")
_LINE_NUMBER = re.compile(r" \(line \d+\)")
_KINDS = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}


@dataclass(frozen=True)
class Outcome:
    """`passed`, `failed` or `skipped`; an expected failure counts as skipped, for it proves as little."""

    kind: str
    reason: str = ""


Outcomes = Mapping[str, Outcome]


def read_pytest(path: Path) -> dict[str, Outcome]:
    """What `pytest --outcomes` wrote."""
    return {name: Outcome(*row) for name, row in json.loads(path.read_text()).items()}


def parse_cargo(lines: Iterable[str]) -> dict[str, Outcome]:
    """Outcomes from the output of `cargo test`, both streams in order; ids start with the binary's name."""
    outcomes: dict[str, Outcome] = {}
    binary = ""
    for line in lines:
        if found := _BINARY.match(line):
            binary = found[1]
        elif found := _DOC_TESTS.match(line):
            binary = f"{found[1]} doc"
        elif found := _TEST.match(line):
            # Line numbers of documentation change with every edit; a count tells examples of one item apart.
            name = f"cargo {binary}: {_LINE_NUMBER.sub('', found['name'])}"
            outcome = Outcome(_KINDS[found["kind"]], found["reason"] or "")
            outcomes[_distinct(name, outcomes)] = outcome
    return outcomes


def count(outcomes: Outcomes) -> Counter[str]:
    """How many ended in each way."""
    return Counter(outcome.kind for outcome in outcomes.values())


def _distinct(name: str, taken: Outcomes) -> str:
    number, distinct = 1, name
    while distinct in taken:
        number += 1
        distinct = f"{name} #{number}"
    return distinct
