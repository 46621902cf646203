"""Which changes ``watch`` tells of: watchfiles' names for them."""

import os
import re
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import ClassVar


class Change(IntEnum):
    """What has happened to a path."""

    added = 1
    modified = 2
    deleted = 3

    def raw_str(self) -> str:
        """The name: "added", "modified" or "deleted"."""
        return self.name


class BaseFilter:
    """A filter, which is called with a change and a path and says whether to tell of it.

    Subclasses say what not to tell of: in folders of these names, of files and folders whose names these
    patterns are found in, and of what is at these paths or below.
    """

    __slots__ = ("_ignore_dirs", "_ignore_entity_regexes", "_ignore_paths")

    ignore_dirs: ClassVar[Sequence[str]] = ()
    ignore_entity_patterns: ClassVar[Sequence[str]] = ()
    ignore_paths: ClassVar[Sequence[str | Path]] = ()

    def __init__(self) -> None:
        self._use(self.ignore_dirs, self.ignore_entity_patterns, self.ignore_paths)

    def _use(self, dirs: Sequence[str], patterns: Sequence[str], paths: Sequence[str | Path]) -> None:
        self._ignore_dirs = frozenset(dirs)
        self._ignore_entity_regexes = tuple(re.compile(pattern) for pattern in patterns)
        self._ignore_paths = tuple(str(path) for path in paths)

    def __call__(self, change: Change, path: str) -> bool:
        """Whether to tell of it."""
        parts = path.strip(os.sep).split(os.sep)
        if not self._ignore_dirs.isdisjoint(parts):
            return False
        if any(regex.search(parts[-1]) for regex in self._ignore_entity_regexes):
            return False
        return not path.startswith(self._ignore_paths) if self._ignore_paths else True

    def __repr__(self) -> str:
        said = (f"{name}={getattr(self, name)!r}" for name in BaseFilter.__slots__)
        return f"{type(self).__name__}({', '.join(said)})"


class DefaultFilter(BaseFilter):
    """Tells of nothing that version control, editors, Python and its tools make for themselves."""

    __slots__ = ()

    ignore_dirs = (
        *(".git", ".hg", ".svn"),
        *("__pycache__", ".venv", ".tox", ".mypy_cache", ".pytest_cache", ".hypothesis"),
        *(".idea", "node_modules"),
    )
    ignore_entity_patterns = (
        *(r"\.py[cod]$", r"\.___jb_...___$", r"\.sw.$", "~$"),
        *(r"^\.\#", r"^\.DS_Store$", r"^flycheck_"),
    )

    def __init__(
        self,
        *,
        ignore_dirs: Sequence[str] | None = None,
        ignore_entity_patterns: Sequence[str] | None = None,
        ignore_paths: Sequence[str | Path] | None = None,
    ) -> None:
        self._use(
            self.ignore_dirs if ignore_dirs is None else ignore_dirs,
            self.ignore_entity_patterns if ignore_entity_patterns is None else ignore_entity_patterns,
            self.ignore_paths if ignore_paths is None else ignore_paths,
        )


class PythonFilter(DefaultFilter):
    """Tells of Python files alone, and of files with further extensions."""

    __slots__ = ("extensions",)

    def __init__(
        self,
        *,
        ignore_paths: Sequence[str | Path] | None = None,
        extra_extensions: Sequence[str] = (),
    ) -> None:
        super().__init__(ignore_paths=ignore_paths)
        self.extensions = (".py", ".pyx", ".pyd", *extra_extensions)

    def __call__(self, change: Change, path: str) -> bool:
        """Whether to tell of it."""
        return path.endswith(self.extensions) and super().__call__(change, path)
