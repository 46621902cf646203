"""libuv and c-ares for Python: one loop for sockets, timers, processes, files and DNS."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Self, TypeAlias, TypeVar, final

from _typeshed import FileDescriptorLike, MaybeNone, StrOrBytesPath
from typing_extensions import Buffer, disjoint_base

from . import dns as dns
from . import errno as errno
from . import error as error
from . import fs as fs
from . import thread as thread
from . import util as util

__version__: Final[str]
LIBUV_VERSION: Final[str]
ARES_VERSION: Final[str]

_T = TypeVar("_T")
_Done: TypeAlias = Callable[[_T, int | None], object]
_Data: TypeAlias = Buffer | Sequence[Buffer]
_Address: TypeAlias = (
    tuple[str | bytes, int] | tuple[str | bytes, int, int] | tuple[str | bytes, int, int, int]
)
_Name: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
# Some hooks have parameters `handle` and `event` too.
_ExceptHook: TypeAlias = Callable[..., object]

@disjoint_base
class Loop:
    """An event loop (`uv_loop_t`).

    A loop and its handles belong to the thread that is using them: while one thread is inside
    `run`, a call from another raises RuntimeError. Only `Async.send` may come from anywhere.
    """

    def __init__(self) -> None: ...
    @classmethod
    def default_loop(cls) -> Loop:
        """The process's default loop, made when first asked for."""

    @property
    def default(self) -> bool:
        """Whether this is the default loop."""

    def run(self, mode: int = 0) -> bool:
        """Runs the loop (`uv_run`) and says whether anything is still active.

        `mode` is UV_RUN_DEFAULT (until nothing is active, or `stop`), UV_RUN_ONCE (one iteration)
        or UV_RUN_NOWAIT (one that does not wait). The GIL is released while the loop waits.
        """

    def stop(self) -> None:
        """Makes `run` return after this iteration (`uv_stop`)."""

    def now(self) -> int:
        """The loop's time in milliseconds, read once per iteration (`uv_now`)."""

    def update_time(self) -> None:
        """Reads the clock anew (`uv_update_time`)."""

    def fileno(self) -> int:
        """The fd that becomes readable when the loop has something to do (`uv_backend_fd`)."""

    def get_timeout(self) -> float:
        """Seconds until the loop has something to do, -1.0 for never (`uv_backend_timeout`)."""

    @property
    def alive(self) -> bool:
        """Whether anything is active, referenced or closing (`uv_loop_alive`)."""

    @property
    def closed(self) -> bool:
        """Whether the loop was closed."""

    @property
    def handles(self) -> list[Handle]:
        """Every handle on the loop, closing ones included (`uv_walk`)."""

    @property
    def excepthook(self) -> _ExceptHook | None:
        """Called with (type, value, traceback) of an exception from a callback: at first a method that
        prints it, as None has it printed. One that has parameters of these names is given
        `handle`, the handle, request or channel whose callback it was, and `event`, a word for
        what the callback was told of; both None where there is none.
        """

    @excepthook.setter
    def excepthook(self, hook: _ExceptHook | None, /) -> None: ...
    def close(self, *, handles: bool = False) -> None:
        """Closes the loop and gives its fds back (`uv_loop_close`). Handles that are closing are
        run to their end first.

        Raises UVError with UV_EBUSY, naming what is open, while there are open handles or
        requests in flight. With `handles`, those are closed and cancelled before; what the thread
        pool has begun is waited for.
        """

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None:
        """`close(handles=True)`, unless the loop is closed."""

    def fork(self) -> None:
        """Makes the loop usable in a child process after `os.fork()` (`uv_loop_fork`). Does nothing
        in the process that the loop was made in."""

    def configure(
        self, *, metrics_idle_time: bool = False, block_sigprof: bool = False, io_uring: bool = False
    ) -> None:
        """Sets options (`uv_loop_configure`), before the loop first runs.

        `metrics_idle_time` measures the time spent waiting, for `metrics`; `block_sigprof` spares
        a profiler's signals while waiting; `io_uring` submits filesystem operations to io_uring
        where the kernel has it and the environment variable UV_USE_IO_URING is 1. Raises UVError
        with UV_ENOSYS where an option does not exist.
        """

    def metrics(self) -> LoopMetrics:
        """What the loop has done so far (`uv_metrics_info`, `uv_metrics_idle_time`)."""

    @property
    def counters(self) -> LoopMetrics:
        """The same as `metrics()`: pyuv 0.2's name."""

    def queue_work(
        self,
        work_callback: Callable[[], object],
        done_callback: Callable[[int | None], object] | None = None,
    ) -> WorkRequest:
        """Calls `work_callback()` on a thread of the pool, then `done_callback(errorno)` on the loop's
        thread (`uv_queue_work`). Returns a WorkRequest.

        `errorno` is None, or UV_ECANCELED. What `work_callback` raises goes to `excepthook`.
        """

