"""The event loop: asyncio's own methods for what is rare, Rust for what is hot."""

# The stubs of asyncio do not have what it keeps to itself, and a subclass needs.
# mypy: ignore-errors

import asyncio
import selectors
import ssl
import sys
import threading
from asyncio import base_events, events, format_helpers
from collections.abc import Callable
from contextvars import Context
from socket import AF_INET, AF_INET6, AF_UNIX, socket
from typing import Any

from .. import Loop
from ._datagrams import DatagramTransport
from ._handles import Handle, ThreadSafeHandle, TimerHandle
from ._metrics import Lag, Metrics
from ._scheduler import Scheduler
from ._slow import SlowCallback, Watchdog
from ._tls import SSLTransport
from ._transports import SocketTransport

# The families whose sockets the core's streams take.
_STREAMS = (AF_INET, AF_INET6, AF_UNIX)

# Tests put something else under this name.
_SelectorEventLoop = asyncio.SelectorEventLoop


class _NoSelector(selectors.BaseSelector):
    """In the place of the selector that asyncio would have: the loop below watches descriptors."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        raise NotImplementedError("pyuv.asyncio has no selector")

    def unregister(self, fileobj: Any) -> Any:
        raise NotImplementedError("pyuv.asyncio has no selector")

    def select(self, timeout: float | None = None) -> Any:
        raise NotImplementedError("pyuv.asyncio has no selector")

    def get_map(self) -> Any:
        return {}


class _SignalPipe:
    """In the place of asyncio's pipe to itself: the loop below has an end that signals are written to."""

    def __init__(self, event_loop: "EventLoop") -> None:
        self._event_loop = event_loop

    def fileno(self) -> int:
        """The number for ``signal.set_wakeup_fd``. ValueError in another thread than the main one."""
        return self._event_loop._listen_for_signals(self._event_loop._process_self_data)


def _fileno(fileobj: Any) -> int:
    """The number of what has one, or is one."""
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())


