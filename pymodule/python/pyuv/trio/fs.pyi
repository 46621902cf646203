from .._awaited.fs import *  # noqa: F403

__all__: list[str]