@final
class LoopMetrics:
    """Counters of a loop."""

    @property
    def loop_count(self) -> int:
        """Iterations of the loop."""

    @property
    def events(self) -> int:
        """Events that callbacks have been called for."""

    @property
    def events_waiting(self) -> int:
        """Events that were waiting when the loop polled."""

    @property
    def idle_time(self) -> float:
        """Seconds spent waiting; 0.0 unless `configure(metrics_idle_time=True)` was called. Of a
        wait that the system interrupted, only the last part counts."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@disjoint_base
class Handle:
    """What every handle is (`uv_handle_t`); not for making instances of.

    An active handle is kept alive by its loop. One that loses its last reference while it is
    inactive is closed. It may be given any attributes.
    """

    @property
    def loop(self) -> Loop:
        """The loop the handle is on."""

    @property
    def active(self) -> bool:
        """Whether the handle is doing something (`uv_is_active`)."""

    @property
    def closed(self) -> bool:
        """Whether the handle is closed or closing (`uv_is_closing`)."""

    @property
    def ref(self) -> bool:
        """Whether the handle keeps the loop running while it is active (`uv_has_ref`)."""

    @ref.setter
    def ref(self, on: bool, /) -> None: ...
    def close(self, callback: Callable[[Self], object] | None = None) -> None:
        """Closes the handle (`uv_close`). `callback(handle)` is called in a later iteration.

        Of a handle that is closed it does nothing. With a callback, which would never be called, it
        raises HandleClosedError then.
        """

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None:
        """Closes the handle."""

    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

class Async(Handle):
    """Calls its callback on the loop's thread, whichever thread asked (`uv_async_t`).

    It is active from the start and keeps the loop running until it is closed, unless its
    `ref` is False.
    """

    def __init__(self, loop: Loop, callback: Callable[[Self], object] | None = None) -> None: ...
    def send(self) -> None:
        """Has the callback called soon, on the loop's thread (`uv_async_send`). Several sends
        before that make one call. May be called from any thread.
        """

class Check(Handle):
    """Calls its callback once per iteration, just after the loop polled (`uv_check_t`)."""

    def __init__(self, loop: Loop) -> None: ...
    def start(self, callback: Callable[[Self], object]) -> None:
        """Has `callback(check_handle)` called in each iteration (`uv_check_start`)."""

    def stop(self) -> None:
        """Calls it no more (`uv_check_stop`)."""

class Idle(Handle):
    """Calls its callback once per iteration and keeps the loop from waiting (`uv_idle_t`)."""

    def __init__(self, loop: Loop) -> None: ...
    def start(self, callback: Callable[[Self], object]) -> None:
        """Has `callback(idle_handle)` called in each iteration (`uv_idle_start`)."""

    def stop(self) -> None:
        """Calls it no more (`uv_idle_stop`)."""

class Pipe(Stream):
    """A Unix domain socket, a FIFO or an end of a pipe; on Windows a named pipe (`uv_pipe_t`).

    Names are str, bytes or path-like. On Linux one that begins with a NUL is in the abstract
    namespace, not in the file system.
    """

    def __init__(self, loop: Loop, ipc: bool = False) -> None:
        """With `ipc`, handles can be sent over the pipe."""

    @property
    def ipc(self) -> bool:
        """Whether handles can be sent over the pipe."""

    def open(self, fd: FileDescriptorLike) -> None:
        """Takes a Unix domain socket, a FIFO, an end of a pipe or a terminal that somebody else opened,
        a number or an object with `fileno()`, and makes it non-blocking (`uv_pipe_open`). It is
        closed with the handle, unless it is one of 0, 1 and 2.

        Raises PipeError with UV_EBADF for what is not open, UV_EINVAL for another type of file,
        UV_EEXIST for one that another handle of this loop has, UV_EBUSY on a handle that has one.
        """

    def bind(self, name: StrOrBytesPath) -> None:
        """Gives the socket a name (`uv_pipe_bind2`); on Linux `""` has the system choose an abstract
        one. The file of that name is removed when the handle is closed.

        Raises PipeError with UV_EADDRINUSE; UV_EACCES, also where the folder is missing; UV_EINVAL
        for a name too long for the system, or a handle that has a file descriptor.
        """

    def bind2(self, name: StrOrBytesPath, flags: int = 0) -> None:
        """`bind` that cuts a name short where it is too long for the system, unless `flags` is
        UV_PIPE_NO_TRUNCATE (`uv_pipe_bind2`).
        """

    def connect(self, name: StrOrBytesPath, callback: _Done[Self]) -> None:
        """Connects to the socket of this name (`uv_pipe_connect2`). `callback(handle, error)` is
        called when it has, with None, or cannot, with a code: UV_ENOENT, UV_ECONNREFUSED.

        Raises PipeError with UV_EINVAL for a name that is empty or too long for the system,
        UV_EALREADY while a connect is in flight.
        """

    def connect2(self, name: StrOrBytesPath, callback: _Done[Self], flags: int = 0) -> None:
        """`connect` that cuts a name short where it is too long for the system, unless `flags` is
        UV_PIPE_NO_TRUNCATE (`uv_pipe_connect2`).
        """

    def listen(self, callback: _Done[Self], backlog: int = 511) -> None:
        """Has `callback(handle, error)` called when a connection has come in (`uv_listen`); it is for
        `accept` then. `backlog` is how many connections the system keeps waiting. On a listener
        this replaces the callback.

        Raises PipeError with UV_EINVAL before `bind`, on a connection, and on a pipe for handles.
        """

    def accept(self, client: Handle) -> None:
        """Makes `client`, a new handle, the connection that came in, or the handle that this pipe
        received (`uv_accept`): a Pipe, or what `pending_handle_type` says.

        Raises PipeError with UV_EAGAIN where none waits, UV_EINVAL for a client in use or of
        another type than what came in; TypeError for what is no TCP, Pipe or UDP handle.
        """

    def write(self, data: _Data, callback: _Done[Self] | None = None, handle: Handle | None = None) -> None:
        """Writes as `Stream.write` does, and with the first byte sends `handle`, a TCP, Pipe or UDP
        handle, to the process at the other end (`uv_write2`). It stays open here.

        Raises PipeError with UV_EINVAL on a pipe that is not for handles, for empty data, or a
        handle on another loop; UV_EBADF for a handle without file descriptor.
        """

    def try_write2(self, data: _Data, handle: Handle) -> int:
        """`try_write` that sends `handle` along (`uv_try_write2`)."""

    def pending_instances(self, count: int) -> None:
        """How many connections can wait at a time, on Windows (`uv_pipe_pending_instances`)."""

    def pending_count(self) -> int:
        """How many handles have been received and wait for `accept` (`uv_pipe_pending_count`)."""

    def pending_handle_type(self) -> int:
        """What the next received handle is: UV_TCP, UV_NAMED_PIPE, UV_UDP; UV_UNKNOWN_HANDLE, which
        is 0, where none waits (`uv_pipe_pending_type`).
        """

    def getsockname(self) -> str:
        """The socket's own name, `""` if it has none (`uv_pipe_getsockname`). Raises PipeError with
        UV_EBADF before there is a socket.
        """

    def getpeername(self) -> str:
        """The peer's name, `""` if it has none (`uv_pipe_getpeername`). Raises PipeError with
        UV_ENOTCONN without a peer.
        """

    def chmod(self, mode: int) -> None:
        """Lets every user connect who may read or write the socket's file (`uv_pipe_chmod`): `mode`
        is UV_READABLE, UV_WRITABLE or both. Raises PipeError with UV_EBADF before `bind`, UV_ENOTSOCK for
        what is no socket.
        """

    @property
    def send_buffer_size(self) -> int:
        """Bytes of the system's buffer for what goes out (`uv_send_buffer_size`). Linux says
        twice what was set.
        """

    @send_buffer_size.setter
    def send_buffer_size(self, size: int, /) -> None: ...
    @property
    def receive_buffer_size(self) -> int:
        """Bytes of the system's buffer for what comes in (`uv_recv_buffer_size`)."""

    @receive_buffer_size.setter
    def receive_buffer_size(self, size: int, /) -> None: ...

