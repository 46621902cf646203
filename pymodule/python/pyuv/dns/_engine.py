"""What ``python -m pyuv.dns`` has in the extension: the questions of a bulk run, and words for statuses."""

from .._pyuv.dns import Answered, Bulk, status_words

__all__ = ["Answered", "Bulk", "status_words"]
