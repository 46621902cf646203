"""The PEP 517 backend: maturin, after the build environment has been completed.

`pip install .` finds libclang in its isolated environment and the C headers at gcc; the user sets nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import licenses
import maturin
import toolchain

Settings = Mapping[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Nothing beyond `build-system.requires`; the right moment to say what is missing."""
    if problem := toolchain.missing_tools():
        raise SystemExit(f"pyuv cannot be built: {problem}")
    return []


get_requires_for_build_editable = get_requires_for_build_wheel
get_requires_for_build_sdist = get_requires_for_build_wheel


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """maturin's; the licences are part of the metadata."""
    licenses.collect()
    return str(maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings))


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """maturin's, with the licences of what a build of it links."""
    licenses.collect()
    return str(maturin.build_sdist(sdist_directory, config_settings))


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel with maturin, libclang and gcc's headers at hand."""
    _complete_environment()
    return str(maturin.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """The same for `pip install -e .`."""
    _complete_environment()
    return str(maturin.build_editable(wheel_directory, config_settings, metadata_directory))


def _complete_environment() -> None:
    licenses.collect()
    import clang  # the wheel named libclang; there only while a wheel is built

    package = Path(clang.__path__[0])
    os.environ.update(toolchain.environment(os.environ, package / "native"))
