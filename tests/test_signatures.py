"""What `help` and `inspect.signature` show is what the stubs say: parameters, their kinds and defaults."""

import ast
import importlib
import inspect
import pathlib
import queue

import pytest
import pyuv
from pyuv import dns, fs

from util import Recorder

PACKAGE = pathlib.Path(pyuv.__file__).parent
MODULES = ["pyuv", "pyuv.dns", "pyuv.error", "pyuv.errno", "pyuv.fs", "pyuv.thread", "pyuv.util"]
# No one Python signature says how it may be called.
SEVERAL_FORMS = {"pyuv.thread.Condition.timedwait"}
# Python calls these itself.
HIDDEN = "_"


def stub(module):
    path = PACKAGE.joinpath(*module.split(".")[1:])
    file = path / "__init__.pyi" if path.is_dir() else path.with_suffix(".pyi")
    return ast.parse(file.read_text()).body


def functions(body):
    """The first form of each function, and of each that is no property of a class."""
    seen = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            is_property = "property" in decorators or any(name.endswith(".setter") for name in decorators)
            if node.name not in seen and not is_property:
                seen[node.name] = node, decorators
    return seen


def shown(node, *, bound):
    """Name, kind and default of each parameter that a stub tells of, without the one that is bound."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for number, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        if not (bound and number == 0):
            kind = "positional" if argument in arguments.posonlyargs else "any"
            yield argument.arg, kind, value(default)
    if arguments.vararg:
        yield "*", "", inspect.Parameter.empty
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg, "keyword", value(default)
    if arguments.kwarg:
        yield "**", "", inspect.Parameter.empty


def value(default):
    return inspect.Parameter.empty if default is None else ast.literal_eval(default)


KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "any",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
}


def real(function):
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            yield "*", "", inspect.Parameter.empty
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            yield "**", "", inspect.Parameter.empty
        elif parameter.name != "self":
            yield parameter.name, KINDS[parameter.kind], parameter.default


def public_callables():
    """The name of each, the object, and its node in the stub; of a class, its `__init__` or `__new__`."""
    for module in MODULES:
        of_module = importlib.import_module(module)
        body = stub(module)
        for name, (node, _) in functions(body).items():
            if not name.startswith(HIDDEN):
                yield f"{module}.{name}", getattr(of_module, name), node, False
        for node in body:
            if not isinstance(node, ast.ClassDef) or node.name.startswith(HIDDEN):
                continue
            of_class = getattr(of_module, node.name)
            methods = functions(node.body)
            for maker in "__init__", "__new__":
                if maker in methods:
                    yield f"{module}.{node.name}", of_class, methods[maker][0], True
                    break
            for name, (method, decorators) in methods.items():
                if not name.startswith(HIDDEN):
                    bound = "staticmethod" not in decorators
                    yield f"{module}.{node.name}.{name}", getattr(of_class, name), method, bound


CALLABLES = list(public_callables())


@pytest.mark.parametrize(
    ("name", "function", "node", "bound"),
    [
        pytest.param(*found, id=found[0])
        for found in CALLABLES
        # An exception of the standard library says of itself what it does.
        if found[0] not in SEVERAL_FORMS and found[1] not in (queue.Empty, queue.Full)
    ],
)
def test_a_signature_is_that_of_the_stub(name, function, node, bound):
    expected, found = list(shown(node, bound=bound)), list(real(function))
    if node is not None and name.startswith("pyuv.fs.") and {"utime", "lutime", "futime"} & {node.name}:
        # The first form has its times; either form may be given.
        expected = [
            (what, kind, None if what in ("atime", "mtime") else default) for what, kind, default in expected
        ]
    assert found == expected


def test_there_are_as_many_as_there_should_be():
    names = {name for name, *_ in CALLABLES}
    assert len(names) > 290
    assert {"pyuv.dns.Channel", "pyuv.fs.open", "pyuv.TCP.connect", "pyuv.util.socketpair"} <= names


def test_help_shows_what_there_is_to_choose():
    assert str(inspect.signature(fs.open)) == "(loop, path, flags, mode=438, callback=None)"
    assert str(inspect.signature(dns.Channel)).startswith(
        "(loop, servers=None, *, query_cache_max_ttl=None, timeout=None"
    )


def test_handles_and_requests_take_attributes(loop):
    timer = pyuv.Timer(loop)
    work = loop.queue_work(lambda: None)
    stat = fs.stat(loop, "/", Recorder())
    lookup = dns.getaddrinfo(loop, "127.0.0.1", callback=Recorder())
    for thing in (timer, work, stat, lookup):
        thing.note = thing
        assert thing.note is thing
        del thing.note
    loop.run()


def test_a_request_is_generic_in_its_result():
    assert fs.FSRequest[int].__origin__ is fs.FSRequest
    assert fs.TreeRequest[fs.du_result].__args__ == (fs.du_result,)
