"""What the package says of itself."""

import importlib
import importlib.metadata
import re
import types

import licenses
import pytest
import pyuv
import vendored

from util import in_child


def test_versions_are_those_of_what_is_linked():
    assert pyuv.__version__ == importlib.metadata.version("pyuv")
    header = vendored.crates()["libuv-sys2"].folder / "libuv" / "include" / "uv" / "version.h"
    numbers = re.findall(r"#define UV_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text())
    assert ".".join(numbers) == pyuv.LIBUV_VERSION
    header = vendored.crates()["c-ares-sys"].folder / "c-ares" / "include" / "ares_version.h"
    numbers = re.findall(r"#define ARES_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text())
    assert ".".join(numbers) == pyuv.ARES_VERSION


@pytest.mark.parametrize(
    "name", ["LICENSE", *(f"bundled-licenses/{name}.txt" for name in licenses.LIBRARIES)]
)
def test_the_licence_of_what_is_linked_is_in_the_metadata(name):
    files = importlib.metadata.files("pyuv")
    (path,) = (file for file in files if file.as_posix().endswith(f".dist-info/licenses/{name}"))
    assert "Permission is hereby granted, free of charge" in path.read_text()


# What another import may have brought, which a plain one does not.
SUBMODULES = {
    "": {"asyncio", "gevent", "trio", "twisted"},
    ".asyncio": {"aiodns", "aiohttp", "dns", "fs"},
    ".asyncio.fs": {"os", "ospath", "tempfile"},
    ".trio": {"dns", "fs"},
}


@pytest.mark.parametrize(
    "name",
    [
        *("", ".asyncio", ".asyncio.dns", ".asyncio.fs", ".dns", ".errno", ".error", ".fs", ".thread"),
        *(".trio", ".trio.dns", ".trio.fs", ".twisted", ".util"),
    ],
)
def test_a_module_has_no_public_names_but_those_that_it_says(name):
    module = importlib.import_module(f"pyuv{name}")
    assert len(set(module.__all__)) == len(module.__all__)
    missing = [said for said in module.__all__ if not hasattr(module, said)]
    assert missing == []
    there = {found for found in vars(module) if not found.startswith("_")}
    assert there - set(module.__all__) - SUBMODULES.get(name, set()) == set()
    if name:
        modules = [said for said in module.__all__ if isinstance(getattr(module, said), types.ModuleType)]
        assert modules == []


def test_the_event_loop_of_asyncio_says_that_it_is_not_for_pypy():
    code = """
import sys
sys.implementation.name = "pypy"
try:
    import pyuv.asyncio
except ImportError as error:
    print(error)
"""
    assert in_child(code) == ["pyuv.asyncio is not supported on PyPy"]
