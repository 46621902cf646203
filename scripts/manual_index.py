"""Compares what the manual has entries for with what the type stubs say is public.

    manual_index.py build/docs/objects.inv

Every class, method, attribute, function and constant of the stubs has to be found in the manual's index.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from sphinx.util.inventory import InventoryFile

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pymodule" / "python" / "pyuv"


def stubs() -> Iterator[tuple[str, ast.Module]]:
    """Each public module's name and its stub."""
    for path in sorted(PACKAGE.rglob("*.pyi")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if not any(part.startswith("_") for part in name.split(".")):
            yield name, ast.parse(path.read_text())


def exported(module: ast.Module) -> set[str]:
    """The names in `__all__`."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return {str(name) for name in ast.literal_eval(value)}
    return set()


def defined(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """What a body defines, under its name."""
    for node in body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name, node
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name, node


def public_names() -> Iterator[str]:
    """The full name of everything public, methods and attributes included."""
    for module, stub in stubs():
        names = exported(stub)
        for name, node in defined(stub.body):
            if name not in names:
                continue
            yield f"{module}.{name}"
            if isinstance(node, ast.ClassDef):
                members = {member for member, _ in defined(node.body) if not member.startswith("_")}
                yield from (f"{module}.{name}.{member}" for member in sorted(members))


def main(inventory: str) -> int:
    with open(inventory, "rb") as stream:
        data = InventoryFile.load(stream, "", lambda base, uri: uri)
    found = {name for domain, names in data.items() if domain.startswith("py:") for name in names}
    names = list(public_names())
    missing = [name for name in names if name not in found]
    for name in missing:
        print(f"not in the manual's index: {name}")
    print(f"{len(names) - len(missing)} of {len(names)} public names are in the manual's index")
    return bool(missing) or not names


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
