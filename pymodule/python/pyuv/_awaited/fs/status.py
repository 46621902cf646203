"""What the system knows of a path, or of a descriptor."""

from typing import Any

from .operations import fstat, lstat, stat


async def status(path: Any, *, follow_symlinks: bool = True) -> Any:
    """What is known of a path, or of a descriptor."""
    if isinstance(path, int):
        return await fstat(path)
    return await (stat if follow_symlinks else lstat)(path)


async def mode(path: Any, *, follow_symlinks: bool = True) -> int:
    """The kind of a file in st_mode; 0 where there is none."""
    try:
        return int((await status(path, follow_symlinks=follow_symlinks)).st_mode)
    except (OSError, ValueError):
        return 0


async def samefile(path1: Any, path2: Any) -> bool:
    """Whether two paths, or descriptors, lead to one file."""
    one, other = await status(path1), await status(path2)
    return bool((one.st_ino, one.st_dev) == (other.st_ino, other.st_dev))
