"""Whatever pyuv 1.4.0 has is here, with the bases and the parameters it has there."""

import importlib
import inspect
import re

import api_floor
import pytest
import pyuv

from util import collect

UNSIGNED = re.compile(r"\w+")
METHODS = [
    (path, member)
    for path, (_, _, *members) in api_floor.CLASSES.items()
    for member in members
    if "(" in member
]
FUNCTIONS = [(path, function) for path, functions in api_floor.FUNCTIONS.items() for function in functions]


def find(path):
    """The object at `pyuv.fs.FSEvent`; its modules are imported, not looked up as attributes."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def parameters(signature):
    """`(path, [callback])` as names and whether each may be left out."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    needed, _, optional = inside.partition("[")
    return [(name, False) for name in UNSIGNED.findall(needed)] + [
        (name, True) for name in UNSIGNED.findall(optional)
    ]


def check_signature(callable_, signature):
    """What can be called as `signature` says can be called so, by position and by name."""
    taken = inspect.signature(callable_).parameters.values()
    ours = [parameter for parameter in taken if parameter.name != "self"]
    floor = parameters(signature)
    by_position = [
        parameter.name
        for parameter in ours
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    assert by_position[: len(floor)] == [name for name, _ in floor]
    for parameter, (name, optional) in zip(ours, floor, strict=False):
        assert parameter.default is not parameter.empty or not optional, name
    for parameter in ours[len(floor) :]:
        assert parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD


@pytest.mark.parametrize("path", api_floor.CLASSES)
def test_classes_have_the_bases_and_the_attributes_of_1_4(path):
    kind = find(path)
    bases, _, *members = api_floor.CLASSES[path]
    assert inspect.isclass(kind)
    assert [base.__name__ for base in kind.__mro__[1:-1]] == bases.split()
    assert f"{kind.__module__}.{kind.__name__}" == path
    for member in members:
        name = UNSIGNED.match(member)[0]
        assert hasattr(kind, name), name
        assert callable(getattr(kind, name)) == ("(" in member), name
        assert inspect.getdoc(getattr(kind, name)), name


@pytest.mark.parametrize("path", [path for path, facts in api_floor.CLASSES.items() if facts[1] is not None])
def test_classes_are_made_as_in_1_4(path):
    check_signature(find(path), api_floor.CLASSES[path][1])


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_methods_are_called_as_in_1_4(path, method):
    method_of_class = getattr(find(path), UNSIGNED.match(method)[0])
    if path == "pyuv.thread.Condition" and method.startswith("timedwait"):
        # `timedwait(timeout)` or `timedwait(mutex, timeout)`, which no one signature says.
        assert "timeout" in inspect.signature(method_of_class).parameters
        return
    check_signature(method_of_class, method)


@pytest.mark.parametrize(("path", "function"), FUNCTIONS)
def test_functions_are_called_as_in_1_4(path, function):
    check_signature(find(f"{path}.{UNSIGNED.match(function)[0]}"), function)


@pytest.mark.parametrize("name", api_floor.EXCEPTIONS)
def test_exceptions_have_the_bases_of_1_4(name):
    kind = getattr(pyuv.error, name)
    # Since 2.0 they are errors of the system, too.
    bases = [base.__name__ for base in kind.__mro__[1:] if base is not OSError]
    assert bases == [*api_floor.EXCEPTIONS[name].split(), "BaseException", "object"]
    assert kind.__module__ == "pyuv.error"


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in api_floor.CONSTANTS.items() for name in names.split()]
)
def test_constants_are_numbers(path, name):
    assert type(find(f"{path}.{name}")) is int


def test_error_codes_have_names():
    for name in api_floor.CONSTANTS["pyuv.errno"].split():
        assert pyuv.errno.errorcode[getattr(pyuv.errno, name)] == name


def test_what_stat_gives_has_every_field():
    with_fields = pyuv.fs.stat(pyuv.Loop.default_loop(), "/")
    for name in api_floor.STAT_FIELDS.split():
        assert hasattr(with_fields, name), name


@pytest.mark.parametrize("module", ["dns", "errno", "error", "fs", "thread", "util"])
def test_each_submodule_is_an_attribute_and_can_be_imported(module):
    assert importlib.import_module(f"pyuv.{module}") is getattr(pyuv, module)


def test_excepthook_is_a_method_that_a_subclass_can_call(capsys):
    class Counting(pyuv.Loop):
        count = 0

        def excepthook(self, kind, value, traceback):
            self.count += 1
            super().excepthook(kind, value, traceback)

    loop = Counting()
    pyuv.Timer(loop).start(lambda timer: 1 / 0, 0)
    loop.run()
    assert loop.count == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["Unhandled exception in callback", "Traceback (most recent call last):"]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    collect()
    loop.close()
