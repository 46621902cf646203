"""``os.path``, awaited: aiofiles.ospath's names."""

import os
import os.path
import stat as _stat
from typing import Any

from ..._awaited.fs.status import mode as _mode
from ..._awaited.fs.status import samefile
from ..._awaited.fs.status import status as _status
from ..._awaited.requests import in_pool as _in_pool

__all__ = [
    "abspath",
    "exists",
    "getatime",
    "getctime",
    "getmtime",
    "getsize",
    "isdir",
    "isfile",
    "islink",
    "ismount",
    "lexists",
    "realpath",
    "samefile",
    "sameopenfile",
]


async def abspath(path: Any) -> Any:
    """The path from the root, without dots."""
    return os.path.abspath(path)


async def realpath(path: Any, **options: Any) -> Any:
    """The path from the root, without links; `strict` as in os.path."""
    return await _in_pool(lambda: os.path.realpath(path, **options))


async def exists(path: Any) -> bool:
    """Whether there is something at the path, or at the other end of a link there."""
    return await _mode(path) != 0


async def lexists(path: Any) -> bool:
    """Whether there is something at the path, if only a link."""
    return await _mode(path, follow_symlinks=False) != 0


async def isfile(path: Any) -> bool:
    """Whether it is a plain file, or a link to one."""
    return _stat.S_ISREG(await _mode(path))


async def isdir(path: Any) -> bool:
    """Whether it is a folder, or a link to one."""
    return _stat.S_ISDIR(await _mode(path))


async def islink(path: Any) -> bool:
    """Whether it is a symbolic link."""
    return _stat.S_ISLNK(await _mode(path, follow_symlinks=False))


async def ismount(path: Any) -> bool:
    """Whether a filesystem begins there."""
    return await _in_pool(os.path.ismount, path)


async def getsize(path: Any) -> int:
    """The length, in bytes."""
    return int((await _status(path)).st_size)


async def getatime(path: Any) -> float:
    """When it was last read, in seconds since 1970."""
    return float((await _status(path)).st_atime)


async def getmtime(path: Any) -> float:
    """When its content last changed, in seconds since 1970."""
    return float((await _status(path)).st_mtime)


async def getctime(path: Any) -> float:
    """When it last changed at all, in seconds since 1970."""
    return float((await _status(path)).st_ctime)


async def sameopenfile(fd1: int, fd2: int) -> bool:
    """Whether two descriptors are of one file."""
    return await samefile(fd1, fd2)
