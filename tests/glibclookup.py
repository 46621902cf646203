"""What glibc's getaddrinfo and getnameinfo say when they ask a server of the tests: a process of its own.

glibc asks port 53, whatever a file says, so the state of the process's resolver is changed in memory.
Requests come on standard input, a line of Python each: the name of a function of `socket` and its arguments.
Standard library only.
"""

import ast
import contextlib
import ctypes
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from glibcresolver import ResState

RES_DEFNAMES, RES_DNSRCH = 0x80, 0x200


def ask_server(host: str, port: int) -> None:
    """Has glibc ask this server, once, and for the name as it is."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.__res_init() == 0
    libc.__res_state.restype = ctypes.POINTER(ResState)
    state = libc.__res_state().contents
    server = state.nsaddr_list[0]
    server.family = socket.AF_INET
    server.port = socket.htons(port)
    server.address[:] = socket.inet_aton(host)
    state.nscount = 1
    state.retrans = state.retry = 1
    state.options &= ~(RES_DEFNAMES | RES_DNSRCH)


def outcome(function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What a function gives, or the number and the text of its error."""
    try:
        return function(*arguments, **keywords)
    except OSError as error:
        return type(error).__name__, error.errno, error.strerror


def plain(result: Any) -> Any:
    """The same without members of enumerations, as `repr` can be read back."""
    if isinstance(result, list | tuple):
        return type(result)(map(plain, result))
    if isinstance(result, dict):
        return {name: plain(value) for name, value in result.items()}
    return int(result) if isinstance(result, int) else result


def main() -> None:
    """Answers requests until there are no more."""
    ask_server(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        name, arguments, keywords = ast.literal_eval(line)
        print(repr(plain(outcome(getattr(socket, name), arguments, keywords))), flush=True)


class Glibc:
    """The process, from the other side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """What `socket.NAME(...)` gives there; of an error its class, number and text."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(repr(plain((name, arguments, keywords))), file=self._process.stdin, flush=True)
        return ast.literal_eval(self._process.stdout.readline())


@contextlib.contextmanager
def glibc(host: str, port: int) -> Iterator[Glibc]:
    """Starts the process, and ends it."""
    command = [sys.executable, __file__, host, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Glibc(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


if __name__ == "__main__":
    main()
