"""Cuts a program down to what it takes to see the same thing go wrong."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

# The first line of a statement, the last one, and whether nothing is left of its block without it.
Part = tuple[int, int, bool]


def statements(text: str) -> list[Part]:
    """A program's own, which stand behind the prelude; the last ones first, and never the end of all."""
    tree = ast.parse(text)
    prelude = text[: text.index("\n# Seed ")].count("\n") + 1
    found = []
    for node in ast.walk(tree):
        for block in (getattr(node, field, None) for field in ("body", "orelse", "finalbody", "handlers")):
            for child in block if isinstance(block, list) else []:
                if isinstance(child, ast.Pass) or (
                    isinstance(node, ast.With) and node.lineno == child.lineno
                ):
                    continue
                begin = min([child.lineno, *(each.lineno for each in getattr(child, "decorator_list", []))])
                if begin > prelude and "finish()" not in ast.unparse(child):
                    found.append((begin, child.end_lineno or begin, len(block) == 1 and node is not tree))
    return sorted(found, reverse=True)


def without(text: str, parts: list[Part]) -> str:
    lines = text.splitlines()
    last = len(lines) + 1
    # Of a part inside another the other is what goes.
    for begin, end, empties in outermost(parts):
        assert end < last
        last = begin
        first = lines[begin - 1]
        indent = first[: len(first) - len(first.lstrip())]
        lines[begin - 1 : end] = [f"{indent}pass"] if empties else []
    return "\n".join(lines) + "\n"


def outermost(parts: list[Part]) -> list[Part]:
    """The last ones first."""
    chosen: list[Part] = []
    for part in sorted(parts, key=lambda part: (part[0], -part[1])):
        if not chosen or part[0] > chosen[-1][1]:
            chosen.append(part)
    return chosen[::-1]


def shrink(text: str, fails: Callable[[str], bool], keep: Callable[[str], object]) -> str:
    """The shortest program found that still fails: chunks of statements go, large ones first.

    `keep` gets each shorter one.
    """
    size = max(1, len(statements(text)) // 4)
    while True:
        cut = False
        begin = 0
        while begin < len(parts := statements(text)):
            candidate = without(text, parts[begin : begin + size])
            if parses(candidate) and fails(candidate):
                text, cut = candidate, True
                keep(text)
            else:
                begin += size
        if size > 1:
            size //= 2
        elif not cut:
            return text


def tidy(text: str) -> str:
    """Without what nobody uses: imports, and the prelude's functions and classes."""
    while True:
        tree = ast.parse(text)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        spare = [
            (min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno or 0, False)
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in used
        ]
        spare += [
            (node.lineno, node.lineno, False)
            for node in tree.body
            if isinstance(node, ast.Import) and node.names[0].name not in used
        ]
        if not spare:
            return re.sub(r"\n{4,}", "\n\n\n", text)
        text = without(text, spare)


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
