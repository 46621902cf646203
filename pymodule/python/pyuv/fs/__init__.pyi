import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from types import GenericAlias
from typing import Any, AnyStr, Final, Generic, Literal, Self, SupportsIndex, TypeAlias, final, overload

from _typeshed import MaybeNone, structseq
from typing_extensions import Buffer, TypeVar, disjoint_base

from .. import Handle, Loop

_StrOrBytesPath: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]
_AnyPath: TypeAlias = AnyStr | PathLike[AnyStr]
_Result = TypeVar("_Result", default=Any)
_Result_co = TypeVar("_Result_co", covariant=True, default=Any)
_Callback: TypeAlias = Callable[[FSRequest[_Result]], object]
_TreeCallback: TypeAlias = Callable[[TreeRequest[_Result]], object]
_Progress: TypeAlias = Callable[[tree_progress], object]
_OnError: TypeAlias = Literal["stop", "continue"]
_Errors: TypeAlias = list[tuple[Any, int]]

@disjoint_base
class FSRequest(Generic[_Result_co]):
    """A filesystem operation that was started with a callback, which gets this object.

    It is generic in what the operation gives, `FSRequest[int]` for instance, and may be given any attributes.
    """

    @property
    def loop(self) -> Loop:
        """The loop it was submitted to."""

    @property
    def path(self) -> Any:
        """The path it is about, as it was given, or None."""

    @property
    def path2(self) -> Any:
        """The second path of rename, link and symlink, as it was given, or None."""

    @property
    def fd(self) -> int | MaybeNone:
        """The file descriptor it is about, or None."""

    @property
    def result(self) -> _Result_co | MaybeNone:
        """What the operation gave; None while it runs, and if it failed."""

    @property
    def error(self) -> int | None:
        """The code of pyuv.errno it failed with; None while it runs, and if it did not fail."""

    @property
    def bytes_written(self) -> int | None:
        """Of a write_file or append_file that failed, how many bytes are in the file nevertheless;
        None of anything else.
        """

    def cancel(self) -> bool:
        """Takes the operation back if it has not begun (uv_cancel): its callback then gets
        UV_ECANCELED. Returns whether it did; False for one that runs or is over.
        """

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@disjoint_base
class TreeRequest(FSRequest[_Result_co]):
    """A job on a tree that was started with a callback, which gets this object."""

    @property
    def errors(self) -> _Errors:
        """Every path that failed, as (path, code of pyuv.errno): at the end, and empty before."""

    @property
    def progress(self) -> tree_progress:
        """How far it is, or was when it ended."""

    def cancel(self) -> bool:
        """Has the job end as soon as it can, with UV_ECANCELED. What it has done stays done. Returns
        whether it was still going on.
        """

@final
class tree_progress(structseq[Any], tuple[int, int, int, int]):  # noqa: N801
    """How far a job on a tree is."""

    __match_args__: Final = ("files", "folders", "bytes", "errors")
    @property
    def files(self) -> int:
        """Entries that are no folders: found, read, copied or removed."""

    @property
    def folders(self) -> int:
        """Folders: found, copied or removed."""

    @property
    def bytes(self) -> int:
        """Bytes found by du, copied or read; 0 where none are looked at."""

    @property
    def errors(self) -> int:
        """How many paths failed."""

@final
class walk_folder(structseq[Any], tuple[Any, list[Dirent[Any]]]):  # noqa: N801
    """A folder of a tree and what it holds, or a part of that, as walk tells it."""

    __match_args__: Final = ("path", "entries")
    @property
    def path(self) -> Any:
        """The path that was given, joined with the names on the way."""

    @property
    def entries(self) -> list[Dirent[Any]]:
        """What it holds, in the order of the filesystem."""

@final
class walk_result(structseq[Any], tuple[list[walk_folder], _Errors]):  # noqa: N801
    """What walk gives."""

    __match_args__: Final = ("folders", "errors")
    @property
    def folders(self) -> list[walk_folder]:
        """The folders; empty if they were given to on_batch."""

    @property
    def errors(self) -> _Errors:
        """The paths that failed, as a list of (path, code)."""

