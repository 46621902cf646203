"""The exceptions that pyuv raises.

An error with a code of libuv's is an instance of the `OSError` that Python has for it too, so that
`except FileNotFoundError` catches an `FSError` with `UV_ENOENT`. The class of both is
made when such an error is first raised.
"""

import errno as _errno
import functools as _functools
import socket as _socket

from ._pyuv import errorcode as _errorcode
from ._pyuv import strerror as _strerror
from ._pyuv.dns import errorcode as _ares_errorcode


class UVError(OSError):
    """An error of libuv; args are (code, message).

    code is libuv's, a negative number; None where libuv was not asked. errno is the system's number
    for it and strerror its text; both are None where the system has none. filename and filename2 are
    the paths that a call was about.
    """

    def __init__(self, *args, filename=None, filename2=None):
        self.args = args
        code = self._libuv_code(args)
        system, self.errno, self.strerror = _system_error(code)
        if not isinstance(self, system):
            self.__class__ = self._joined_with(system)
        self.filename = filename
        self.filename2 = filename2

    @property
    def code(self):
        """libuv's code (c-ares's of a DNSError), or None."""
        return _code_of(self.args)

    def __str__(self):
        return Exception.__str__(self) if self.code is None else str(self.args[1])

    def __reduce__(self):
        return (
            _restore,
            (self._plain_class(), self.args, self.filename, self.filename2),
            self.__dict__ or None,
        )

    @classmethod
    def _libuv_code(cls, args):
        """The code by which the system's error is found, or None."""
        return _code_of(args)

    @classmethod
    def _plain_class(cls):
        return cls.__dict__.get("_joined_from", cls)

    @classmethod
    def _joined_with(cls, system):
        """The class of errors that are both of this class and of the system's."""
        if "_joined" not in cls.__dict__:
            cls._joined = {}
        if system not in cls._joined:
            names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
            joined = type(cls)(cls.__name__, (cls, system), {**names, "__slots__": (), "_joined_from": cls})
            cls._joined.setdefault(system, joined)
        return cls._joined[system]


class ThreadError(UVError):
    """A thread primitive was misused."""


class FSError(UVError):
    """A filesystem operation failed.

    bytes_written is, for write_file and append_file, how many bytes are in the file nevertheless; None
    for anything else.
    """

    bytes_written = None


class DNSError(UVError):
    """A c-ares call failed; args are (code, message) with a c-ares code. The system has no such numbers, but
    for ARES_ETIMEOUT, which is a TimeoutError too, and ARES_ECONNREFUSED, a ConnectionRefusedError.
    """

    @classmethod
    def _libuv_code(cls, args):
        return _OF_ARES.get(_code_of(args))


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


_NUMBERS = {name: code for table in (_errorcode, _ares_errorcode) for code, name in table.items()}
# What the system has a number for too.
_OF_ARES = {
    _NUMBERS["ARES_ETIMEOUT"]: _NUMBERS["UV_ETIMEDOUT"],
    _NUMBERS["ARES_ECONNREFUSED"]: _NUMBERS["UV_ECONNREFUSED"],
}


def _code_of(args):
    return args[0] if len(args) == 2 and isinstance(args[0], int) else None


@_functools.lru_cache(256)
def _system_error(code):
    """The class that Python has for a code of libuv's, the system's number, and what it means."""
    name = _errorcode.get(code)
    if name is None:
        return OSError, None, None
    if name.startswith("UV_EAI_"):
        return _socket.gaierror, getattr(_socket, name.removeprefix("UV_"), None), _strerror(code)
    number = getattr(_errno, name.removeprefix("UV_"), None)
    return type(OSError(number, "")), number, _strerror(code)


def _restore(cls, args, filename, filename2):
    error = cls(*args)
    error.filename, error.filename2 = filename, filename2
    return error


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
