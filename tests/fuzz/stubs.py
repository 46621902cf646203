"""The public classes and functions of the package, as its type stubs have them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pyuv

PACKAGE = Path(pyuv.__file__).parent
MODULES = {
    "pyuv": "__init__.pyi",
    "dns": "dns/__init__.pyi",
    "fs": "fs/__init__.pyi",
    "thread": "thread.pyi",
    "util": "util.pyi",
    "errno": "errno.pyi",
}


@dataclass(frozen=True)
class Parameter:
    name: str
    annotation: ast.expr | None
    optional: bool
    by_name: bool


@dataclass(frozen=True)
class Callable:
    """A function, method or class: `owner` is a module's or a class's name as programs write it."""

    module: str
    owner: str
    name: str
    parameters: tuple[Parameter, ...]

    @property
    def path(self) -> str:
        return f"{self.owner}.{self.name}"


@dataclass
class Class:
    module: str
    name: str
    bases: list[str]
    make: Callable | None
    methods: list[Callable]
    attributes: list[str]
    settable: dict[str, ast.expr | None]

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


def parameters(function: ast.FunctionDef, skip: int) -> tuple[Parameter, ...]:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    required = len(positional) - len(given.defaults)
    found = [
        Parameter(each.arg, each.annotation, number >= required, False)
        for number, each in enumerate(positional)
    ][skip:]
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found.append(Parameter(each.arg, each.annotation, default is not None, True))
    return tuple(found)


def decorators(function: ast.FunctionDef) -> list[str]:
    return [ast.unparse(each) for each in function.decorator_list]


def read_class(module: str, node: ast.ClassDef) -> Class:
    path = f"{module}.{node.name}"
    bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
    result = Class(module, node.name, bases, None, [], [], {})
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            result.settable[item.target.id] = item.annotation
        if not isinstance(item, ast.FunctionDef):
            continue
        marks = decorators(item)
        if "property" in marks:
            result.attributes.append(item.name)
        elif any(mark.endswith(".setter") for mark in marks):
            result.settable[item.name] = (
                item.args.posonlyargs[-1].annotation if item.args.posonlyargs else None
            )
        elif item.name in ("__init__", "__new__"):
            result.make = Callable(module, module, node.name, parameters(item, 1))
        elif item.name != "__class_getitem__":
            result.methods.append(Callable(module, path, item.name, parameters(item, 1)))
    return result


class Stubs:
    """Everything public, read once."""

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self.functions: list[Callable] = []
        for module, file in MODULES.items():
            self.read(module, ast.parse((PACKAGE / file).read_text()))

    def read(self, module: str, tree: ast.Module) -> None:
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                self.classes[f"{module}.{node.name}"] = read_class(module, node)
            elif isinstance(node, ast.FunctionDef):
                self.functions.append(Callable(module, module, node.name, parameters(node, 0)))

    def bases(self, path: str) -> list[Class]:
        """A class and those that it inherits from, the nearest first."""
        found = [self.classes[path]]
        for base in found[0].bases:
            for candidate in (f"{found[0].module}.{base}", f"pyuv.{base}"):
                if candidate in self.classes:
                    found += self.bases(candidate)
                    break
        return found

    def methods(self, path: str) -> list[Callable]:
        return [method for each in self.bases(path) for method in each.methods]

    def settable(self, path: str) -> dict[str, ast.expr | None]:
        found: dict[str, ast.expr | None] = {}
        for each in self.bases(path):
            found |= each.settable
        return found

    def attributes(self, path: str) -> list[str]:
        return [name for each in self.bases(path) for name in each.attributes]