class Poll(Handle):
    """Calls its callback when a file descriptor is readable or writable (`uv_poll_t`).

    The descriptor stays its owner's: close the handle first, then the descriptor. One that
    was closed too early is reported with UV_EBADF, as long as its number is not in use again.
    """

    def __init__(self, loop: Loop, fd: FileDescriptorLike) -> None:
        """`fd` is a number or an object with `fileno()`. Raises PollError with UV_EBADF for one
        that is not open, UV_EPERM for one that cannot be waited for, such as a regular file,
        UV_EEXIST for one that is being waited for on this loop.
        """

    def start(self, events: int, callback: Callable[[Self, int, int | None], object]) -> None:
        """Has `callback(poll_handle, events, errorno)` called when one of `events` is there
        (`uv_poll_start`): UV_READABLE, UV_WRITABLE, UV_DISCONNECT, UV_PRIORITIZED or several.

        `errorno` is None or a code; the handle has stopped then.
        """

    def stop(self) -> None:
        """Waits no more (`uv_poll_stop`)."""

    def fileno(self) -> int:
        """The file descriptor."""

class Prepare(Handle):
    """Calls its callback once per iteration, just before the loop polls (`uv_prepare_t`)."""

    def __init__(self, loop: Loop) -> None: ...
    def start(self, callback: Callable[[Self], object]) -> None:
        """Has `callback(prepare_handle)` called in each iteration (`uv_prepare_start`)."""

    def stop(self) -> None:
        """Calls it no more (`uv_prepare_stop`)."""

@disjoint_base
class Process(Handle):
    """A child process (`uv_process_t`), made by `Process.spawn`. Active until its end."""

    def __init__(self, loop: Loop | None = None) -> None:
        """Nothing to be used: `Process.spawn` makes processes."""

    @classmethod
    def spawn(
        cls,
        loop: Loop,
        args: StrOrBytesPath | Iterable[StrOrBytesPath],
        executable: StrOrBytesPath | None = None,
        env: Mapping[StrOrBytesPath, StrOrBytesPath] | None = None,
        cwd: StrOrBytesPath | None = None,
        uid: int | None = None,
        gid: int | None = None,
        flags: int = 0,
        stdio: Iterable[StdIO] | None = None,
        exit_callback: Callable[[Self, int, int], object] | None = None,
    ) -> Self:
        """Starts a program (`uv_spawn`) and returns the Process, of the class that this was called
        on. `exit_callback(process, exit_status, term_signal)` is called when it has ended.

        `args` is the list of its arguments, of which the first is its name, or that name alone.
        `executable` is the file, by default that name; without a slash it is looked for in the
        folders of the child's PATH. Both, `cwd` and what is in the mapping `env` may be str, bytes
        or path-like. `env` replaces the environment. `uid` and `gid` are set if given. `stdio` is
        a sequence of StdIO for its fds, from 0 on; standard ones that are not listed are /dev/null.

        Raises ProcessError, naming what stood in the way: UV_ENOENT for an executable or `cwd`
        that is not there, UV_EACCES for what cannot be executed, UV_EPERM for a user that this
        process may not become, UV_E2BIG for too long arguments, UV_EBADF for an fd or a
        stream that is closed, UV_EBUSY for a Pipe that is in use, UV_EAGAIN and UV_EMFILE for
        want of processes and fds.
        """

    @classmethod
    def disable_stdio_inheritance(cls) -> None:
        """Marks the fds that this process inherited, from 0 on, as not to be inherited by its
        children (`uv_disable_stdio_inheritance`).
        """

    def kill(self, signal: int) -> None:
        """Sends the process a signal (`uv_process_kill`); 0 only asks whether it is there.

        Raises ProcessError with UV_ESRCH once its end was seen, UV_EINVAL for a number that is no
        signal.
        """

    def close(self, callback: Callable[[Self], object] | None = None) -> None:
        """Closes the handle (`uv_close`); `callback(process)` is called in a later iteration. A
        process that runs goes on, and `exit_callback` is not called any more.
        """

    @property
    def pid(self) -> int | None:
        """The process's number, or None for a Process that `spawn` did not make."""

