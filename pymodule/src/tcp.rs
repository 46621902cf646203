//! `pyuv.TCP`.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyuv::{BindFlags, ConnectOptions};

use crate::address;
use crate::buffer_size::buffer_size_methods;
use crate::call::optional_callable;
use crate::destination::{Destination, failures_to_py};
use crate::error::{TCPError, in_call};
use crate::handle::Handle;
use crate::r#loop::Loop;
use crate::poll::descriptor;
use crate::seconds::duration;
use crate::stream::{Stream, stream_class};

stream_class! {
    /// A TCP connection or listener (`uv_tcp_t`).
    ///
    /// Addresses are `(ip, port)`, with `flowinfo` and `scope_id` behind them for IPv6. The IP
    /// address is in numbers; `""` is every IPv4 address. `connect` takes the names of hosts as well.
    TCP: "(loop, family=0)"
}

impl TCP {
    fn with<T>(
        slf: &Bound<'_, Self>,
        call: &'static str,
        f: impl FnOnce(&pyuv::TCP) -> pyuv::Result<T>,
    ) -> PyResult<T> {
        let handle: &Bound<'_, Handle> = slf.as_super().as_super();
        f(handle.get().core_as::<pyuv::TCP>()?).map_err(in_call::<TCPError>(call))
    }
}

buffer_size_methods!(TCP, TCPError);

