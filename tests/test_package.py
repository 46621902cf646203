"""What the package says of itself."""

import importlib.metadata
import re

import pyuv
import vendored


def test_versions_are_those_of_what_is_linked():
    assert pyuv.__version__ == importlib.metadata.version("pyuv")
    header = vendored.crates()["libuv-sys2"].folder / "libuv" / "include" / "uv" / "version.h"
    numbers = re.findall(r"#define UV_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text())
    assert ".".join(numbers) == pyuv.LIBUV_VERSION
    header = vendored.crates()["c-ares-sys"].folder / "c-ares" / "include" / "ares_version.h"
    numbers = re.findall(r"#define ARES_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text())
    assert ".".join(numbers) == pyuv.ARES_VERSION
