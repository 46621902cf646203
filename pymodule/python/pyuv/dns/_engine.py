"""What ``python -m pyuv.dns`` has in the extension: the questions of a bulk run, words for statuses, IDNA."""

from .._pyuv.dns import Answered, Bulk, status_words, to_ascii

__all__ = ["Answered", "Bulk", "status_words", "to_ascii"]