@final
class du_result(structseq[Any], tuple[int, int, int, int, int, int, _Errors]):  # noqa: N801
    """What du gives: a file with several names counts once."""

    __match_args__: Final = ("bytes", "allocated", "files", "folders", "links", "others", "errors")
    @property
    def bytes(self) -> int:
        """The lengths of files and symbolic links."""

    @property
    def allocated(self) -> int:
        """What the filesystem has allocated, in bytes, for folders too."""

    @property
    def files(self) -> int:
        """How many plain files there are."""

    @property
    def folders(self) -> int:
        """How many folders there are, with that of the tree."""

    @property
    def links(self) -> int:
        """How many symbolic links there are."""

    @property
    def others(self) -> int:
        """How many pipes, sockets and devices there are."""

    @property
    def errors(self) -> _Errors:
        """The paths that failed, as a list of (path, code)."""

@final
class copytree_result(structseq[Any], tuple[int, int, int, int, int, _Errors]):  # noqa: N801
    """What copytree has copied."""

    __match_args__: Final = ("files", "folders", "links", "bytes", "skipped", "errors")
    @property
    def files(self) -> int:
        """How many plain files."""

    @property
    def folders(self) -> int:
        """How many folders, with that of the tree."""

    @property
    def links(self) -> int:
        """How many symbolic links."""

    @property
    def bytes(self) -> int:
        """The lengths of files and symbolic links."""

    @property
    def skipped(self) -> int:
        """How many pipes, sockets and devices were passed over."""

    @property
    def errors(self) -> _Errors:
        """The paths that failed, as a list of (path, code)."""

@final
class rmtree_result(structseq[Any], tuple[int, int, _Errors]):  # noqa: N801
    """What rmtree has removed."""

    __match_args__: Final = ("files", "folders", "errors")
    @property
    def files(self) -> int:
        """How many entries that were no folders."""

    @property
    def folders(self) -> int:
        """How many folders, with that of the tree."""

    @property
    def errors(self) -> _Errors:
        """The paths that failed, as a list of (path, code)."""

@final
class read_many_result(structseq[Any], tuple[list[builtins.bytes | None], _Errors]):  # noqa: N801
    """What read_many gives."""

    __match_args__: Final = ("contents", "errors")
    @property
    def contents(self) -> list[builtins.bytes | None]:
        """In the order of the paths, with None for what failed."""

    @property
    def errors(self) -> _Errors:
        """The paths that failed, as a list of (path, code)."""