class Signal(Handle):
    """Calls its callback when the process gets a signal (`uv_signal_t`).

    When the last handle for a signal stops, what was set for it before, a handler of Python's
    `signal` module included, is back.
    """

    def __init__(self, loop: Loop) -> None: ...
    def start(self, callback: Callable[[Self, int], object], signum: int) -> None:
        """Has `callback(signal_handle, signum)` called for each signal (`uv_signal_start`).

        Raises SignalError with UV_EINVAL for a number that is no signal, or one that cannot
        be caught.
        """

    def start_oneshot(self, callback: Callable[[Self, int], object], signum: int) -> None:
        """Has `callback(signal_handle, signum)` called for the next signal only
        (`uv_signal_start_oneshot`).
        """

    def stop(self) -> None:
        """Catches it no more (`uv_signal_stop`)."""

    @property
    def signum(self) -> int | None:
        """The signal that the handle is started for, or None."""

@disjoint_base
class StdIO:
    """One fd of a child process (`uv_stdio_container_t`).

    With UV_IGNORE nothing, or /dev/null as one of the fds 0 to 2. With UV_INHERIT_FD `fd`, a number
    or an object with `fileno()`. With UV_INHERIT_STREAM the fd of the stream. With UV_CREATE_PIPE
    the other end of the new Pipe `stream`: UV_READABLE_PIPE for one that the child reads,
    UV_WRITABLE_PIPE for one that it writes, or both. Raises ValueError for flags that do not go
    with what is given.
    """

    def __new__(cls, stream: Stream | None = None, fd: FileDescriptorLike = -1, flags: int = 0) -> Self: ...
    @property
    def stream(self) -> Stream | None:
        """The stream, or None."""

    @property
    def fd(self) -> int:
        """The fd, or -1."""

    @property
    def flags(self) -> int:
        """What becomes of it."""

@disjoint_base
class Stream(Handle):
    """A stream of bytes in both directions (`uv_stream_t`); not for making instances of.

    A stream that reads, listens, or has a connect, write or shutdown in flight is kept alive by its
    loop.
    """

    def start_read(self, callback: Callable[[Self, bytes | MaybeNone, int | None], object]) -> None:
        """Has `callback(handle, data, error)` called with what arrives (`uv_read_start`). `data` is
        bytes; at the end of the stream, or on failure, it is None, `error` is UV_EOF or another
        code, and the stream reads no more. While it reads, a second call replaces the callback.

        Raises the stream's error with UV_ENOTCONN where it is not connected.
        """

    def stop_read(self) -> None:
        """Reads no more (`uv_read_stop`)."""

    def write(self, data: _Data, callback: _Done[Self] | None = None) -> None:
        """Writes a bytes-like object, or a sequence of them that is not empty, one after the other
        (`uv_try_write`, `uv_write`). What the system does not take at once is queued; the objects
        are not copied and stay alive until they have gone out. Then `callback(handle, error)` is
        called, in a later iteration of the loop; `error` is None or a code.

        Raises the stream's error with UV_EBADF or UV_EPIPE where it is not connected or was shut
        down; TypeError for what is not bytes-like, ValueError for an empty sequence.
        """

    def try_write(self, data: _Data) -> int:
        """Writes what the system takes at once and returns how many bytes that were
        (`uv_try_write`). Raises the stream's error with UV_EAGAIN where that is nothing, or where
        other writes are queued before it.
        """

    def sendfile(
        self,
        file: FileDescriptorLike,
        offset: int = 0,
        length: int | None = None,
        callback: Callable[[Self, int, int | None], object] | None = None,
    ) -> None:
        """Sends `length` bytes of a file from `offset` on, or all to its end (None): after what was
        written before, and before what is written from now on. `file` is a file descriptor or an
        object with `fileno()`; it is duplicated, and may be closed at once. Then
        `callback(handle, sent, error)` is called, in a later iteration of the loop: `sent` is how
        many bytes went out, `error` None when that is all; UV_EOF where the file was shorter,
        UV_ECANCELED where the stream was closed, or another code. What is written meanwhile waits,
        and gets UV_ECANCELED unless all of the file went out.

        Raises the stream's error with UV_EBADF or UV_EPIPE where it is not connected or was shut
        down, UV_EBADF for a file that is not open; ValueError for what is no offset or length.
        """

    def shutdown(self, callback: _Done[Self] | None = None) -> None:
        """Ends what goes out, after all that is queued (`uv_shutdown`), so that the peer reads the
        end of the stream. Then `callback(handle, error)` is called.

        Raises the stream's error with UV_ENOTCONN where it is not connected or was shut down.
        """

    @property
    def readable(self) -> bool:
        """Whether there may be something to read (`uv_is_readable`)."""

    @property
    def writable(self) -> bool:
        """Whether it may be written to (`uv_is_writable`)."""

    @property
    def write_queue_size(self) -> int:
        """How many bytes are queued to be written (`uv_stream_get_write_queue_size`), those of files
        not counted."""

    def set_blocking(self, blocking: bool) -> None:
        """Makes reads and writes wait in the system, and the whole loop with them, or not
        (`uv_stream_set_blocking`).
        """

    def fileno(self) -> int:
        """The file descriptor (`uv_fileno`). It stays the handle's: closing it is not for the caller."""

