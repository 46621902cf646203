"""Child processes: started, waited for and ended by libuv, without threads and without pidfds."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE, STDOUT, CalledProcessError, CompletedProcess
from typing import TYPE_CHECKING, Any, Self

import trio

from .. import UV_IGNORE, UV_INHERIT_FD, Pipe, StdIO
from .. import Process as _UVProcess
from ..errno import UV_ESRCH
from ..error import ProcessError
from ._host import TrioHost, trio_host
from ._pipes import ReceiveEnd, SendEnd

if TYPE_CHECKING:
    from _typeshed import StrOrBytesPath

_GRACE = 5.0
"""How many seconds a child has between SIGTERM and SIGKILL, when who has run it is cancelled."""


class Process:
    """A child process, made by :func:`open_process`."""

    def __init__(self, args: list[Any]) -> None:
        #: The program and its arguments.
        self.args = args
        #: What it reads, what it writes, and what it writes errors to, where that is a pipe.
        self.stdin: SendEnd | None = None
        self.stdout: ReceiveEnd | None = None
        self.stderr: ReceiveEnd | None = None
        #: Its number.
        self.pid = 0
        self._ended = trio.Event()
        self._returncode: int | None = None
        self._process: _UVProcess

    @property
    def returncode(self) -> int | None:
        """Its exit status, or the number of the signal that ended it, negative; None while it runs."""
        return self._returncode

    def poll(self) -> int | None:
        """The same."""
        return self._returncode

    async def wait(self) -> int:
        """Waits for its end, and gives its exit status. Who is cancelled leaves it running."""
        await self._ended.wait()
        assert self._returncode is not None
        return self._returncode

    def send_signal(self, number: int) -> None:
        """Sends it a signal (`uv_process_kill`). Nothing happens once it has ended."""
        if self._returncode is None:
            try:
                self._process.kill(number)
            except ProcessError as error:
                if error.args[0] != UV_ESRCH:
                    raise

    def terminate(self) -> None:
        """Asks it to end: SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it: SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __repr__(self) -> str:
        state = f"pid {self.pid}" if self._returncode is None else f"exited with {self._returncode}"
        return f"<{type(self).__name__} {self.args!r} {state}>"

    def _exited(self, process: _UVProcess, status: int, term_signal: int) -> None:
        self._returncode = -term_signal if term_signal else status
        process.close()
        self._ended.set()


class _Ends:
    """What a child gets as its standard descriptors, and the other ends of its pipes."""

    def __init__(self, host: TrioHost) -> None:
        self._host = host
        self._childs: list[int] = []
        self.ours: list[Pipe | None] = []
        self.stdio: list[StdIO] = []

    def add(self, given: Any) -> None:
        """The next one, from 0 on, as `subprocess` has them given."""
        number = len(self.stdio)
        ours = None
        if given is None:
            added = StdIO(fd=number, flags=UV_INHERIT_FD)
        elif given == DEVNULL:
            added = StdIO(flags=UV_IGNORE)
        elif given == STDOUT:
            if number != 2:
                raise ValueError("STDOUT is for stderr")
            added = self.stdio[1]
        elif given == PIPE:
            reading, writing = os.pipe()
            kept, given = (writing, reading) if number == 0 else (reading, writing)
            self._childs.append(given)
            added = StdIO(fd=given, flags=UV_INHERIT_FD)
            ours = self._opened(kept)
        else:
            added = StdIO(fd=given, flags=UV_INHERIT_FD)
        self.ours.append(ours)
        self.stdio.append(added)

    def _opened(self, fd: int) -> Pipe:
        try:
            pipe = Pipe(self._host.uv)
            pipe.open(fd)
        except BaseException:
            os.close(fd)
            raise
        return pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        for fd in self._childs:
            os.close(fd)
        if kind is not None:
            for pipe in self.ours:
                if pipe is not None:
                    pipe.close()