#[pymethods]
impl TCP {
    /// With a `family`, AF_INET or AF_INET6, the socket is made at once; otherwise when it is
    /// bound or connected (`uv_tcp_init_ex`). Raises TCPError with UV_EINVAL for another family.
    #[pyo3(signature = (r#loop, family=0))]
    fn __init__(slf: &Bound<'_, Self>, r#loop: &Bound<'_, Loop>, family: i32) -> PyResult<()> {
        Handle::init(slf.as_super().as_super(), r#loop, |core| {
            pyuv::TCP::with_family(core, family).map_err(in_call::<TCPError>("TCP"))
        })
    }

    /// Takes a socket that somebody else opened, a number or an object with `fileno()`, and makes it
    /// non-blocking (`uv_tcp_open`). It is closed with the handle: use `socket.detach()`.
    ///
    /// Raises TCPError with UV_EBADF for what is not open, UV_EINVAL for what is no stream socket
    /// of IPv4 or IPv6, UV_EEXIST for one that another handle of this loop has, UV_EBUSY on a
    /// handle that has a socket.
    fn open(slf: &Bound<'_, Self>, fd: &Bound<'_, PyAny>) -> PyResult<()> {
        let fd = descriptor(fd)?;
        TCP::with(slf, "open", |core| core.open(fd))
    }

    /// Gives the socket an address (`uv_tcp_bind`); port 0 has the system choose one. `flags` are
    /// UV_TCP_IPV6ONLY and UV_TCP_REUSEPORT.
    ///
    /// Raises TCPError with UV_EADDRNOTAVAIL, UV_EACCES, or UV_EINVAL for a socket that has an
    /// address. One that is in use is reported by the `listen` or `connect` that follows.
    #[pyo3(signature = (address, flags=0))]
    fn bind(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>, flags: u32) -> PyResult<()> {
        let address = address::from_py(address)?;
        let flags = BindFlags::from_bits(flags).ok_or_else(|| {
            PyValueError::new_err(format!(
                "flags must be UV_TCP_IPV6ONLY, UV_TCP_REUSEPORT or both, not {flags}"
            ))
        })?;
        TCP::with(slf, "bind", |core| core.bind(address, flags))
    }

    /// Connects (`uv_tcp_connect`). `callback(handle, error)` is called when it has, with None,
    /// or cannot, with a code: UV_ECONNREFUSED, UV_ETIMEDOUT. Writes wait for it.
    ///
    /// In place of the IP address there may be the name of a host, which the thread pool looks up
    /// (`uv_getaddrinfo`), and in place of `address` a list of addresses. Then all of them are tried
    /// (RFC 8305): the next one when the one before it has failed or has not answered for `delay`
    /// seconds. `error` is what the last one failed with, or a UV_EAI code; `connect_failures` tells
    /// of each. `timeout`, in seconds, is for all of it: then `error` is UV_ETIMEDOUT, and the handle
    /// may connect again.
    ///
    /// Raises TCPError with UV_EALREADY while a connect is in flight; ValueError for what cannot be
    /// a host.
    #[pyo3(signature = (address, callback, *, timeout=None, delay=0.25))]
    fn connect(
        slf: &Bound<'_, Self>,
        address: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        timeout: Option<f64>,
        delay: f64,
    ) -> PyResult<()> {
        let destination = Destination::from_py(address)?;
        let timeout = timeout.map(|timeout| duration("timeout", timeout)).transpose()?;
        let options = ConnectOptions { delay: duration("delay", delay)?, timeout };
        let handle: &Bound<'_, Handle> = slf.as_super().as_super();
        let core = handle.get().core_as::<pyuv::TCP>()?;
        let mut refused = None;
        let connected = Stream::connect_with(slf.as_super(), callback, |done| {
            destination.connect(core, options, done, &mut refused)
        });
        refused.map_or(connected, Err)
    }

    /// Which addresses the last `connect` to several failed with, as `(address, code)` in the order
    /// of the failures; of one that succeeded those before it.
    #[getter]
    fn connect_failures<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let failures = TCP::with(slf, "connect_failures", pyuv::TCP::connect_failures)?;
        failures_to_py(slf.py(), failures)
    }

    /// Has `callback(handle, error)` called when a connection has come in (`uv_listen`); it is for
    /// `accept` then. `backlog` is how many connections the system keeps waiting. On a listener
    /// this replaces the callback.
    ///
    /// Raises TCPError with UV_EADDRINUSE, or UV_EINVAL on a connection.
    #[pyo3(signature = (callback, backlog=511))]
    fn listen(slf: &Bound<'_, Self>, callback: Bound<'_, PyAny>, backlog: i32) -> PyResult<()> {
        Stream::listen_with(slf.as_super(), callback, backlog)
    }

    /// Makes `client`, a new TCP handle, the connection that came in (`uv_accept`). Raises
    /// TCPError with UV_EAGAIN where none waits, UV_EINVAL for a client in use; TypeError for what
    /// is no TCP handle.
    fn accept(slf: &Bound<'_, Self>, client: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(client) = client.cast::<TCP>() else {
            let given = client.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!("a TCP handle is required, not {given}")));
        };
        let client: &Bound<'_, Handle> = client.as_super().as_super();
        let client = client.get().core()?;
        TCP::with(slf, "accept", |core| core.accept(client))
    }

    /// The socket's own address (`uv_tcp_getsockname`). Raises TCPError with UV_EBADF before
    /// there is a socket.
    fn getsockname<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        address::to_py(slf.py(), TCP::with(slf, "getsockname", pyuv::TCP::getsockname)?)
    }

    /// The peer's address (`uv_tcp_getpeername`). Raises TCPError with UV_ENOTCONN without one.
    fn getpeername<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        address::to_py(slf.py(), TCP::with(slf, "getpeername", pyuv::TCP::getpeername)?)
    }

    /// The socket's address family, AF_INET or AF_INET6.
    #[getter]
    fn family(slf: &Bound<'_, Self>) -> PyResult<i32> {
        let address = TCP::with(slf, "family", pyuv::TCP::getsockname)?;
        Ok(if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 })
    }

    /// Sends small writes at once instead of gathering them, or not (`uv_tcp_nodelay`).
    fn nodelay(slf: &Bound<'_, Self>, enable: bool) -> PyResult<()> {
        TCP::with(slf, "nodelay", |core| core.nodelay(enable))
    }

    /// Has the system probe a connection that was silent for `delay` seconds, or not
    /// (`uv_tcp_keepalive`). A delay set before there is a socket is lost.
    #[pyo3(signature = (enable, delay=60))]
    fn keepalive(slf: &Bound<'_, Self>, enable: bool, delay: u32) -> PyResult<()> {
        let idle = Duration::from_secs(delay.into());
        TCP::with(slf, "keepalive", |core| core.keepalive(enable.then_some(idle)))
    }

    /// `keepalive` with the seconds between probes and how many may go unanswered
    /// (`uv_tcp_keepalive_ex`). Raises TCPError with UV_EINVAL for numbers below 1.
    #[pyo3(signature = (enable, idle=60, interval=1, count=10))]
    fn keepalive_ex(
        slf: &Bound<'_, Self>,
        enable: bool,
        idle: u32,
        interval: u32,
        count: u32,
    ) -> PyResult<()> {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let probes = (seconds(idle), seconds(interval), count);
        TCP::with(slf, "keepalive_ex", |core| core.keepalive_ex(enable.then_some(probes)))
    }

    /// Accepts several connections at a time, on Windows (`uv_tcp_simultaneous_accepts`).
    fn simultaneous_accepts(slf: &Bound<'_, Self>, enable: bool) -> PyResult<()> {
        TCP::with(slf, "simultaneous_accepts", |core| core.simultaneous_accepts(enable))
    }

    /// Closes the handle with a reset of the connection (`uv_tcp_close_reset`): what is queued is
    /// thrown away, and the port is free at once. `callback(handle)` is called in a later
    /// iteration.
    ///
    /// Raises TCPError with UV_EINVAL while a shutdown is in flight, UV_EBADF without a socket;
    /// the handle stays open then.
    #[pyo3(signature = (callback=None))]
    fn close_reset(slf: &Bound<'_, Self>, callback: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let callback = optional_callable(callback)?;
        let base: &Bound<'_, Handle> = slf.as_super().as_super();
        Handle::close_by(base, callback, |on_closed| {
            TCP::with(slf, "close_reset", |core| core.close_reset(on_closed))
        })
    }
}
