from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any, AnyStr, Literal, TypeAlias, overload

from typing_extensions import Buffer

from ...fs import (
    Dir,
    Dirent,
    copytree_result,
    du_result,
    read_many_result,
    rmtree_result,
    stat_result,
    statfs_result,
    tree_progress,
)

_StrOrBytesPath: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]
_AnyPath: TypeAlias = AnyStr | PathLike[AnyStr]
_Progress: TypeAlias = Callable[[tree_progress], object]
_OnError: TypeAlias = Literal["stop", "continue"]

async def access(path: _StrOrBytesPath, flags: int) -> None: ...
async def append_file(path: _StrOrBytesPath, data: Buffer | Sequence[Buffer], mode: int = 0o666) -> int: ...
async def chmod(path: _StrOrBytesPath, mode: int) -> None: ...
async def chown(path: _StrOrBytesPath, uid: int, gid: int) -> None: ...
async def close(fd: int) -> None: ...
async def closedir(dir: Dir[Any]) -> None: ...
async def copyfile(path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int = 0) -> None: ...
async def copytree(
    path: _StrOrBytesPath,
    new_path: _StrOrBytesPath,
    *,
    exist_ok: bool = False,
    ownership: bool = False,
    special: Literal["error", "skip"] = "error",
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
) -> copytree_result: ...
async def du(
    path: _StrOrBytesPath,
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
) -> du_result: ...
async def fchmod(fd: int, mode: int) -> None: ...
async def fchown(fd: int, uid: int, gid: int) -> None: ...
async def fdatasync(fd: int) -> None: ...
async def fstat(fd: int) -> stat_result: ...
async def fsync(fd: int) -> None: ...
async def ftruncate(fd: int, offset: int) -> None: ...
@overload
async def futime(fd: int, atime: float, mtime: float, *, ns: None = None) -> None: ...
@overload
async def futime(fd: int, atime: None = None, mtime: None = None, *, ns: tuple[int, int]) -> None: ...
async def lchown(path: _StrOrBytesPath, uid: int, gid: int) -> None: ...
async def link(path: _StrOrBytesPath, new_path: _StrOrBytesPath) -> None: ...
async def lstat(path: _StrOrBytesPath) -> stat_result: ...
@overload
async def lutime(path: _StrOrBytesPath, atime: float, mtime: float, *, ns: None = None) -> None: ...
@overload
async def lutime(
    path: _StrOrBytesPath, atime: None = None, mtime: None = None, *, ns: tuple[int, int]
) -> None: ...
async def mkdir(path: _StrOrBytesPath, mode: int = 0o777) -> None: ...
async def mkdtemp(template: _AnyPath[AnyStr]) -> AnyStr: ...
async def mkstemp(template: _AnyPath[AnyStr]) -> tuple[int, AnyStr]: ...
async def open_fd(path: _StrOrBytesPath, flags: int, mode: int = 0o666) -> int: ...
async def opendir(path: _AnyPath[AnyStr]) -> Dir[AnyStr]: ...
async def read(fd: int, length: int, offset: int = -1) -> bytes: ...
async def read_file(path: _StrOrBytesPath, *, max_size: int | None = None) -> bytes: ...
async def read_many(
    paths: Iterable[_StrOrBytesPath],
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
) -> read_many_result: ...
async def readdir(dir: Dir[AnyStr], count: int = 1024) -> list[Dirent[AnyStr]]: ...
async def readinto(fd: int, buffers: Buffer | Sequence[Buffer], offset: int = -1) -> int: ...
async def readlink(path: _AnyPath[AnyStr]) -> AnyStr: ...
async def realpath(path: _AnyPath[AnyStr]) -> AnyStr: ...
async def rename(path: _StrOrBytesPath, new_path: _StrOrBytesPath) -> None: ...
async def rmdir(path: _StrOrBytesPath) -> None: ...
async def rmtree(
    path: _StrOrBytesPath,
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
) -> rmtree_result: ...
async def sendfile(out_fd: int, in_fd: int, in_offset: int, length: int) -> int: ...
async def stat(path: _StrOrBytesPath) -> stat_result: ...
async def statfs(path: _StrOrBytesPath) -> statfs_result: ...
async def symlink(path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int = 0) -> None: ...
async def unlink(path: _StrOrBytesPath) -> None: ...
@overload
async def utime(path: _StrOrBytesPath, atime: float, mtime: float, *, ns: None = None) -> None: ...
@overload
async def utime(
    path: _StrOrBytesPath, atime: None = None, mtime: None = None, *, ns: tuple[int, int]
) -> None: ...
async def write(fd: int, write_data: Buffer | Sequence[Buffer], offset: int = -1) -> int: ...
async def write_file(
    path: _StrOrBytesPath, data: Buffer | Sequence[Buffer], mode: int | None = None, atomic: bool = False
) -> int: ...

OPERATIONS: dict[str, Callable[..., Any]]

__all__ = [
    "access",
    "append_file",
    "chmod",
    "chown",
    "close",
    "closedir",
    "copyfile",
    "copytree",
    "du",
    "fchmod",
    "fchown",
    "fdatasync",
    "fstat",
    "fsync",
    "ftruncate",
    "futime",
    "lchown",
    "link",
    "lstat",
    "lutime",
    "mkdir",
    "mkdtemp",
    "mkstemp",
    "open_fd",
    "opendir",
    "read",
    "read_file",
    "read_many",
    "readdir",
    "readinto",
    "readlink",
    "realpath",
    "rename",
    "rmdir",
    "rmtree",
    "sendfile",
    "stat",
    "statfs",
    "symlink",
    "unlink",
    "utime",
    "write",
    "write_file",
]