class TCP(Stream):
    """A TCP connection or listener (`uv_tcp_t`).

    Addresses are `(ip, port)`, with `flowinfo` and `scope_id` behind them for IPv6. The IP
    address is in numbers; `""` is every IPv4 address. `connect` takes the names of hosts as well.
    """

    def __init__(self, loop: Loop, family: int = 0) -> None:
        """With a `family`, AF_INET or AF_INET6, the socket is made at once; otherwise when it is
        bound or connected (`uv_tcp_init_ex`). Raises TCPError with UV_EINVAL for another family.
        """

    def open(self, fd: FileDescriptorLike) -> None:
        """Takes a socket that somebody else opened, a number or an object with `fileno()`, and makes it
        non-blocking (`uv_tcp_open`). It is closed with the handle: use `socket.detach()`.

        Raises TCPError with UV_EBADF for what is not open, UV_EINVAL for what is no stream socket
        of IPv4 or IPv6, UV_EEXIST for one that another handle of this loop has, UV_EBUSY on a
        handle that has a socket.
        """

    def bind(self, address: _Address, flags: int = 0) -> None:
        """Gives the socket an address (`uv_tcp_bind`); port 0 has the system choose one. `flags` are
        UV_TCP_IPV6ONLY and UV_TCP_REUSEPORT.

        Raises TCPError with UV_EADDRNOTAVAIL, UV_EACCES, or UV_EINVAL for a socket that has an
        address. One that is in use is reported by the `listen` or `connect` that follows.
        """

    def connect(
        self,
        address: _Address | Sequence[_Address],
        callback: _Done[Self],
        *,
        timeout: float | None = None,
        delay: float = 0.25,
    ) -> None:
        """Connects (`uv_tcp_connect`). `callback(handle, error)` is called when it has, with None,
        or cannot, with a code: UV_ECONNREFUSED, UV_ETIMEDOUT. Writes wait for it.

        In place of the IP address there may be the name of a host, which the thread pool looks up
        (`uv_getaddrinfo`), and in place of `address` a list of addresses. Then all of them are tried
        (RFC 8305): the next one when the one before it has failed or has not answered for `delay`
        seconds. `error` is what the last one failed with, or a UV_EAI code; `connect_failures` tells
        of each. `timeout`, in seconds, is for all of it: then `error` is UV_ETIMEDOUT, and the handle
        may connect again.

        Raises TCPError with UV_EALREADY while a connect is in flight; ValueError for what cannot be
        a host.
        """

    @property
    def connect_failures(self) -> list[tuple[_Name, int]]:
        """Which addresses the last `connect` to several failed with, as `(address, code)` in the order
        of the failures; of one that succeeded those before it.
        """

    def listen(self, callback: _Done[Self], backlog: int = 511) -> None:
        """Has `callback(handle, error)` called when a connection has come in (`uv_listen`); it is for
        `accept` then. `backlog` is how many connections the system keeps waiting. On a listener
        this replaces the callback.

        Raises TCPError with UV_EADDRINUSE, or UV_EINVAL on a connection.
        """

    def accept(self, client: TCP) -> None:
        """Makes `client`, a new TCP handle, the connection that came in (`uv_accept`). Raises
        TCPError with UV_EAGAIN where none waits, UV_EINVAL for a client in use; TypeError for what
        is no TCP handle.
        """

    def getsockname(self) -> _Name:
        """The socket's own address (`uv_tcp_getsockname`). Raises TCPError with UV_EBADF before
        there is a socket.
        """

    def getpeername(self) -> _Name:
        """The peer's address (`uv_tcp_getpeername`). Raises TCPError with UV_ENOTCONN without one."""

    @property
    def family(self) -> int:
        """The socket's address family, AF_INET or AF_INET6."""

    def nodelay(self, enable: bool) -> None:
        """Sends small writes at once instead of gathering them, or not (`uv_tcp_nodelay`)."""

    def keepalive(self, enable: bool, delay: int = 60) -> None:
        """Has the system probe a connection that was silent for `delay` seconds, or not
        (`uv_tcp_keepalive`). A delay set before there is a socket is lost.
        """

    def keepalive_ex(self, enable: bool, idle: int = 60, interval: int = 1, count: int = 10) -> None:
        """`keepalive` with the seconds between probes and how many may go unanswered
        (`uv_tcp_keepalive_ex`). Raises TCPError with UV_EINVAL for numbers below 1.
        """

    def simultaneous_accepts(self, enable: bool) -> None:
        """Accepts several connections at a time, on Windows (`uv_tcp_simultaneous_accepts`)."""

    def close_reset(self, callback: Callable[[Self], object] | None = None) -> None:
        """Closes the handle with a reset of the connection (`uv_tcp_close_reset`): what is queued is
        thrown away, and the port is free at once. `callback(handle)` is called in a later
        iteration.

        Raises TCPError with UV_EINVAL while a shutdown is in flight, UV_EBADF without a socket;
        the handle stays open then.
        """

    @property
    def send_buffer_size(self) -> int:
        """Bytes of the system's buffer for what goes out (`uv_send_buffer_size`). Linux says
        twice what was set.
        """

    @send_buffer_size.setter
    def send_buffer_size(self, size: int, /) -> None: ...
    @property
    def receive_buffer_size(self) -> int:
        """Bytes of the system's buffer for what comes in (`uv_recv_buffer_size`)."""

    @receive_buffer_size.setter
    def receive_buffer_size(self, size: int, /) -> None: ...

class TTY(Stream):
    """A terminal (`uv_tty_t`)."""

    def __init__(self, loop: Loop, fd: FileDescriptorLike, readable: bool = True) -> None:
        """`fd` is a number or an object with `fileno()`. It stays its owner's: the handle opens the
        terminal anew or, for the master side of a pseudo terminal, which cannot be, has a
        duplicate of it. `readable` has no effect any more; what can be done follows from how the
        fd is open.

        Raises TTYError with UV_EBADF for what is not open, UV_EINVAL for a file or another device.
        """

    def set_mode(self, mode: int) -> None:
        """Has the terminal do with the bytes what `mode` says (`uv_tty_set_mode`): UV_TTY_MODE_NORMAL,
        as it was before; UV_TTY_MODE_RAW or UV_TTY_MODE_RAW_VT, every byte at once and none echoed;
        UV_TTY_MODE_IO, nothing changed in either direction.

        Raises ValueError for another number, TTYError with UV_ENOTTY for what is no terminal.
        """

    def get_winsize(self) -> tuple[int, int]:
        """Columns and rows (`uv_tty_get_winsize`). Raises TTYError with UV_ENOTTY for what is no
        terminal.
        """

    @classmethod
    def reset_mode(cls) -> None:
        """Brings back the mode of the terminal whose mode was changed first, for when the process
        ends (`uv_tty_reset_mode`). Raises TTYError with UV_EBUSY while another thread changes it.
        """

    @classmethod
    def set_vterm_state(cls, state: int) -> None:
        """Says whether the console understands escape sequences, UV_TTY_SUPPORTED or
        UV_TTY_UNSUPPORTED, on Windows; nothing elsewhere (`uv_tty_set_vterm_state`).
        """

    @classmethod
    def get_vterm_state(cls) -> int:
        """Whether the console understands escape sequences (`uv_tty_get_vterm_state`). Raises TTYError
        with UV_ENOTSUP on other systems than Windows.
        """

