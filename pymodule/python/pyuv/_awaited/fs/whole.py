"""Whole files in one trip: bytes and text."""

import io
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias

from .operations import read_file, write_file

if TYPE_CHECKING:
    from typing_extensions import Buffer

_Path: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]


async def read_bytes(path: _Path) -> bytes:
    """The content of a file, in one trip to the thread pool: `pyuv.fs.read_file`."""
    return await read_file(path)


async def write_bytes(path: _Path, data: "Buffer", *, mode: int | None = None, atomic: bool = True) -> int:
    """Makes a file hold a bytes-like object, and gives its length: `pyuv.fs.write_file`.

    Whatever happens meanwhile there is the old file or the new one, whole, on the disk; with ``atomic=False``
    it is emptied and written, which is quicker.
    """
    return await write_file(path, data, mode, atomic)


async def read_text(
    path: _Path, encoding: str | None = None, errors: str | None = None, newline: str | None = None
) -> str:
    """The content of a file as text: `encoding`, `errors` and `newline` are those of ``open``."""
    return io.TextIOWrapper(io.BytesIO(await read_file(path)), encoding, errors, newline).read()


async def write_text(
    path: _Path,
    text: str,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    *,
    mode: int | None = None,
    atomic: bool = True,
) -> int:
    """Makes a file hold text, as `write_bytes` does, and gives how many characters that are."""
    if not isinstance(text, str):
        raise TypeError(f"text must be str, not {type(text).__name__}")
    encoded = io.BytesIO()
    wrapper = io.TextIOWrapper(encoded, encoding, errors, newline)
    wrapper.write(text)
    wrapper.flush()
    await write_file(path, encoded.getbuffer(), mode, atomic)
    return len(text)
