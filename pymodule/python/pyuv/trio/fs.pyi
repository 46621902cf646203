from .._awaited import fs as _fs
from .._awaited.fs import *  # noqa: F403

__all__ = _fs.__all__