class Timer(Handle):
    """Calls its callback after a time, once or again and again (`uv_timer_t`)."""

    def __init__(self, loop: Loop) -> None: ...
    def start(self, callback: Callable[[Self], object], timeout: float, repeat: float = 0.0) -> None:
        """Has `callback(timer_handle)` called after `timeout` seconds, then every `repeat`
        seconds unless that is 0 (`uv_timer_start`).

        Times are rounded to milliseconds. One between 0 and 1 ms is taken as 1 ms, with a
        RuntimeWarning. A negative one is a ValueError.
        """

    def stop(self) -> None:
        """Calls it no more (`uv_timer_stop`)."""

    def again(self) -> None:
        """Starts anew with `repeat` as the timeout; stops if that is 0 (`uv_timer_again`).

        Raises TimerError with UV_EINVAL on a timer that was never started.
        """

    @property
    def repeat(self) -> float:
        """Seconds between calls; 0.0 for a timer that goes off once (`uv_timer_get_repeat`)."""

    @repeat.setter
    def repeat(self, seconds: float, /) -> None: ...
    @property
    def due_in(self) -> float:
        """Seconds until the next call; 0.0 if it is overdue or the timer inactive
        (`uv_timer_get_due_in`).
        """

class UDP(Handle):
    """A UDP socket (`uv_udp_t`).

    Addresses are the tuples of the module `socket`: (ip, port), and (ip, port, flowinfo,
    scope_id) for IPv6. A handle that is receiving, or has datagrams to send, is kept alive by
    its loop.
    """

    def __init__(self, loop: Loop, family: int = 0, flags: int = 0) -> None:
        """With a `family`, AF_INET or AF_INET6, there is a socket at once; without, the first
        address that the handle meets decides. With UV_UDP_RECVMMSG in `flags`, several datagrams
        are received with one system call where the platform can do that.
        """

    def open(self, fd: FileDescriptorLike, flags: int = 4) -> None:
        """Takes over a datagram socket (`uv_udp_open_ex`): a number, or an object with `fileno()`.
        It is closed with the handle, so detach it from a `socket.socket`. Of `flags`,
        UV_UDP_REUSEADDR and UV_UDP_REUSEPORT mean anything.

        Raises UDPError with UV_EBUSY if the handle has a socket, UV_EEXIST if the loop has a
        handle for this one, UV_ENOTSOCK for what is no socket, UV_EINVAL for one of another kind.
        """

    def bind(self, address: _Address, flags: int = 0) -> None:
        """Binds to an address and port, 0 for any port (`uv_udp_bind`).

        `flags` are UV_UDP_IPV6ONLY, UV_UDP_REUSEADDR, UV_UDP_REUSEPORT, UV_UDP_LINUX_RECVERR.
        """

    def connect(self, address: _Address) -> None:
        """Has datagrams go to `address` and come from there alone (`uv_udp_connect`); `send` then
        gets None for an address. That nobody receives there is told of from then on, as
        UV_ECONNREFUSED.

        Raises UDPError with UV_EISCONN on a handle that is connected.
        """

    def disconnect(self) -> None:
        """Undoes `connect` (`uv_udp_connect` without an address). Raises UDPError with UV_ENOTCONN
        on a handle that is not connected.
        """

    def getsockname(self) -> _Name:
        """The address it is bound to (`uv_udp_getsockname`)."""

    def getpeername(self) -> _Name:
        """The address it is connected to (`uv_udp_getpeername`)."""

    def fileno(self) -> int:
        """The file descriptor (`uv_fileno`). Raises UDPError with UV_EBADF while there is none."""

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6, as its address is. Raises UDPError with UV_EBADF while there is no
        socket.
        """

    @property
    def using_recvmmsg(self) -> bool:
        """Whether several datagrams are received with one system call (`uv_udp_using_recvmmsg`)."""

    @property
    def send_buffer_size(self) -> int:
        """Bytes of the system's buffer for what goes out (`uv_send_buffer_size`). Linux says
        twice what was set.
        """

    @send_buffer_size.setter
    def send_buffer_size(self, size: int) -> None: ...
    @property
    def receive_buffer_size(self) -> int:
        """Bytes of the system's buffer for what comes in (`uv_recv_buffer_size`)."""

    @receive_buffer_size.setter
    def receive_buffer_size(self, size: int) -> None: ...
    def send(
        self,
        address: _Address | None,
        data: _Data,
        callback: Callable[[Self, int | None], object] | None = None,
    ) -> None:
        """Sends a datagram, a bytes-like object or a sequence of them (`uv_udp_send`): at once if
        that is possible, otherwise when the socket has room. `address` is None on a connected
        handle.

        `callback(udp_handle, error)` is called in a later iteration, when the datagram has gone
        out or failed; with UV_ECANCELED if the handle was closed first. The data stays as it is,
        uncopied, until then. Without a callback, an error that is known at once is raised, and one
        that comes later is that of a datagram lost.

        Raises UDPError with UV_EISCONN where a connected handle gets an address and
        UV_EDESTADDRREQ where another gets none.
        """

    def try_send(self, address: _Address | None, data: _Data) -> int:
        """Sends a datagram if that is possible at once and gives its length (`uv_udp_try_send`).
        Raises UDPError with UV_EAGAIN where it is not.
        """

    def try_send2(self, datagrams: Iterable[tuple[_Address | None, _Data]]) -> int:
        """Sends as many of these datagrams as go out at once, in order, and gives how many that
        were (`uv_udp_try_send2`: up to 20 with one system call). `datagrams` is an iterable of
        (address, data).

        Raises UDPError where the first cannot be sent, as `try_send` does. An error of another is
        met again by whoever tries to send the rest.
        """

    @property
    def send_queue_count(self) -> int:
        """How many datagrams wait to be sent, or for their callback (`uv_udp_get_send_queue_count`)."""

    @property
    def send_queue_size(self) -> int:
        """How many bytes those are (`uv_udp_get_send_queue_size`)."""

    def start_recv(
        self, callback: Callable[[Self, _Name | MaybeNone, int, bytes | MaybeNone, int | None], object]
    ) -> None:
        """Has `callback(udp_handle, address, flags, data, error)` called for each datagram
        (`uv_udp_recv_start`).

        `data` is the datagram and `address` that of its sender; with UV_UDP_PARTIAL in `flags`
        it was longer than `data`. Where something went wrong, `data` is None and `error` a code:
        UV_ECONNREFUSED, say, when a connected handle's peer is not there. The handle goes on
        receiving. With UV_UDP_LINUX_RECVERR in `flags`, `address` is the host that complained.

        A handle without an address is bound to any port of IPv4. Raises UDPError with UV_EALREADY
        if the handle is receiving.
        """

    def stop_recv(self) -> None:
        """Receives no more (`uv_udp_recv_stop`). What arrives waits in the socket. Of a batch that
        UV_UDP_RECVMMSG has fetched, what is behind the datagram of this callback is dropped.
        """

    def set_membership(self, multicast_address: str, membership: int, interface: str | None = None) -> None:
        """Joins a multicast group (`membership` UV_JOIN_GROUP) or leaves it (UV_LEAVE_GROUP)
        (`uv_udp_set_membership`).

        Datagrams come by the interface that has the address `interface`, for IPv6 one with a
        scope ("::%eth0"), or by one that the system chooses. A handle without an address is bound
        to any port.
        """

    def set_source_membership(
        self, multicast_address: str, source_address: str, membership: int, interface: str | None = None
    ) -> None:
        """Joins or leaves a multicast group for what `source_address` sends to it alone
        (`uv_udp_set_source_membership`), otherwise as `set_membership`.
        """

    def set_multicast_interface(self, interface: str | None = None) -> None:
        """Sends multicast datagrams by the interface that has this address, or by one that the
        system chooses (`uv_udp_set_multicast_interface`).
        """

    def set_multicast_loop(self, enable: bool) -> None:
        """Whether multicast datagrams come back to members on this host
        (`uv_udp_set_multicast_loop`); at first they do.
        """

    def set_multicast_ttl(self, ttl: int) -> None:
        """How many routers multicast datagrams may pass, 0 to 255 (`uv_udp_set_multicast_ttl`); 1 at
        first.
        """

    def set_ttl(self, ttl: int) -> None:
        """How many routers datagrams may pass, 1 to 255 (`uv_udp_set_ttl`)."""

    def set_broadcast(self, enable: bool) -> None:
        """Whether datagrams may be sent to a broadcast address (`uv_udp_set_broadcast`); at first
        that is UV_EACCES.
        """

