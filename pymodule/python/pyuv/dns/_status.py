"""What became of a question, in one word, and the exit statuses of ``python -m pyuv.dns``."""

from enum import IntEnum
from typing import Final

from ._engine import status_words


class Exit(IntEnum):
    """The exit statuses. 2 is argparse's too."""

    ANSWERED = 0
    NO_RECORDS = 1
    USAGE = 2
    SERVER_FAILED = 3
    NO_REPLY = 4
    NO_FILE = 5
    INTERRUPTED = 130
    # What a shell shows of a program that SIGPIPE ended.
    PIPE_CLOSED = 141


ANSWERED: Final = "NOERROR"
NO_DATA: Final = "NODATA"
NO_RECORDS: Final = frozenset({"NXDOMAIN", NO_DATA})
SERVER_FAILED: Final = frozenset({"SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"})
BAD_NAME: Final = "BADNAME"
FINAL: Final = NO_RECORDS | {ANSWERED, BAD_NAME}
"""Asking again would not change these."""

STATUSES: Final = status_words
"""The status for each of c-ares's codes: ``NXDOMAIN``, ``NODATA``, ``TIMEOUT``..."""


def exit_status(status: str) -> Exit:
    """The exit status for one question's status."""
    if status == ANSWERED:
        return Exit.ANSWERED
    if status in NO_RECORDS:
        return Exit.NO_RECORDS
    if status in SERVER_FAILED:
        return Exit.SERVER_FAILED
    return Exit.USAGE if status == BAD_NAME else Exit.NO_REPLY
