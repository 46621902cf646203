from ..._awaited import fs as _fs
from ..._awaited.fs import *  # noqa: F403
from . import os as os
from . import ospath as ospath
from . import tempfile as tempfile
from ._wrapped import (
    WrappedFile,
    stderr,
    stderr_bytes,
    stdin,
    stdin_bytes,
    stdout,
    stdout_bytes,
    wrap_file,
)

__all__ = [
    "WrappedFile",
    "stderr",
    "stderr_bytes",
    "stdin",
    "stdin_bytes",
    "stdout",
    "stdout_bytes",
    "wrap_file",
]
__all__ += _fs.__all__