@disjoint_base
class WorkRequest:
    """A function queued to the thread pool (`uv_work_t`)."""

    def cancel(self) -> bool:
        """Cancels the request if no thread has begun it (`uv_cancel`); its done callback then gets
        UV_ECANCELED. Says whether it did.
        """

    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

UV_ASYNC: Final[int]
UV_CHECK: Final[int]
UV_FS_EVENT: Final[int]
UV_FS_POLL: Final[int]
UV_HANDLE: Final[int]
UV_IDLE: Final[int]
UV_NAMED_PIPE: Final[int]
UV_POLL: Final[int]
UV_PREPARE: Final[int]
UV_PROCESS: Final[int]
UV_STREAM: Final[int]
UV_TCP: Final[int]
UV_TIMER: Final[int]
UV_TTY: Final[int]
UV_UDP: Final[int]
UV_SIGNAL: Final[int]
UV_FILE: Final[int]
UV_UNKNOWN_HANDLE: Final[int]
UV_RUN_DEFAULT: Final[int]
UV_RUN_ONCE: Final[int]
UV_RUN_NOWAIT: Final[int]
UV_LOOP_BLOCK_SIGNAL: Final[int]
UV_METRICS_IDLE_TIME: Final[int]
UV_LOOP_USE_IO_URING_SQPOLL: Final[int]
UV_READABLE: Final[int]
UV_WRITABLE: Final[int]
UV_DISCONNECT: Final[int]
UV_PRIORITIZED: Final[int]
UV_TCP_IPV6ONLY: Final[int]
UV_TCP_REUSEPORT: Final[int]
UV_UDP_IPV6ONLY: Final[int]
UV_UDP_PARTIAL: Final[int]
UV_UDP_REUSEADDR: Final[int]
UV_UDP_MMSG_CHUNK: Final[int]
UV_UDP_MMSG_FREE: Final[int]
UV_UDP_LINUX_RECVERR: Final[int]
UV_UDP_REUSEPORT: Final[int]
UV_UDP_RECVMMSG: Final[int]
UV_LEAVE_GROUP: Final[int]
UV_JOIN_GROUP: Final[int]
UV_PIPE_NO_TRUNCATE: Final[int]
UV_TTY_MODE_NORMAL: Final[int]
UV_TTY_MODE_RAW: Final[int]
UV_TTY_MODE_IO: Final[int]
UV_TTY_MODE_RAW_VT: Final[int]
UV_TTY_SUPPORTED: Final[int]
UV_TTY_UNSUPPORTED: Final[int]
UV_IGNORE: Final[int]
UV_CREATE_PIPE: Final[int]
UV_INHERIT_FD: Final[int]
UV_INHERIT_STREAM: Final[int]
UV_READABLE_PIPE: Final[int]
UV_WRITABLE_PIPE: Final[int]
UV_NONBLOCK_PIPE: Final[int]
UV_OVERLAPPED_PIPE: Final[int]
UV_PROCESS_SETUID: Final[int]
UV_PROCESS_SETGID: Final[int]
UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS: Final[int]
UV_PROCESS_DETACHED: Final[int]
UV_PROCESS_WINDOWS_HIDE: Final[int]
UV_PROCESS_WINDOWS_HIDE_CONSOLE: Final[int]
UV_PROCESS_WINDOWS_HIDE_GUI: Final[int]
UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME: Final[int]
UV_CLOCK_MONOTONIC: Final[int]
UV_CLOCK_REALTIME: Final[int]
UV_PRIORITY_LOW: Final[int]
UV_PRIORITY_BELOW_NORMAL: Final[int]
UV_PRIORITY_NORMAL: Final[int]
UV_PRIORITY_ABOVE_NORMAL: Final[int]
UV_PRIORITY_HIGH: Final[int]
UV_PRIORITY_HIGHEST: Final[int]
UV_THREAD_PRIORITY_HIGHEST: Final[int]
UV_THREAD_PRIORITY_ABOVE_NORMAL: Final[int]
UV_THREAD_PRIORITY_NORMAL: Final[int]
UV_THREAD_PRIORITY_BELOW_NORMAL: Final[int]
UV_THREAD_PRIORITY_LOWEST: Final[int]

