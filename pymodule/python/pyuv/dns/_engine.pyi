"""What ``python -m pyuv.dns`` has in the extension: the questions of a bulk run, and words for statuses."""

from typing import Final, final

from . import Channel, RecordType

__all__ = ["Answered", "Bulk", "status_words", "to_ascii"]

status_words: Final[dict[int, str]]
"""By c-ares's codes: ``NOERROR``, ``NXDOMAIN``, ``NODATA``, ``TIMEOUT``..."""

def to_ascii(name: str, /) -> str:
    """A name as it is asked for: encoded with IDNA where it is not ASCII."""

@final
class Answered:
    """Questions that were answered before. Each takes eight bytes."""

    def __new__(cls) -> Answered: ...
    def __len__(self) -> int: ...
    def add(self, name: bytes, type: str) -> None:
        """Remembers a question: a name as it stands in the list, and the type in words."""

@final
class Bulk:
    """One question for each of many names: lines of names in, lines of JSON out.

    It uses up `answered`. Dropped, it forgets what is in flight.
    """

    def __new__(
        cls,
        channel: Channel,
        type: RecordType | int | str,
        *,
        concurrency: int,
        retries: int,
        answered: Answered | None = None,
    ) -> Bulk: ...
    def push(self, names: bytes) -> None:
        """Takes more of the list: lines of NAME [TYPE], in pieces that may end anywhere."""

    def end(self) -> None:
        """Says that the list ends here."""

    def stop(self) -> None:
        """Asks for nothing more; failures that wait are results now."""

    def take(self) -> bytes:
        """The lines that were not taken yet."""

    def counts(self) -> dict[str, int]:
        """How many results there are of each status."""

    @property
    def wants_names(self) -> bool:
        """Whether it is time for more names."""

    @property
    def done(self) -> bool:
        """Whether every question has its result."""

    @property
    def ready(self) -> int:
        """How many bytes of lines there are to take."""

    @property
    def busy(self) -> int:
        """How many questions were begun and have no result yet."""

    @property
    def retried(self) -> int:
        """How many failures were asked again."""
