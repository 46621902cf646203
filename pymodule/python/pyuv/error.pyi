"""The exceptions that pyuv raises: ``args`` is ``(code, message)`` where libuv or c-ares said no."""

from typing import Any

from _typeshed import MaybeNone

class UVError(OSError):
    """An error of libuv; args are (code, message).

    code is libuv's, a negative number; None where libuv was not asked. errno is the system's number
    for it and strerror its text; both are None where the system has none. filename and filename2 are
    the paths that a call was about.
    """

    def __init__(self, *args: Any, filename: Any = None, filename2: Any = None) -> None: ...
    @property
    def code(self) -> int | MaybeNone:
        """libuv's code (c-ares's of a DNSError), or None."""

class ThreadError(UVError):
    """A thread primitive was misused."""

class FSError(UVError):
    """A filesystem operation failed.

    bytes_written is, for write_file and append_file, how many bytes are in the file nevertheless;
    None for anything else.
    """

    bytes_written: int | None

class DNSError(UVError):
    """A c-ares call failed; args are (code, message) with a c-ares code. The system has no such numbers, but
    for ARES_ETIMEOUT, which is a TimeoutError too, and ARES_ECONNREFUSED, a ConnectionRefusedError.
    """

class HandleError(UVError):
    """An error of a handle."""

class HandleClosedError(HandleError):
    """The handle was closed before this call."""

class AsyncError(HandleError):
    """An error of an Async handle."""

class TimerError(HandleError):
    """An error of a Timer handle."""

class PrepareError(HandleError):
    """An error of a Prepare handle."""

class IdleError(HandleError):
    """An error of an Idle handle."""

class CheckError(HandleError):
    """An error of a Check handle."""

class SignalError(HandleError):
    """An error of a Signal handle."""

class PollError(HandleError):
    """An error of a Poll handle."""

class StreamError(HandleError):
    """An error of a stream."""

class TCPError(StreamError):
    """An error of a TCP handle."""

class PipeError(StreamError):
    """An error of a Pipe handle."""

class TTYError(StreamError):
    """An error of a TTY handle."""

class UDPError(HandleError):
    """An error of a UDP handle."""

class ProcessError(HandleError):
    """An error of a Process handle."""

class FSEventError(HandleError):
    """An error of an FSEvent handle."""

class FSPollError(HandleError):
    """An error of an FSPoll handle."""

__all__ = [
    "AsyncError",
    "CheckError",
    "DNSError",
    "FSError",
    "FSEventError",
    "FSPollError",
    "HandleClosedError",
    "HandleError",
    "IdleError",
    "PipeError",
    "PollError",
    "PrepareError",
    "ProcessError",
    "SignalError",
    "StreamError",
    "TCPError",
    "TTYError",
    "ThreadError",
    "TimerError",
    "UDPError",
    "UVError",
]