__all__ = [
    "ARES_VERSION",
    "LIBUV_VERSION",
    "TCP",
    "TTY",
    "UDP",
    "UV_ASYNC",
    "UV_CHECK",
    "UV_CLOCK_MONOTONIC",
    "UV_CLOCK_REALTIME",
    "UV_CREATE_PIPE",
    "UV_DISCONNECT",
    "UV_FILE",
    "UV_FS_EVENT",
    "UV_FS_POLL",
    "UV_HANDLE",
    "UV_IDLE",
    "UV_IGNORE",
    "UV_INHERIT_FD",
    "UV_INHERIT_STREAM",
    "UV_JOIN_GROUP",
    "UV_LEAVE_GROUP",
    "UV_LOOP_BLOCK_SIGNAL",
    "UV_LOOP_USE_IO_URING_SQPOLL",
    "UV_METRICS_IDLE_TIME",
    "UV_NAMED_PIPE",
    "UV_NONBLOCK_PIPE",
    "UV_OVERLAPPED_PIPE",
    "UV_PIPE_NO_TRUNCATE",
    "UV_POLL",
    "UV_PREPARE",
    "UV_PRIORITIZED",
    "UV_PRIORITY_ABOVE_NORMAL",
    "UV_PRIORITY_BELOW_NORMAL",
    "UV_PRIORITY_HIGH",
    "UV_PRIORITY_HIGHEST",
    "UV_PRIORITY_LOW",
    "UV_PRIORITY_NORMAL",
    "UV_PROCESS",
    "UV_PROCESS_DETACHED",
    "UV_PROCESS_SETGID",
    "UV_PROCESS_SETUID",
    "UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME",
    "UV_PROCESS_WINDOWS_HIDE",
    "UV_PROCESS_WINDOWS_HIDE_CONSOLE",
    "UV_PROCESS_WINDOWS_HIDE_GUI",
    "UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS",
    "UV_READABLE",
    "UV_READABLE_PIPE",
    "UV_RUN_DEFAULT",
    "UV_RUN_NOWAIT",
    "UV_RUN_ONCE",
    "UV_SIGNAL",
    "UV_STREAM",
    "UV_TCP",
    "UV_TCP_IPV6ONLY",
    "UV_TCP_REUSEPORT",
    "UV_THREAD_PRIORITY_ABOVE_NORMAL",
    "UV_THREAD_PRIORITY_BELOW_NORMAL",
    "UV_THREAD_PRIORITY_HIGHEST",
    "UV_THREAD_PRIORITY_LOWEST",
    "UV_THREAD_PRIORITY_NORMAL",
    "UV_TIMER",
    "UV_TTY",
    "UV_TTY_MODE_IO",
    "UV_TTY_MODE_NORMAL",
    "UV_TTY_MODE_RAW",
    "UV_TTY_MODE_RAW_VT",
    "UV_TTY_SUPPORTED",
    "UV_TTY_UNSUPPORTED",
    "UV_UDP",
    "UV_UDP_IPV6ONLY",
    "UV_UDP_LINUX_RECVERR",
    "UV_UDP_MMSG_CHUNK",
    "UV_UDP_MMSG_FREE",
    "UV_UDP_PARTIAL",
    "UV_UDP_RECVMMSG",
    "UV_UDP_REUSEADDR",
    "UV_UDP_REUSEPORT",
    "UV_UNKNOWN_HANDLE",
    "UV_WRITABLE",
    "UV_WRITABLE_PIPE",
    "Async",
    "Check",
    "Handle",
    "Idle",
    "Loop",
    "LoopMetrics",
    "Pipe",
    "Poll",
    "Prepare",
    "Process",
    "Signal",
    "StdIO",
    "Stream",
    "Timer",
    "WorkRequest",
    "__version__",
    "dns",
    "errno",
    "error",
    "fs",
    "thread",
    "util",
]