class EventLoop(Scheduler, _SelectorEventLoop):
    """An asyncio event loop (PEP 3156) on a :class:`pyuv.Loop`.

    It is a subclass of asyncio's, and has what that has. Callbacks wait in a queue of Rust, timers in a
    heap, and libuv waits for everything else. The queue runs between libuv's iterations, and
    descriptors are polled after at most 8 rounds of it or 0.1 ms.

    With ``resolver="c-ares"``, ``getaddrinfo`` and ``getnameinfo`` of the loop, and so whatever connects to a
    name, ask by the loop's resolver (:func:`pyuv.asyncio.dns.get_resolver`), without a thread. By default
    they ask the system, in the default executor, as asyncio does.
    """

    # What asyncio's classes give a loop. As long as nothing is in a dict, CPython 3.13 finds methods without
    # looking there first.
    __slots__ = (
        "_asyncgens",
        "_asyncgens_shutdown_called",
        "_clock_resolution",
        "_closed",
        "_coroutine_origin_tracking_enabled",
        "_coroutine_origin_tracking_saved_depth",
        "_csock",
        "_current_handle",
        "_debug",
        "_default_executor",
        "_exception_handler",
        "_executor_shutdown_called",
        "_internal_fds",
        "_lookups",
        "_old_agen_hooks",
        "_ready",
        "_resolver",
        "_scheduled",
        "_selector",
        "_signal_handlers",
        "_stopping",
        "_task_factory",
        "_thread_id",
        "_timer_cancelled_count",
        "_transports",
        "_unix_server_sockets",
        "_watchdog",
        "_watcher",
        "slow_callback_duration",
        "uv",
    )

    # What is awaited raises in a task that is cancelled.
    _checkpoint = None

    def __init__(self, *, resolver: str | None = None) -> None:
        if resolver not in (None, "c-ares"):
            # For __del__.
            self._closed = True
            raise ValueError(f'resolver is None or "c-ares", not {resolver!r}')
        #: The :class:`pyuv.Loop` below: handles, channels and file requests that are made on it live on the
        #: very same loop, and exceptions of their callbacks go to the exception handler.
        self.uv = Loop()
        self._open(self.uv)
        self.uv.excepthook = self._on_uv_exception
        # Who looks for callbacks that are slow.
        self._watchdog: Watchdog | None = None
        # What pyuv.asyncio.dns asks by, once it is asked.
        self._resolver: Any = None
        # The module whose functions look up names, where that is not asyncio.
        self._lookups: Any = None
        if resolver is not None:
            from .._awaited.dns import addrinfo

            # By it the functions find this loop.
            from . import _host as _host

            self._lookups = addrinfo
        _SelectorEventLoop.__init__(self, _NoSelector())

    # Running

    def run_forever(self) -> None:
        """Runs until :meth:`stop`."""
        self._check_closed()
        self._check_running()
        self._set_coroutine_origin_tracking(self._debug)
        hooks = sys.get_asyncgen_hooks()
        try:
            self._thread_id = threading.get_ident()
            sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
            events._set_running_loop(self)
            self._run()
        finally:
            self._thread_id = None
            events._set_running_loop(None)
            self._set_coroutine_origin_tracking(False)
            sys.set_asyncgen_hooks(*hooks)

    def set_debug(self, enabled: bool) -> None:
        """Switches asyncio's debug mode on or off."""
        self._set_debug(bool(enabled))
        super().set_debug(enabled)

    def close(self) -> None:
        """Closes the event loop and the loop below, with every handle on it."""
        if self.is_closed():
            return
        if not self.is_running():
            self._listen_for_signals(None)
        super().close()
        self._resolver = None
        self.slow_callback_hook = None
        self._shut()
        self.uv.close(handles=True)
        if self.uv.excepthook == self._on_uv_exception:
            # Nothing is called any more, and a cycle would wait for the collector.
            self.uv.excepthook = None

    # Seen from outside

    def metrics(self) -> Metrics:
        """What the loop has done so far, for how long it was busy, and how long callbacks had to wait.

        Any thread may call it. Times are measured from the turn after the first call on.
        """
        counts = self._metrics()
        executor = self._default_executor
        lag = Lag(counts.pop("lag"), counts.pop("busy"))
        lost = counts.pop("connections_lost")
        return Metrics(
            time=self.time(),
            lag=lag,
            connections=counts["connections_made"] - lost,
            executor_threads=len(getattr(executor, "_threads", ())),
            executor_queue=executor._work_queue.qsize() if hasattr(executor, "_work_queue") else 0,
            **counts,
        )

    @property
    def slow_callback_hook(self) -> Callable[[SlowCallback], object] | None:
        """Called, in the loop, with a :class:`SlowCallback` after a callback or a step of a task has kept it
        for ``slow_callback_duration`` seconds or longer. None, as at the beginning, has nobody look.

        A thread looks at the loop eight times in that duration, and what runs is no slower for it.
        """
        return None if self._watchdog is None else self._watchdog.hook

    @slow_callback_hook.setter
    def slow_callback_hook(self, hook: Callable[[SlowCallback], object] | None) -> None:
        if hook is not None and not callable(hook):
            raise TypeError(f"a hook is callable or None, not {hook!r}")
        if hook is not None:
            self._check_closed()
        if self._watchdog is not None:
            self._watchdog.end()
        runner = EventLoop.run_forever.__code__
        self._watchdog = None if hook is None else Watchdog(self, hook, runner)

    # What Rust asks of Python, seldom

    def _debug_handle(
        self, name: str, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.Handle:
        make = Handle
        if name != "call_soon_threadsafe":
            self._check_thread()
        elif ThreadSafeHandle is not None:
            make = ThreadSafeHandle
        self._check_callback(callback, name)
        handle = make(callback, args, self, context)
        if handle._source_traceback:
            # This frame, and that of a constructor in between.
            del handle._source_traceback[-1 if make is Handle else -2 :]
        return handle

    def _debug_timer(
        self,
        name: str,
        when: float,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        self._check_thread()
        self._check_callback(callback, name)
        timer = TimerHandle(when, callback, args, self, context)
        if timer._source_traceback:
            del timer._source_traceback[-1]
        timer._scheduled = True
        return timer

    def _run_in_debug(self, handle: asyncio.Handle) -> None:
        try:
            self._current_handle = handle
            begin = self.time()
            handle._run()
            duration = self.time() - begin
            if duration >= self.slow_callback_duration:
                base_events.logger.warning(
                    "Executing %s took %.3f seconds", base_events._format_handle(handle), duration
                )
        finally:
            self._current_handle = None
            # An exception that the callback caught and somebody keeps has this frame, by way of its own.
            del handle

    def _report(self, handle: asyncio.Handle, exception: BaseException) -> None:
        callback = format_helpers._format_callback_source(handle._callback, handle._args)
        context: dict[str, Any] = {
            "message": f"Exception in callback {callback}",
            "exception": exception,
            "handle": handle,
        }
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)

    def _on_uv_exception(
        self, kind: type[BaseException], value: BaseException, traceback: Any, handle: Any
    ) -> None:
        self.call_exception_handler(
            {"message": f"Exception in a callback of {handle!r}", "exception": value, "uv_handle": handle}
        )

    # For what is awaited on any host

    def _start(self, coroutine: Any, ended: Callable[[], object]) -> Callable[[], object]:
        task = self.create_task(coroutine)
        task.add_done_callback(lambda _: ended())
        return task.cancel

    async def _finish(self, coroutine: Any) -> None:
        await asyncio.shield(self.create_task(coroutine))

    # What asyncio's selector loop has a pipe of its own for

    def _make_self_pipe(self) -> None:
        self._internal_fds += 1
        self._csock = _SignalPipe(self)

    def _close_self_pipe(self) -> None:
        self._internal_fds -= 1
        self._csock = None

    # Transports

    def _ensure_fd_no_transport(self, fd: Any) -> None:
        try:
            number = _fileno(fd)
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f"Invalid file object: {fd!r}") from None
        transport = None if self.is_closed() else self._has_transport(number)
        if transport is not None:
            raise RuntimeError(f"File descriptor {fd!r} is used by transport {transport!r}")
        super()._ensure_fd_no_transport(fd)

    def _make_socket_transport(
        self,
        sock: socket,
        protocol: Any,
        waiter: Any = None,
        *,
        extra: Any = None,
        server: Any = None,
        **context: Any,
    ) -> Any:
        if sock.family not in _STREAMS:
            return super()._make_socket_transport(
                sock, protocol, waiter, extra=extra, server=server, **context
            )
        self._ensure_fd_no_transport(sock)
        return SocketTransport(self, sock, protocol, waiter, extra, server, **context)

    def _make_ssl_transport(
        self,
        rawsock: socket,
        protocol: Any,
        sslcontext: Any,
        waiter: Any = None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        extra: Any = None,
        server: Any = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        **context: Any,
    ) -> Any:
        transport = SSLTransport(
            self,
            protocol,
            sslcontext,
            waiter,
            server_side=server_side,
            server_hostname=server_hostname,
            handshake_timeout=ssl_handshake_timeout,
            shutdown_timeout=ssl_shutdown_timeout,
        )
        self._make_socket_transport(rawsock, transport._core, extra=extra, server=server, **context)
        return transport

    async def start_tls(
        self,
        transport: Any,
        protocol: Any,
        sslcontext: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> Any:
        """Has TLS on a connected transport, whose protocol writes to what is returned from then on."""
        if not isinstance(sslcontext, ssl.SSLContext):
            raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {sslcontext!r}")
        if not getattr(transport, "_start_tls_compatible", False):
            raise TypeError(f"transport {transport!r} is not supported by start_tls()")
        waiter = self.create_future()
        ends = transport.is_closing()
        above = SSLTransport(
            self,
            protocol,
            sslcontext,
            waiter,
            server_side=server_side,
            server_hostname=server_hostname,
            handshake_timeout=ssl_handshake_timeout,
            shutdown_timeout=ssl_shutdown_timeout,
            made=True,
        )
        # What comes from now on is for TLS, and so is what a stream has read too far.
        transport.pause_reading()
        reader = getattr(protocol, "_stream_reader", None)
        if server_side and reader is not None and reader._buffer:
            above._core.data_received(bytes(reader._buffer))
            reader._buffer.clear()
        transport.set_protocol(above._core)
        begins = self.call_soon(above._core.connection_made, transport)
        reads = self.call_soon(transport.resume_reading)
        try:
            await waiter
        except BaseException as error:
            transport.close()
            begins.cancel()
            reads.cancel()
            if ends and isinstance(error, ConnectionAbortedError):
                # What asyncio's gives for a transport that was being closed, and aiohttp looks for.
                return None
            raise
        finally:
            # It may have the exception, which has this frame.
            del waiter
        return above

    def _make_datagram_transport(
        self, sock: socket, protocol: Any, address: Any = None, waiter: Any = None, extra: Any = None
    ) -> Any:
        self._ensure_fd_no_transport(sock)
        return DatagramTransport(self, sock, protocol, address, waiter, extra)

    async def _sendfile_native(self, transp: Any, file: Any, offset: int, count: int | None) -> int:
        if not isinstance(transp, SocketTransport):
            return await super()._sendfile_native(transp, file, offset, count)
        reads = transp.is_reading()
        transp.pause_reading()
        await transp._make_empty_waiter()
        try:
            return await self.sock_sendfile(transp._sock, file, offset, count, fallback=False)
        finally:
            transp._reset_empty_waiter()
            if reads:
                transp.resume_reading()

    # Names

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """The addresses of a host, as ``socket.getaddrinfo`` gives them."""
        if self._lookups is None:
            return await super().getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)
        return await self._lookups.getaddrinfo(
            self._lookups.get_resolver(), host, port, family, type, proto, flags
        )

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        """The names of a host and of a port, as ``socket.getnameinfo`` gives them."""
        if self._lookups is None:
            return await super().getnameinfo(sockaddr, flags)
        return await self._lookups.getnameinfo(self._lookups.get_resolver(), sockaddr, flags)

    # Signals

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:
        """Has ``callback(*args)`` called by the loop when the signal comes. For the main thread."""
        try:
            super().add_signal_handler(sig, callback, *args)
        finally:
            # It was refused, maybe, after the wakeup fd was set.
            if not self._signal_handlers and not self.is_closed():
                self._listen_for_signals(None)

    def remove_signal_handler(self, sig: int) -> bool:
        """Gives the signal its default meaning back. Returns whether there was a handler."""
        removed = super().remove_signal_handler(sig)
        if not self._signal_handlers and not self.is_closed():
            self._listen_for_signals(None)
        return removed