async def open_process(
    command: "Sequence[StrOrBytesPath] | str",
    *,
    stdin: Any = None,
    stdout: Any = None,
    stderr: Any = None,
    shell: bool = False,
    **options: Any,
) -> Process:
    """Starts a program (`uv_spawn`).

    ``command`` is a list of its arguments, or with ``shell=True`` a string for the shell. ``stdin``,
    ``stdout`` and ``stderr`` are inherited where they are None. ``subprocess.PIPE`` makes a stream of trio's,
    the attribute of that name of what this returns; ``subprocess.DEVNULL`` and, for ``stderr``,
    ``subprocess.STDOUT`` are what they are there, and so is a number or what has a ``fileno()``.
    ``executable``, ``env``, ``cwd``, ``uid``, ``gid`` and ``flags`` are those of :meth:`pyuv.Process.spawn`.

    ProcessError, which is the OSError that Python has for it, where the program cannot be started. The child
    goes on when ``trio.run`` ends.
    """
    if isinstance(command, str | bytes) != shell:
        raise TypeError("a command is a list of arguments, or with shell=True a string for the shell")
    args: list[Any] = ["/bin/sh", "-c", command] if shell else list(command)
    host = trio_host()
    await trio.lowlevel.checkpoint()
    with _Ends(host) as ends:
        for given in (stdin, stdout, stderr):
            ends.add(given)
        made = Process(args)
        made._process = _UVProcess.spawn(
            host.uv, args, stdio=ends.stdio, exit_callback=made._exited, **options
        )
        made.pid = made._process.pid or 0
    read, written, errors = ends.ours
    made.stdin = SendEnd(host, read) if read is not None else None
    made.stdout = ReceiveEnd(host, written) if written is not None else None
    made.stderr = ReceiveEnd(host, errors) if errors is not None else None
    return made


async def run_process(
    command: "Sequence[StrOrBytesPath] | str",
    *,
    stdin: Any = b"",
    capture_stdout: bool = False,
    capture_stderr: bool = False,
    check: bool = True,
    **options: Any,
) -> CompletedProcess[bytes]:
    """Runs a program to its end, as ``trio.run_process`` does, and gives what came of it.

    ``stdin`` is bytes that it reads, or as for :func:`open_process`; what it writes is kept where that is
    asked for. With ``check``, CalledProcessError for an exit status that is not 0. When the task is cancelled
    the child gets SIGTERM, and SIGKILL 5 seconds later, and its end is waited for.
    """
    given = b""
    if isinstance(stdin, bytes | bytearray | memoryview):
        given, stdin = bytes(stdin), PIPE if stdin else DEVNULL
    for name, captures in (("stdout", capture_stdout), ("stderr", capture_stderr)):
        if captures:
            if name in options:
                raise ValueError(f"{name} is captured, and cannot be given as well")
            options[name] = PIPE
    process = await open_process(command, stdin=stdin, **options)
    kept: dict[str, bytearray | None] = {"stdout": None, "stderr": None}

    async def feed(stream: SendEnd) -> None:
        # It may not want it all.
        with suppress(trio.BrokenResourceError):
            async with stream:
                await stream.send_all(given)

    async def keep(name: str, stream: ReceiveEnd) -> None:
        block = kept[name] = bytearray()
        async with stream:
            async for some in stream:
                block += some

    async with trio.open_nursery() as nursery:
        if process.stdin is not None:
            nursery.start_soon(feed, process.stdin)
        if process.stdout is not None:
            nursery.start_soon(keep, "stdout", process.stdout)
        if process.stderr is not None:
            nursery.start_soon(keep, "stderr", process.stderr)
        try:
            status = await process.wait()
        except BaseException:
            with trio.CancelScope(shield=True):
                await _end(process)
            raise
    out, err = (None if block is None else bytes(block) for block in kept.values())
    if check and status:
        raise CalledProcessError(status, process.args, out, err)
    return CompletedProcess(process.args, status, out, err)


async def _end(process: Process) -> None:
    process.terminate()
    with trio.move_on_after(_GRACE):
        await process.wait()
    process.kill()
    await process.wait()
