"""``open``: files of every mode that the builtin has."""

import errno
import io
import os
import stat
import sys
import warnings
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from ..requests import in_pool
from .binary import WRITE_BUFFER, BinaryFile, RawFile
from .descriptor import Descriptor
from .operations import open_fd
from .text import Convention, TextFile

if TYPE_CHECKING:
    from _typeshed import FileDescriptorOrPath, OpenBinaryMode, OpenTextMode

_F = TypeVar("_F", bound=TextFile | BinaryFile | RawFile)

Opener = Callable[[Any, int], int]


class Opening(Generic[_F]):
    """A file that is to be opened: by ``await``, or by ``async with``, which closes it."""

    def __init__(self, opens: Callable[[], Any]) -> None:
        self._opens = opens
        self._file: _F | None = None

    def __await__(self) -> Generator[Any, None, _F]:
        return self._opens().__await__()  # type: ignore[no-any-return]

    async def __aenter__(self) -> _F:
        self._file = file = await self
        return file

    async def __aexit__(self, *exception: object) -> None:
        file, self._file = self._file, None
        if file is not None:
            await file.close()


class Mode:
    """What a mode such as "r+b" means. ValueError for one that means nothing."""

    def __init__(self, mode: str) -> None:
        if not isinstance(mode, str):
            raise TypeError(f"open() argument 'mode' must be str, not {type(mode).__name__}")
        letters = set(mode)
        if letters - set("axrwb+t") or len(mode) > len(letters):
            raise ValueError(f"invalid mode: {mode!r}")
        self.text = "b" not in letters
        if "t" in letters and not self.text:
            raise ValueError("can't have text and binary mode at once")
        ways = letters & set("axrw")
        if len(ways) != 1:
            raise ValueError("must have exactly one of create/read/write/append mode")
        (self.way,) = ways
        self.updates = "+" in letters
        made = {
            "r": 0,
            "w": os.O_CREAT | os.O_TRUNC,
            "x": os.O_CREAT | os.O_EXCL,
            "a": os.O_CREAT | os.O_APPEND,
        }[self.way]
        used = os.O_RDWR if self.updates else os.O_RDONLY if self.way == "r" else os.O_WRONLY
        #: Those of os.open.
        self.flags = made | used
        way = self.way
        if self.updates and way == "w" and sys.version_info < (3, 15):
            way = "r"
        #: What a binary file says of itself.
        self.name = f"{way}b+" if self.updates else f"{way}b"


_MODES: dict[str, Mode] = {}


def mode_of(mode: str) -> Mode:
    """What a mode means. There are not many, and each is looked at once."""
    found = _MODES.get(mode)
    if found is None:
        found = _MODES[mode] = Mode(mode)
    return found


def check_arguments(
    mode: Mode, buffering: int, encoding: str | None, errors: str | None, newline: str | None
) -> None:
    """ValueError for what does not go together, as the builtin has it."""
    if not mode.text:
        for name, value in (("an encoding", encoding), ("an errors", errors), ("a newline", newline)):
            if value is not None:
                raise ValueError(f"binary mode doesn't take {name} argument")
        if buffering == 1:
            warnings.warn(
                "line buffering (buffering=1) isn't supported in binary mode, "
                "the default buffer size will be used",
                RuntimeWarning,
                stacklevel=4,
            )
    elif buffering == 0:
        raise ValueError("can't have unbuffered text I/O")


async def _descriptor_of(file: Any, flags: int, closefd: bool, opener: Opener | None) -> int:
    if isinstance(file, int):
        if file < 0:
            raise ValueError("negative file descriptor")
        return file
    path = os.fspath(file)
    if not closefd:
        raise ValueError("Cannot use closefd=False with file name")
    if opener is None:
        return await open_fd(path, flags, 0o666)
    fd = await in_pool(opener, path, flags | os.O_CLOEXEC, dispose=_close_opened)
    if not isinstance(fd, int):
        raise TypeError("expected integer from opener")
    if fd < 0:
        raise ValueError(f"opener returned {fd}")
    os.set_inheritable(fd, False)
    return fd


def _close_opened(fd: Any) -> None:
    if isinstance(fd, int) and fd >= 0:
        os.close(fd)


def file_of(
    fd: int,
    name: Any,
    mode: Mode,
    said: str,
    buffering: int,
    convention: Convention | None,
    *,
    closes: bool,
) -> TextFile | BinaryFile | RawFile:
    """The file that an open descriptor is. Of one that was just opened the system knows what is asked."""
    try:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        descriptor = Descriptor(fd, name, status, closes=closes)
        if mode.updates and buffering != 0 and not descriptor.seekable:
            raise io.UnsupportedOperation("File or stream is not seekable.")
    except BaseException:
        # A number that was given stays the giver's.
        if not isinstance(name, int):
            os.close(fd)
        raise
    if mode.way == "a" and descriptor.seekable:
        descriptor.move(0, os.SEEK_END)
    if buffering == 0:
        return RawFile(descriptor, mode.name)
    binary = BinaryFile(descriptor, mode.name, buffering if buffering > 1 else WRITE_BUFFER)
    if convention is None:
        return binary
    line_buffering = buffering == 1 or (buffering < 0 and stat.S_ISCHR(status.st_mode) and os.isatty(fd))
    return TextFile(binary, said, convention, line_buffering=line_buffering)


@overload
def open(
    file: "FileDescriptorOrPath",
    mode: "OpenTextMode" = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Opener | None = None,
    *,
    loop: object = None,
    executor: object = None,
) -> Opening[TextFile]: ...


@overload
def open(  # type: ignore[overload-overlap]
    file: "FileDescriptorOrPath",
    mode: "OpenBinaryMode",
    buffering: Literal[0],
    encoding: None = None,
    errors: None = None,
    newline: None = None,
    closefd: bool = True,
    opener: Opener | None = None,
    *,
    loop: object = None,
    executor: object = None,
) -> Opening[RawFile]: ...


@overload
def open(
    file: "FileDescriptorOrPath",
    mode: "OpenBinaryMode",
    buffering: int = -1,
    encoding: None = None,
    errors: None = None,
    newline: None = None,
    closefd: bool = True,
    opener: Opener | None = None,
    *,
    loop: object = None,
    executor: object = None,
) -> Opening[BinaryFile]: ...


@overload
def open(
    file: "FileDescriptorOrPath",
    mode: str,
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Opener | None = None,
    *,
    loop: object = None,
    executor: object = None,
) -> Opening[Any]: ...


def open(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Opener | None = None,
    *,
    loop: object = None,
    executor: object = None,
) -> Opening[Any]:
    """Opens a file as the builtin does: ``async with open(path) as file``, or ``file = await open(path)``.

    A text file, or with "b" in `mode` a binary one; ``buffering=0`` of a binary one is without a buffer. What
    is read comes in large blocks, one trip to libuv's thread pool each (`uv_fs_read`), and lines are split in
    memory. Raises what the builtin raises; an OSError is a `pyuv.error.FSError`.

    `loop` and `executor` are taken because aiofiles takes them, and mean nothing here.
    """

    async def opens() -> TextFile | BinaryFile | RawFile:
        parsed = mode_of(mode)
        check_arguments(parsed, buffering, encoding, errors, newline)
        convention = Convention.of(encoding, errors, newline) if parsed.text else None
        fd = await _descriptor_of(file, parsed.flags, closefd, opener)
        name = file if isinstance(file, int) else os.fspath(file)
        return file_of(fd, name, parsed, mode, buffering, convention, closes=closefd)

    return Opening(opens)