@final
class stat_result:  # noqa: N801
    @property
    def st_mode(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_dev(self) -> int: ...
    @property
    def st_nlink(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_blksize(self) -> int: ...
    @property
    def st_blocks(self) -> int: ...
    @property
    def st_rdev(self) -> int: ...
    @property
    def st_flags(self) -> int: ...
    @property
    def st_gen(self) -> int: ...
    @property
    def st_atime(self) -> float: ...
    @property
    def st_atime_ns(self) -> int: ...
    @property
    def st_mtime(self) -> float: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_ctime(self) -> float: ...
    @property
    def st_ctime_ns(self) -> int: ...
    @property
    def st_birthtime(self) -> float: ...
    @property
    def st_birthtime_ns(self) -> int: ...
    def __new__(cls, state: tuple[Sequence[int], Sequence[tuple[int, int]], bool], /) -> stat_result: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[int, ...]: ...
    def __iter__(self) -> Iterator[int]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Dirent(Generic[AnyStr]):
    __match_args__: Final = ("name", "type")
    @property
    def name(self) -> AnyStr: ...
    @property
    def type(self) -> int: ...
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __new__(cls, name: AnyStr, type: int) -> Dirent[AnyStr]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Dir(Generic[AnyStr]):
    """An open folder, from opendir.

    Iterating over it gives batches, lists of Dirent as readdir gives them, each read when it is
    asked for, in the calling thread. As a context manager it closes itself.
    """

    @property
    def path(self) -> Any:
        """The path it was opened by, as it was given."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def close(self) -> None:
        """Closes it, in the calling thread. A second time does nothing."""

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> list[Dirent[AnyStr]]: ...

@final
class statfs_result(structseq[int], tuple[int, int, int, int, int, int, int, int]):  # noqa: N801
    """What statfs tells of a filesystem (uv_statfs_t)."""

    __match_args__: Final = (
        "f_type",
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
    )
    @property
    def f_type(self) -> int:
        """The kind of filesystem, a number of the system's; 0 where it has none."""

    @property
    def f_bsize(self) -> int:
        """The block size that suits I/O, in bytes."""

    @property
    def f_frsize(self) -> int:
        """The unit of f_blocks, f_bfree and f_bavail, in bytes."""

    @property
    def f_blocks(self) -> int:
        """Blocks in all."""

    @property
    def f_bfree(self) -> int:
        """Blocks that are free."""

    @property
    def f_bavail(self) -> int:
        """Blocks that are free for programs without privileges."""

    @property
    def f_files(self) -> int:
        """Files that there can be; 0 where there is no such number."""

    @property
    def f_ffree(self) -> int:
        """Files that there can be beside those that there are."""

@disjoint_base
class FSEvent(Handle):
    """Calls its callback when something happens to a file, or in a folder (`uv_fs_event_t`).

    The file that a path leads to is watched, not the path: once it is removed, the handle
    stays active and nothing comes any more.
    """

    def __init__(self, loop: Loop) -> None: ...
    def start(
        self,
        path: _StrOrBytesPath,
        flags: int,
        callback: Callable[[Self, Any, int, int | None], object],
    ) -> None:
        """Watches `path` and has `callback(fsevent_handle, filename, events, error)` called
        (`uv_fs_event_start`).

        `filename` is the name in the folder that is watched, the path from there for what is in one
        below, or the last part of the path of a watched file; None where the platform does not tell;
        bytes if `path` is bytes, otherwise str. `events` is UV_RENAME for a name that came, went or
        changed, UV_CHANGE for content or attributes that changed, or both. `error` is None or a
        code: UV_ENOBUFS where the system has lost events, so that what is there has to be looked at
        anew. The handle goes on watching.

        `flags` is 0, or UV_FS_EVENT_RECURSIVE for the folders below too. On Linux each is watched by
        itself, those that come later as well: where no watch is left for one the callback gets
        UV_ENOSPC.
        Raises FSEventError with UV_EINVAL on a handle that is watching already, UV_ENOENT,
        UV_EACCES, or UV_EMFILE or UV_ENOSPC for a limit of inotify, which the message names.
        """

    def stop(self) -> None:
        """Watches no more (`uv_fs_event_stop`)."""

    @property
    def path(self) -> str | bytes:
        """The path that is watched, as bytes if it was given as bytes, otherwise str; empty while
        none is.
        """

@disjoint_base
class FSPoll(Handle):
    """Calls its callback when what `stat` tells of a path has changed, which it looks at again
    and again (`uv_fs_poll_t`).
    """

    def __init__(self, loop: Loop) -> None: ...
    def start(
        self,
        path: _StrOrBytesPath,
        interval: float,
        callback: Callable[[Self, stat_result | MaybeNone, stat_result | MaybeNone, int | None], object],
    ) -> None:
        """Looks at `path` now and then every `interval` seconds, and has
        `callback(fspoll_handle, prev_stat, curr_stat, error)` called when something is different
        from the last time (`uv_fs_poll_start`). On an active handle this starts anew.

        The two are a stat_result each; of what was not there before, prev_stat is all zeros. A
        look that fails is told once, with the code as `error` and None for both. The interval is
        rounded down to milliseconds, at least one; a negative one is a ValueError.
        """

    def stop(self) -> None:
        """Looks no more (`uv_fs_poll_stop`)."""

    @property
    def path(self) -> str | bytes:
        """The path that is looked at, as bytes if it was given as bytes, otherwise str; empty
        while none is.
        """

@overload
def stat_float_times(newvalue: None = None, /) -> bool: ...
@overload
def stat_float_times(newvalue: bool, /) -> None: ...
@overload
def access(loop: Loop, path: _StrOrBytesPath, flags: int, callback: None = None) -> None: ...
@overload
def access(loop: Loop, path: _StrOrBytesPath, flags: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def append_file(
    loop: Loop,
    path: _StrOrBytesPath,
    data: Buffer | Sequence[Buffer],
    mode: int = 0o666,
    callback: None = None,
) -> int: ...
@overload
def append_file(
    loop: Loop,
    path: _StrOrBytesPath,
    data: Buffer | Sequence[Buffer],
    mode: int = 0o666,
    *,
    callback: _Callback[int],
) -> FSRequest[int]: ...
@overload
def append_file(
    loop: Loop, path: _StrOrBytesPath, data: Buffer | Sequence[Buffer], mode: int, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def chmod(loop: Loop, path: _StrOrBytesPath, mode: int, callback: None = None) -> None: ...
@overload
def chmod(loop: Loop, path: _StrOrBytesPath, mode: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def chown(loop: Loop, path: _StrOrBytesPath, uid: int, gid: int, callback: None = None) -> None: ...
@overload
def chown(
    loop: Loop, path: _StrOrBytesPath, uid: int, gid: int, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def close(loop: Loop, fd: int, callback: None = None) -> None: ...
@overload
def close(loop: Loop, fd: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def closedir(loop: Loop, dir: Dir[Any], callback: None = None) -> None: ...
@overload
def closedir(loop: Loop, dir: Dir[Any], callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def copyfile(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int = 0, callback: None = None
) -> None: ...
@overload
def copyfile(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int = 0, *, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def copyfile(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def fchmod(loop: Loop, fd: int, mode: int, callback: None = None) -> None: ...
@overload
def fchmod(loop: Loop, fd: int, mode: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def fchown(loop: Loop, fd: int, uid: int, gid: int, callback: None = None) -> None: ...
@overload
def fchown(loop: Loop, fd: int, uid: int, gid: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def fdatasync(loop: Loop, fd: int, callback: None = None) -> None: ...
@overload
def fdatasync(loop: Loop, fd: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def fstat(loop: Loop, fd: int, callback: None = None) -> stat_result: ...
@overload
def fstat(loop: Loop, fd: int, callback: _Callback[stat_result]) -> FSRequest[stat_result]: ...
@overload
def fsync(loop: Loop, fd: int, callback: None = None) -> None: ...
@overload
def fsync(loop: Loop, fd: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def ftruncate(loop: Loop, fd: int, offset: int, callback: None = None) -> None: ...
@overload
def ftruncate(loop: Loop, fd: int, offset: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def futime(
    loop: Loop, fd: int, atime: float, mtime: float, callback: None = None, *, ns: None = None
) -> None: ...
@overload
def futime(
    loop: Loop, fd: int, atime: float, mtime: float, callback: _Callback[None], *, ns: None = None
) -> FSRequest[None]: ...
@overload
def futime(
    loop: Loop, fd: int, atime: None = None, mtime: None = None, callback: None = None, *, ns: tuple[int, int]
) -> None: ...
@overload
def futime(
    loop: Loop,
    fd: int,
    atime: None = None,
    mtime: None = None,
    *,
    callback: _Callback[None],
    ns: tuple[int, int],
) -> FSRequest[None]: ...
@overload
def lchown(loop: Loop, path: _StrOrBytesPath, uid: int, gid: int, callback: None = None) -> None: ...
@overload
def lchown(
    loop: Loop, path: _StrOrBytesPath, uid: int, gid: int, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def link(loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, callback: None = None) -> None: ...
@overload
def link(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def lstat(loop: Loop, path: _StrOrBytesPath, callback: None = None) -> stat_result: ...
@overload
def lstat(loop: Loop, path: _StrOrBytesPath, callback: _Callback[stat_result]) -> FSRequest[stat_result]: ...
@overload
def lutime(
    loop: Loop, path: _StrOrBytesPath, atime: float, mtime: float, callback: None = None, *, ns: None = None
) -> None: ...
@overload
def lutime(
    loop: Loop,
    path: _StrOrBytesPath,
    atime: float,
    mtime: float,
    callback: _Callback[None],
    *,
    ns: None = None,
) -> FSRequest[None]: ...
@overload
def lutime(
    loop: Loop,
    path: _StrOrBytesPath,
    atime: None = None,
    mtime: None = None,
    callback: None = None,
    *,
    ns: tuple[int, int],
) -> None: ...
@overload
def lutime(
    loop: Loop,
    path: _StrOrBytesPath,
    atime: None = None,
    mtime: None = None,
    *,
    callback: _Callback[None],
    ns: tuple[int, int],
) -> FSRequest[None]: ...
@overload
def mkdir(loop: Loop, path: _StrOrBytesPath, mode: int = 0o777, callback: None = None) -> None: ...
@overload
def mkdir(
    loop: Loop, path: _StrOrBytesPath, mode: int = 0o777, *, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def mkdir(loop: Loop, path: _StrOrBytesPath, mode: int, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def mkdtemp(loop: Loop, template: _AnyPath[AnyStr], callback: None = None) -> AnyStr: ...
@overload
def mkdtemp(loop: Loop, template: _AnyPath[AnyStr], callback: _Callback[AnyStr]) -> FSRequest[AnyStr]: ...
@overload
def mkstemp(loop: Loop, template: _AnyPath[AnyStr], callback: None = None) -> tuple[int, AnyStr]: ...
@overload
def mkstemp(
    loop: Loop, template: _AnyPath[AnyStr], callback: _Callback[tuple[int, AnyStr]]
) -> FSRequest[tuple[int, AnyStr]]: ...
@overload
def open(loop: Loop, path: _StrOrBytesPath, flags: int, mode: int = 0o666, callback: None = None) -> int: ...
@overload
def open(
    loop: Loop, path: _StrOrBytesPath, flags: int, mode: int = 0o666, *, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def open(
    loop: Loop, path: _StrOrBytesPath, flags: int, mode: int, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def read(loop: Loop, fd: int, length: int, offset: int = -1, callback: None = None) -> bytes: ...
@overload
def read(
    loop: Loop, fd: int, length: int, offset: int = -1, *, callback: _Callback[bytes]
) -> FSRequest[bytes]: ...
@overload
def read(loop: Loop, fd: int, length: int, offset: int, callback: _Callback[bytes]) -> FSRequest[bytes]: ...
@overload
def opendir(loop: Loop, path: _AnyPath[AnyStr], callback: None = None) -> Dir[AnyStr]: ...
@overload
def opendir(
    loop: Loop, path: _AnyPath[AnyStr], callback: _Callback[Dir[AnyStr]]
) -> FSRequest[Dir[AnyStr]]: ...
@overload
def read_file(
    loop: Loop, path: _StrOrBytesPath, callback: None = None, *, max_size: int | None = None
) -> bytes: ...
@overload
def read_file(
    loop: Loop, path: _StrOrBytesPath, callback: _Callback[bytes], *, max_size: int | None = None
) -> FSRequest[bytes]: ...
@overload
def readdir(
    loop: Loop, dir: Dir[AnyStr], count: int = 1024, callback: None = None
) -> list[Dirent[AnyStr]]: ...
@overload
def readdir(
    loop: Loop, dir: Dir[AnyStr], count: int = 1024, *, callback: _Callback[list[Dirent[AnyStr]]]
) -> FSRequest[list[Dirent[AnyStr]]]: ...
@overload
def readdir(
    loop: Loop, dir: Dir[AnyStr], count: int, callback: _Callback[list[Dirent[AnyStr]]]
) -> FSRequest[list[Dirent[AnyStr]]]: ...
@overload
def readinto(
    loop: Loop, fd: int, buffers: Buffer | Sequence[Buffer], offset: int = -1, callback: None = None
) -> int: ...
@overload
def readinto(
    loop: Loop, fd: int, buffers: Buffer | Sequence[Buffer], offset: int = -1, *, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def readinto(
    loop: Loop, fd: int, buffers: Buffer | Sequence[Buffer], offset: int, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def readlink(loop: Loop, path: _AnyPath[AnyStr], callback: None = None) -> AnyStr: ...
@overload
def readlink(loop: Loop, path: _AnyPath[AnyStr], callback: _Callback[AnyStr]) -> FSRequest[AnyStr]: ...
@overload
def realpath(loop: Loop, path: _AnyPath[AnyStr], callback: None = None) -> AnyStr: ...
@overload
def realpath(loop: Loop, path: _AnyPath[AnyStr], callback: _Callback[AnyStr]) -> FSRequest[AnyStr]: ...
@overload
def rename(loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, callback: None = None) -> None: ...
@overload
def rename(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def rmdir(loop: Loop, path: _StrOrBytesPath, callback: None = None) -> None: ...
@overload
def rmdir(loop: Loop, path: _StrOrBytesPath, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def scandir(loop: Loop, path: _AnyPath[AnyStr], callback: None = None) -> list[Dirent[AnyStr]]: ...
@overload
def scandir(
    loop: Loop, path: _AnyPath[AnyStr], callback: _Callback[list[Dirent[AnyStr]]]
) -> FSRequest[list[Dirent[AnyStr]]]: ...
@overload
def sendfile(
    loop: Loop, out_fd: int, in_fd: int, in_offset: int, length: int, callback: None = None
) -> int: ...
@overload
def sendfile(
    loop: Loop, out_fd: int, in_fd: int, in_offset: int, length: int, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def stat(loop: Loop, path: _StrOrBytesPath, callback: None = None) -> stat_result: ...
@overload
def stat(loop: Loop, path: _StrOrBytesPath, callback: _Callback[stat_result]) -> FSRequest[stat_result]: ...
@overload
def statfs(loop: Loop, path: _StrOrBytesPath, callback: None = None) -> statfs_result: ...
@overload
def statfs(
    loop: Loop, path: _StrOrBytesPath, callback: _Callback[statfs_result]
) -> FSRequest[statfs_result]: ...
@overload
def symlink(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int = 0, callback: None = None
) -> None: ...
@overload
def symlink(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int = 0, *, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def symlink(
    loop: Loop, path: _StrOrBytesPath, new_path: _StrOrBytesPath, flags: int, callback: _Callback[None]
) -> FSRequest[None]: ...
@overload
def unlink(loop: Loop, path: _StrOrBytesPath, callback: None = None) -> None: ...
@overload
def unlink(loop: Loop, path: _StrOrBytesPath, callback: _Callback[None]) -> FSRequest[None]: ...
@overload
def utime(
    loop: Loop, path: _StrOrBytesPath, atime: float, mtime: float, callback: None = None, *, ns: None = None
) -> None: ...
@overload
def utime(
    loop: Loop,
    path: _StrOrBytesPath,
    atime: float,
    mtime: float,
    callback: _Callback[None],
    *,
    ns: None = None,
) -> FSRequest[None]: ...
@overload
def utime(
    loop: Loop,
    path: _StrOrBytesPath,
    atime: None = None,
    mtime: None = None,
    callback: None = None,
    *,
    ns: tuple[int, int],
) -> None: ...
@overload
def utime(
    loop: Loop,
    path: _StrOrBytesPath,
    atime: None = None,
    mtime: None = None,
    *,
    callback: _Callback[None],
    ns: tuple[int, int],
) -> FSRequest[None]: ...
@overload
def write(
    loop: Loop, fd: int, write_data: Buffer | Sequence[Buffer], offset: int = -1, callback: None = None
) -> int: ...
@overload
def write(
    loop: Loop, fd: int, write_data: Buffer | Sequence[Buffer], offset: int = -1, *, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def write(
    loop: Loop, fd: int, write_data: Buffer | Sequence[Buffer], offset: int, callback: _Callback[int]
) -> FSRequest[int]: ...
@overload
def walk(
    loop: Loop,
    path: _StrOrBytesPath,
    *,
    on_batch: Callable[[list[walk_folder]], object] | None = None,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: None = None,
) -> walk_result: ...
@overload
def walk(
    loop: Loop,
    path: _StrOrBytesPath,
    *,
    on_batch: Callable[[list[walk_folder]], object] | None = None,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: _TreeCallback[walk_result],
) -> TreeRequest[walk_result]: ...
@overload
def du(
    loop: Loop,
    path: _StrOrBytesPath,
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: None = None,
) -> du_result: ...
@overload
def du(
    loop: Loop,
    path: _StrOrBytesPath,
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: _TreeCallback[du_result],
) -> TreeRequest[du_result]: ...
@overload
def copytree(
    loop: Loop,
    path: _StrOrBytesPath,
    new_path: _StrOrBytesPath,
    *,
    exist_ok: bool = False,
    ownership: bool = False,
    special: Literal["error", "skip"] = "error",
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: None = None,
) -> copytree_result: ...
@overload
def copytree(
    loop: Loop,
    path: _StrOrBytesPath,
    new_path: _StrOrBytesPath,
    *,
    exist_ok: bool = False,
    ownership: bool = False,
    special: Literal["error", "skip"] = "error",
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: _TreeCallback[copytree_result],
) -> TreeRequest[copytree_result]: ...
@overload
def rmtree(
    loop: Loop,
    path: _StrOrBytesPath,
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: None = None,
) -> rmtree_result: ...
@overload
def rmtree(
    loop: Loop,
    path: _StrOrBytesPath,
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: _TreeCallback[rmtree_result],
) -> TreeRequest[rmtree_result]: ...
@overload
def read_many(
    loop: Loop,
    paths: Iterable[_StrOrBytesPath],
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: None = None,
) -> read_many_result: ...
@overload
def read_many(
    loop: Loop,
    paths: Iterable[_StrOrBytesPath],
    *,
    on_error: _OnError = "stop",
    concurrency: int | None = None,
    progress: _Progress | None = None,
    callback: _TreeCallback[read_many_result],
) -> TreeRequest[read_many_result]: ...
@overload
def write_file(
    loop: Loop,
    path: _StrOrBytesPath,
    data: Buffer | Sequence[Buffer],
    mode: int | None = None,
    atomic: bool = False,
    callback: None = None,
) -> int: ...
@overload
def write_file(
    loop: Loop,
    path: _StrOrBytesPath,
    data: Buffer | Sequence[Buffer],
    mode: int | None = None,
    atomic: bool = False,
    *,
    callback: _Callback[int],
) -> FSRequest[int]: ...
@overload
def write_file(
    loop: Loop,
    path: _StrOrBytesPath,
    data: Buffer | Sequence[Buffer],
    mode: int | None,
    atomic: bool,
    callback: _Callback[int],
) -> FSRequest[int]: ...

UTIME_NOW: Final[float]
UTIME_OMIT: Final[float]
UV_RENAME: Final[int]
UV_CHANGE: Final[int]
UV_FS_EVENT_WATCH_ENTRY: Final[int]
UV_FS_EVENT_STAT: Final[int]
UV_FS_EVENT_RECURSIVE: Final[int]
UV_DIRENT_UNKNOWN: Final[int]
UV_DIRENT_FILE: Final[int]
UV_DIRENT_DIR: Final[int]
UV_DIRENT_LINK: Final[int]
UV_DIRENT_FIFO: Final[int]
UV_DIRENT_SOCKET: Final[int]
UV_DIRENT_CHAR: Final[int]
UV_DIRENT_BLOCK: Final[int]
UV_FS_SYMLINK_DIR: Final[int]
UV_FS_SYMLINK_JUNCTION: Final[int]
UV_FS_COPYFILE_EXCL: Final[int]
UV_FS_COPYFILE_FICLONE: Final[int]
UV_FS_COPYFILE_FICLONE_FORCE: Final[int]
UV_FS_O_APPEND: Final[int]
UV_FS_O_CREAT: Final[int]
UV_FS_O_DIRECT: Final[int]
UV_FS_O_DIRECTORY: Final[int]
UV_FS_O_DSYNC: Final[int]
UV_FS_O_EXCL: Final[int]
UV_FS_O_EXLOCK: Final[int]
UV_FS_O_FILEMAP: Final[int]
UV_FS_O_NOATIME: Final[int]
UV_FS_O_NOCTTY: Final[int]
UV_FS_O_NOFOLLOW: Final[int]
UV_FS_O_NONBLOCK: Final[int]
UV_FS_O_RANDOM: Final[int]
UV_FS_O_RDONLY: Final[int]
UV_FS_O_RDWR: Final[int]
UV_FS_O_SEQUENTIAL: Final[int]
UV_FS_O_SHORT_LIVED: Final[int]
UV_FS_O_SYMLINK: Final[int]
UV_FS_O_SYNC: Final[int]
UV_FS_O_TEMPORARY: Final[int]
UV_FS_O_TRUNC: Final[int]
UV_FS_O_WRONLY: Final[int]

__all__ = [
    "UTIME_NOW",
    "UTIME_OMIT",
    "UV_CHANGE",
    "UV_DIRENT_BLOCK",
    "UV_DIRENT_CHAR",
    "UV_DIRENT_DIR",
    "UV_DIRENT_FIFO",
    "UV_DIRENT_FILE",
    "UV_DIRENT_LINK",
    "UV_DIRENT_SOCKET",
    "UV_DIRENT_UNKNOWN",
    "UV_FS_COPYFILE_EXCL",
    "UV_FS_COPYFILE_FICLONE",
    "UV_FS_COPYFILE_FICLONE_FORCE",
    "UV_FS_EVENT_RECURSIVE",
    "UV_FS_EVENT_STAT",
    "UV_FS_EVENT_WATCH_ENTRY",
    "UV_FS_O_APPEND",
    "UV_FS_O_CREAT",
    "UV_FS_O_DIRECT",
    "UV_FS_O_DIRECTORY",
    "UV_FS_O_DSYNC",
    "UV_FS_O_EXCL",
    "UV_FS_O_EXLOCK",
    "UV_FS_O_FILEMAP",
    "UV_FS_O_NOATIME",
    "UV_FS_O_NOCTTY",
    "UV_FS_O_NOFOLLOW",
    "UV_FS_O_NONBLOCK",
    "UV_FS_O_RANDOM",
    "UV_FS_O_RDONLY",
    "UV_FS_O_RDWR",
    "UV_FS_O_SEQUENTIAL",
    "UV_FS_O_SHORT_LIVED",
    "UV_FS_O_SYMLINK",
    "UV_FS_O_SYNC",
    "UV_FS_O_TEMPORARY",
    "UV_FS_O_TRUNC",
    "UV_FS_O_WRONLY",
    "UV_FS_SYMLINK_DIR",
    "UV_FS_SYMLINK_JUNCTION",
    "UV_RENAME",
    "Dir",
    "Dirent",
    "FSEvent",
    "FSPoll",
    "FSRequest",
    "TreeRequest",
    "access",
    "append_file",
    "chmod",
    "chown",
    "close",
    "closedir",
    "copyfile",
    "copytree",
    "copytree_result",
    "du",
    "du_result",
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
    "open",
    "opendir",
    "read",
    "read_file",
    "read_many",
    "read_many_result",
    "readdir",
    "readinto",
    "readlink",
    "realpath",
    "rename",
    "rmdir",
    "rmtree",
    "rmtree_result",
    "scandir",
    "sendfile",
    "stat",
    "stat_float_times",
    "stat_result",
    "statfs",
    "statfs_result",
    "symlink",
    "tree_progress",
    "unlink",
    "utime",
    "walk",
    "walk_folder",
    "walk_result",
    "write",
    "write_file",
]
