from ..._awaited.fs import *  # noqa: F403
from . import os as os
from . import ospath as ospath
from . import tempfile as tempfile
from ._wrapped import WrappedFile as WrappedFile
from ._wrapped import stderr as stderr
from ._wrapped import stderr_bytes as stderr_bytes
from ._wrapped import stdin as stdin
from ._wrapped import stdin_bytes as stdin_bytes
from ._wrapped import stdout as stdout
from ._wrapped import stdout_bytes as stdout_bytes
from ._wrapped import wrap_file as wrap_file

__all__: list[str]
