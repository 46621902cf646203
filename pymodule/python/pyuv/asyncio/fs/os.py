"""``os``, awaited: aiofiles.os's names.

What libuv has a request for is one. Anything else, and what takes ``dir_fd`` or its like, is the function of
os on a thread of libuv's pool.
"""

import os as _os
from collections.abc import Awaitable, Callable
from functools import wraps as _wraps
from typing import Any, ParamSpec, TypeVar

from ..._awaited.fs import operations as _operations
from ..._awaited.fs.folders import scandir as _scandir
from ..._awaited.requests import in_pool as _in_pool
from . import ospath as path

_P = ParamSpec("_P")
_T = TypeVar("_T")

__all__ = [
    "access",
    "getcwd",
    "link",
    "listdir",
    "makedirs",
    "mkdir",
    "path",
    "readlink",
    "remove",
    "removedirs",
    "rename",
    "renames",
    "replace",
    "rmdir",
    "scandir",
    "sendfile",
    "stat",
    "statvfs",
    "symlink",
    "unlink",
    "wrap",
]


def wrap(func: Callable[_P, _T]) -> Callable[_P, Awaitable[_T]]:
    """A function that may block, as a coroutine function: it is called on a thread of libuv's pool."""

    @_wraps(func)
    async def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        # aiofiles takes these, for executors of its own.
        for name in ("loop", "executor"):
            kwargs.pop(name, None)
        return await _in_pool(lambda: func(*args, **kwargs))

    return run


async def _asked(request: Any, function: Any, *paths: Any, **options: Any) -> Any:
    """A request where the paths are paths and nothing else is wanted, or else the function of os."""
    given = {name: value for name, value in options.items() if value is not None}
    if given or any(isinstance(path, int) for path in paths):
        return await _in_pool(lambda: function(*paths, **given))
    return await request(*paths)


async def stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> Any:
    """What the system knows of a file: `uv_fs_stat`, or `uv_fs_lstat` of a link itself."""
    if not follow_symlinks and dir_fd is None and not isinstance(path, int):
        return await _operations.lstat(path)
    return await _asked(
        _operations.stat, _os.stat, path, dir_fd=dir_fd, follow_symlinks=None if follow_symlinks else False
    )


async def access(
    path: Any,
    mode: int,
    *,
    dir_fd: int | None = None,
    effective_ids: bool = False,
    follow_symlinks: bool = True,
) -> bool:
    """Whether a file may be used so: `uv_fs_access`."""
    if dir_fd is not None or effective_ids or not follow_symlinks or isinstance(path, int):
        return await _in_pool(
            lambda: _os.access(
                path, mode, dir_fd=dir_fd, effective_ids=effective_ids, follow_symlinks=follow_symlinks
            )
        )
    try:
        await _operations.access(path, mode)
    except OSError:
        return False
    return True


async def getcwd() -> str:
    """The folder that relative paths begin at."""
    return _os.getcwd()


async def listdir(path: Any = ".") -> list[Any]:
    """The names in a folder: `uv_fs_scandir`."""
    if path is None or isinstance(path, int):
        return await _in_pool(_os.listdir, path)
    return [entry.name for entry in await _scandir(path)]


async def scandir(path: Any = ".") -> Any:
    """What os.scandir gives: an iterator of DirEntry, which reads on where it is used.

    ``pyuv.asyncio.fs.scandir`` is one that awaits.
    """
    return await _in_pool(_os.scandir, path, dispose=lambda entries: entries.close())


async def mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
    """Makes a folder: `uv_fs_mkdir`."""
    if dir_fd is not None:
        return await _in_pool(lambda: _os.mkdir(path, mode, dir_fd=dir_fd))
    return await _operations.mkdir(path, mode)


async def makedirs(name: Any, mode: int = 0o777, exist_ok: bool = False) -> None:
    """Makes a folder, and those that it is in."""
    await _in_pool(_os.makedirs, name, mode, exist_ok)


async def rmdir(path: Any, *, dir_fd: int | None = None) -> None:
    """Removes an empty folder: `uv_fs_rmdir`."""
    await _asked(_operations.rmdir, _os.rmdir, path, dir_fd=dir_fd)


async def removedirs(name: Any) -> None:
    """Removes an empty folder, and those that it is in as long as they are empty."""
    await _in_pool(_os.removedirs, name)


async def unlink(path: Any, *, dir_fd: int | None = None) -> None:
    """Removes a name of a file: `uv_fs_unlink`."""
    await _asked(_operations.unlink, _os.unlink, path, dir_fd=dir_fd)


async def remove(path: Any, *, dir_fd: int | None = None) -> None:
    """Removes a name of a file: `uv_fs_unlink`."""
    await unlink(path, dir_fd=dir_fd)


async def rename(src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
    """Gives a file another name: `uv_fs_rename`."""
    await _asked(_operations.rename, _os.rename, src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)


async def replace(
    src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
) -> None:
    """Gives a file another name, in place of what has it: `uv_fs_rename`."""
    await _asked(_operations.rename, _os.replace, src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)


async def renames(old: Any, new: Any) -> None:
    """Gives a file another name, makes the folders for it, and removes those that are empty then."""
    await _in_pool(_os.renames, old, new)


async def link(
    src: Any,
    dst: Any,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    """Gives a file a further name: `uv_fs_link`."""
    options = {"src_dir_fd": src_dir_fd, "dst_dir_fd": dst_dir_fd}
    follow = None if follow_symlinks else False
    await _asked(_operations.link, _os.link, src, dst, follow_symlinks=follow, **options)


async def symlink(
    src: Any, dst: Any, target_is_directory: bool = False, *, dir_fd: int | None = None
) -> None:
    """Makes a symbolic link: `uv_fs_symlink`. What it leads to is a matter of Windows alone."""
    await _asked(_operations.symlink, _os.symlink, src, dst, dir_fd=dir_fd)


async def readlink(path: Any, *, dir_fd: int | None = None) -> Any:
    """What a symbolic link says: `uv_fs_readlink`."""
    return await _asked(_operations.readlink, _os.readlink, path, dir_fd=dir_fd)


async def sendfile(out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """Copies between files inside the kernel: `uv_fs_sendfile`."""
    if offset is None:
        return await _in_pool(_os.sendfile, out_fd, in_fd, offset, count)
    return await _operations.sendfile(out_fd, in_fd, offset, count)


async def statvfs(path: Any) -> Any:
    """What the system knows of a filesystem. ``pyuv.asyncio.fs.statfs`` is libuv's own."""
    return await _in_pool(_os.statvfs, path)
