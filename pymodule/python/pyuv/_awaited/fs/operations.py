"""Every operation of ``pyuv.fs`` that is one request, awaited: one table, one way."""

import contextlib
import inspect
import os
from collections.abc import Callable
from typing import Any

from ... import fs
from ..requests import Dispose, awaited


def _remove_file(made: tuple[int, Any]) -> None:
    fd, path = made
    os.close(fd)
    with contextlib.suppress(OSError):
        os.unlink(path)


def _remove_folder(path: Any) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(path)


_DISPOSE: dict[str, Dispose] = {
    "mkdtemp": _remove_folder,
    "mkstemp": _remove_file,
    "open": os.close,
    "opendir": lambda folder: folder.close(),
}
"""What becomes of a result that nobody awaits any more."""

_CLOSE = {"close", "closedir"}
"""Those that are done whoever is cancelled."""

_NAMES = {"open": "open_fd"}
"""Those that go by another name here, where the function's own is a file's."""

_ELSEWHERE = {"scandir", "stat_float_times", "walk"}
"""Those that are more than a request here, and the one that asks for nothing."""


def _operation(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    call = function.__name__
    operation: Any = awaited(function, _DISPOSE.get(call), takes_back=call not in _CLOSE)
    signature = inspect.signature(function)
    kept = [one for one in signature.parameters.values() if one.name not in ("loop", "callback")]
    operation.__signature__ = signature.replace(parameters=kept)
    operation.__name__ = operation.__qualname__ = name
    operation.__module__ = __name__
    operation.__doc__ = function.__doc__
    return operation  # type: ignore[no-any-return]


def _operations() -> dict[str, Callable[..., Any]]:
    made = {}
    for name in fs.__all__:
        function = getattr(fs, name)
        if callable(function) and not isinstance(function, type) and name not in _ELSEWHERE:
            made[_NAMES.get(name, name)] = _operation(function, _NAMES.get(name, name))
    return made


OPERATIONS = _operations()

globals().update(OPERATIONS)

__all__ = list(OPERATIONS)
