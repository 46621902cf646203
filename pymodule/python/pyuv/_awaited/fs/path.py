"""``AsyncPath``: pathlib's paths, whose methods that ask the system are awaited."""

import os
import stat as modes
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from ..requests import in_pool
from . import operations, status
from .folders import scandir
from .opening import Opener, Opening
from .opening import open as open_file
from .whole import read_bytes, read_text, write_bytes, write_text

if sys.platform == "win32":
    from pathlib import PureWindowsPath as _Pure
else:
    from pathlib import PurePosixPath as _Pure

if TYPE_CHECKING:
    from typing_extensions import Buffer

_Target: TypeAlias = str | os.PathLike[str]

_BATCH = 100
"""How many paths are found in one trip to the pool."""


class AsyncPath(_Pure):
    """A path, as pathlib.Path is one, with the names of that and of anyio.Path.

    It is a PurePath of pathlib's: what asks nobody is that one's, and what is found is an AsyncPath.
    """

    __slots__ = ()

    # What there is

    async def stat(self, *, follow_symlinks: bool = True) -> Any:
        """What the system knows of it: `uv_fs_stat`, or `uv_fs_lstat`."""
        return await (operations.stat if follow_symlinks else operations.lstat)(self)

    async def lstat(self) -> Any:
        """The same, of a link itself."""
        return await operations.lstat(self)

    async def _mode(self, *, follow_symlinks: bool = True) -> int:
        return await status.mode(self, follow_symlinks=follow_symlinks)

    async def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there is something."""
        return await self._mode(follow_symlinks=follow_symlinks) != 0

    async def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        return modes.S_ISDIR(await self._mode(follow_symlinks=follow_symlinks))

    async def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a plain file."""
        return modes.S_ISREG(await self._mode(follow_symlinks=follow_symlinks))

    async def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return modes.S_ISLNK(await self._mode(follow_symlinks=False))

    async def is_block_device(self) -> bool:
        """Whether it is a block device."""
        return modes.S_ISBLK(await self._mode())

    async def is_char_device(self) -> bool:
        """Whether it is a character device."""
        return modes.S_ISCHR(await self._mode())

    async def is_fifo(self) -> bool:
        """Whether it is a named pipe."""
        return modes.S_ISFIFO(await self._mode())

    async def is_socket(self) -> bool:
        """Whether it is a socket."""
        return modes.S_ISSOCK(await self._mode())

    async def is_mount(self) -> bool:
        """Whether a filesystem begins here."""
        return await in_pool(Path(self).is_mount)

    async def is_junction(self) -> bool:
        """Whether it is a junction, of which Windows has some."""
        if sys.version_info < (3, 12):
            return False
        return await in_pool(os.path.isjunction, self)

    async def samefile(self, other_path: _Target) -> bool:
        """Whether another path leads to the same file."""
        return await status.samefile(self, other_path)

    async def owner(self, *, follow_symlinks: bool = True) -> str:
        """The name of its owner. KeyError for one without."""
        status = await self.stat(follow_symlinks=follow_symlinks)
        return await in_pool(_user, status.st_uid)

    async def group(self, *, follow_symlinks: bool = True) -> str:
        """The name of its group. KeyError for one without."""
        status = await self.stat(follow_symlinks=follow_symlinks)
        return await in_pool(_group, status.st_gid)

    if sys.version_info >= (3, 14):

        @property
        def info(self) -> Any:
            """What pathlib remembers of its kind; its methods ask the system at once."""
            return Path(self).info

    # Other paths

    if sys.version_info < (3, 12):

        def with_segments(self, *segments: _Target) -> Self:
            """Another path of the same class."""
            return type(self)(*segments)

    @classmethod
    async def cwd(cls) -> Self:
        """The folder that relative paths begin at."""
        return cls(os.getcwd())

    @classmethod
    async def home(cls) -> Self:
        """The user's folder."""
        return cls(await in_pool(Path.home))

    if sys.version_info >= (3, 13):

        @classmethod
        def from_uri(cls, uri: str) -> Self:
            """The path that a "file:" URI names."""
            return cls(Path.from_uri(uri))

    async def absolute(self) -> Self:
        """The path from the root."""
        return type(self)(Path(self).absolute())

    async def resolve(self, strict: bool = False) -> Self:
        """The path from the root, without links and dots."""
        return type(self)(await in_pool(lambda: Path(self).resolve(strict)))

    async def expanduser(self) -> Self:
        """The path with the user's folder in the place of "~"."""
        return type(self)(await in_pool(Path(self).expanduser))

    async def readlink(self) -> Self:
        """What a symbolic link says: `uv_fs_readlink`."""
        return type(self)(await operations.readlink(self))

    # What is in it

    async def iterdir(self) -> AsyncIterator[Self]:
        """The paths in a folder, as `fs.scandir` gives them."""
        async for entry in scandir(os.fspath(self)):
            yield self / entry.name

    def glob(self, pattern: Any, **options: Any) -> AsyncIterator[Self]:
        """The paths that match a pattern; `options` are those of pathlib's."""
        return self._found(lambda: Path(self).glob(pattern, **options))

    def rglob(self, pattern: Any, **options: Any) -> AsyncIterator[Self]:
        """The same, of folders below as well."""
        return self._found(lambda: Path(self).rglob(pattern, **options))

    async def _found(self, find: Callable[[], Iterator[Path]]) -> AsyncIterator[Self]:
        paths = await in_pool(find)
        while batch := await in_pool(lambda: list(islice(paths, _BATCH))):
            for path in batch:
                yield type(self)(path)

    if sys.version_info >= (3, 12):

        async def walk(
            self,
            top_down: bool = True,
            on_error: Callable[[OSError], object] | None = None,
            follow_symlinks: bool = False,
        ) -> AsyncIterator[tuple[Self, list[str], list[str]]]:
            """The folders of a tree, with the names of the folders and of the files in each.

            ``fs.walk`` is quicker. Here, what is taken out of the first list is not gone through.
            """
            folders = Path(self).walk(top_down, on_error, follow_symlinks)
            while (found := await in_pool(next, folders, None)) is not None:
                path, names, files = found
                yield type(self)(path), names, files

    # Its content

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *,
        opener: Opener | None = None,
    ) -> Opening[Any]:
        """Opens the file, as ``fs.open`` does."""
        return open_file(self, mode, buffering, encoding, errors, newline, opener=opener)

    async def read_bytes(self) -> bytes:
        """The content, in one trip to the thread pool."""
        return await read_bytes(self)

    async def read_text(
        self, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> str:
        """The content as text."""
        return await read_text(self, encoding, errors, newline)

    async def write_bytes(self, data: "Buffer", *, atomic: bool = False) -> int:
        """Makes the file hold a bytes-like object; with `atomic` as ``fs.write_bytes`` does."""
        return await write_bytes(self, data, atomic=atomic)

    async def write_text(
        self,
        data: str,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *,
        atomic: bool = False,
    ) -> int:
        """Makes the file hold text; with `atomic` as ``fs.write_text`` does."""
        return await write_text(self, data, encoding, errors, newline, atomic=atomic)

    # Changes

    async def touch(self, mode: int = 0o666, exist_ok: bool = True) -> None:
        """Makes an empty file, or has one that is there have changed now."""
        await in_pool(Path(self).touch, mode, exist_ok)

    async def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Makes a folder, and with `parents` those that it is in."""
        if parents or exist_ok:
            await in_pool(Path(self).mkdir, mode, parents, exist_ok)
        else:
            await operations.mkdir(self, mode)

    async def rmdir(self) -> None:
        """Removes an empty folder: `uv_fs_rmdir`."""
        await operations.rmdir(self)

    async def unlink(self, missing_ok: bool = False) -> None:
        """Removes a name of a file: `uv_fs_unlink`."""
        try:
            await operations.unlink(self)
        except FileNotFoundError:
            if not missing_ok:
                raise

    async def rename(self, target: _Target) -> Self:
        """Gives it another name: `uv_fs_rename`."""
        await operations.rename(self, target)
        return type(self)(target)

    async def replace(self, target: _Target) -> Self:
        """Gives it another name, in place of what has it: `uv_fs_rename`."""
        return await self.rename(target)

    async def symlink_to(self, target: Any, target_is_directory: bool = False) -> None:
        """Makes this a symbolic link to the target: `uv_fs_symlink`."""
        await operations.symlink(target, self)

    async def hardlink_to(self, target: Any) -> None:
        """Makes this a further name of the target: `uv_fs_link`."""
        await operations.link(target, self)

    if sys.version_info < (3, 12):

        async def link_to(self, target: Any) -> None:
            """Makes the target a further name of this: pathlib's, up to Python 3.11."""
            await operations.link(self, target)

    async def chmod(self, mode: int, *, follow_symlinks: bool = True) -> None:
        """Sets permissions: `uv_fs_chmod`."""
        if follow_symlinks:
            await operations.chmod(self, mode)
        else:
            await in_pool(lambda: os.chmod(self, mode, follow_symlinks=False))

    async def lchmod(self, mode: int) -> None:
        """The same, of a link itself, where the system has that."""
        await self.chmod(mode, follow_symlinks=False)

    if sys.version_info >= (3, 14):

        async def copy(self, target: _Target, **options: Any) -> Self:
            """Copies a file or a tree; `options` are those of pathlib's. ``fs.copytree`` is quicker."""
            return type(self)(await in_pool(lambda: Path(self).copy(Path(target), **options)))

        async def copy_into(self, target_dir: _Target, **options: Any) -> Self:
            """The same, into a folder."""
            return type(self)(await in_pool(lambda: Path(self).copy_into(Path(target_dir), **options)))

        async def move(self, target: _Target) -> Self:
            """Moves a file or a tree, to another filesystem as well."""
            return type(self)(await in_pool(lambda: Path(self).move(Path(target))))

        async def move_into(self, target_dir: _Target) -> Self:
            """The same, into a folder."""
            return type(self)(await in_pool(lambda: Path(self).move_into(Path(target_dir))))


def _user(number: int) -> str:
    import pwd

    return pwd.getpwuid(number).pw_name


def _group(number: int) -> str:
    import grp

    return grp.getgrgid(number).gr_name
