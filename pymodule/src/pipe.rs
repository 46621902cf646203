//! `pyuv.Pipe`.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyuv::Events;

use crate::buffer::pieces;
use crate::buffer_size::buffer_size_methods;
use crate::error::{PipeError, in_call, with_filename};
use crate::fs::path::{PathArgument, name_to_py};
use crate::handle::Handle;
use crate::r#loop::Loop;
use crate::poll::descriptor;
use crate::stream::{Stream, stream_class};

stream_class! {
    /// A Unix domain socket, a FIFO or an end of a pipe; on Windows a named pipe (`uv_pipe_t`).
    ///
    /// Names are str, bytes or path-like. On Linux one that begins with a NUL is in the abstract
    /// namespace, not in the file system.
    Pipe: "(loop, ipc=False)"
}

impl Pipe {
    fn core<'a>(slf: &'a Bound<'_, Self>) -> PyResult<&'a pyuv::Pipe> {
        let handle: &Bound<'_, Handle> = slf.as_super().as_super();
        handle.get().core_as::<pyuv::Pipe>()
    }

    fn with<T>(
        slf: &Bound<'_, Self>,
        call: &'static str,
        f: impl FnOnce(&pyuv::Pipe) -> pyuv::Result<T>,
    ) -> PyResult<T> {
        f(Pipe::core(slf)?).map_err(in_call::<PipeError>(call))
    }
}

/// Whether `flags` of `bind2` and `connect2` have names cut short.
fn truncates(flags: u32) -> PyResult<bool> {
    #[allow(clippy::unnecessary_cast)]
    const NO_TRUNCATE: u32 = libuv_sys2::UV_PIPE_NO_TRUNCATE as u32;
    match flags {
        0 => Ok(true),
        NO_TRUNCATE => Ok(false),
        _ => Err(PyValueError::new_err(format!(
            "flags must be UV_PIPE_NO_TRUNCATE or 0, not {flags}"
        ))),
    }
}

/// A handle to be sent or received.
fn passable(handle: &Bound<'_, PyAny>) -> PyResult<pyuv::Handle> {
    let given = || PyResult::Ok(handle.get_type().qualname()?.to_string());
    let Ok(handle) = handle.cast::<Handle>() else {
        return Err(PyTypeError::new_err(format!("a handle is required, not {}", given()?)));
    };
    let core = handle.get().core()?;
    if !matches!(core.handle_type().name(), "TCP" | "Pipe" | "UDP") {
        let message = format!("a TCP, Pipe or UDP handle is required, not {}", given()?);
        return Err(PyTypeError::new_err(message));
    }
    Ok(core.clone())
}

buffer_size_methods!(Pipe, PipeError);

#[pymethods]
impl Pipe {
    /// With `ipc`, handles can be sent over the pipe.
    #[pyo3(signature = (r#loop, ipc=false))]
    fn __init__(slf: &Bound<'_, Self>, r#loop: &Bound<'_, Loop>, ipc: bool) -> PyResult<()> {
        Handle::init(slf.as_super().as_super(), r#loop, |core| {
            pyuv::Pipe::new(core, ipc).map_err(in_call::<PipeError>("Pipe"))
        })
    }

    /// Whether handles can be sent over the pipe.
    #[getter]
    fn ipc(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(Pipe::core(slf)?.is_ipc())
    }

    /// Takes a Unix domain socket, a FIFO, an end of a pipe or a terminal that somebody else opened,
    /// a number or an object with `fileno()`, and makes it non-blocking (`uv_pipe_open`). It is
    /// closed with the handle, unless it is one of 0, 1 and 2.
    ///
    /// Raises PipeError with UV_EBADF for what is not open, UV_EINVAL for another type of file,
    /// UV_EEXIST for one that another handle of this loop has, UV_EBUSY on a handle that has one.
    fn open(slf: &Bound<'_, Self>, fd: &Bound<'_, PyAny>) -> PyResult<()> {
        let fd = descriptor(fd)?;
        Pipe::with(slf, "open", |core| core.open(fd))
    }

    /// Gives the socket a name (`uv_pipe_bind2`); on Linux `""` has the system choose an abstract
    /// one. The file of that name is removed when the handle is closed.
    ///
    /// Raises PipeError with UV_EADDRINUSE; UV_EACCES, also where the folder is missing; UV_EINVAL
    /// for a name too long for the system, or a handle that has a file descriptor.
    fn bind(slf: &Bound<'_, Self>, name: PathArgument<'_>) -> PyResult<()> {
        Pipe::with(slf, "bind", |core| core.bind(name.as_bytes(), false))
            .map_err(|error| with_filename(error, name.given()))
    }

    /// `bind` that cuts a name short where it is too long for the system, unless `flags` is
    /// UV_PIPE_NO_TRUNCATE (`uv_pipe_bind2`).
    #[pyo3(signature = (name, flags=0))]
    fn bind2(slf: &Bound<'_, Self>, name: PathArgument<'_>, flags: u32) -> PyResult<()> {
        let truncate = truncates(flags)?;
        Pipe::with(slf, "bind2", |core| core.bind(name.as_bytes(), truncate))
            .map_err(|error| with_filename(error, name.given()))
    }

    /// Connects to the socket of this name (`uv_pipe_connect2`). `callback(handle, error)` is
    /// called when it has, with None, or cannot, with a code: UV_ENOENT, UV_ECONNREFUSED.
    ///
    /// Raises PipeError with UV_EINVAL for a name that is empty or too long for the system,
    /// UV_EALREADY while a connect is in flight.
    fn connect(
        slf: &Bound<'_, Self>,
        name: PathArgument<'_>,
        callback: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let core = Pipe::core(slf)?;
        Stream::connect_with(slf.as_super(), callback, |done| {
            core.connect(name.as_bytes(), false, done)
        })
        .map_err(|error| with_filename(error, name.given()))
    }

    /// `connect` that cuts a name short where it is too long for the system, unless `flags` is
    /// UV_PIPE_NO_TRUNCATE (`uv_pipe_connect2`).
    #[pyo3(signature = (name, callback, flags=0))]
    fn connect2(
        slf: &Bound<'_, Self>,
        name: PathArgument<'_>,
        callback: Bound<'_, PyAny>,
        flags: u32,
    ) -> PyResult<()> {
        let truncate = truncates(flags)?;
        let core = Pipe::core(slf)?;
        Stream::connect_with(slf.as_super(), callback, |done| {
            core.connect(name.as_bytes(), truncate, done)
        })
        .map_err(|error| with_filename(error, name.given()))
    }

    /// Has `callback(handle, error)` called when a connection has come in (`uv_listen`); it is for
    /// `accept` then. `backlog` is how many connections the system keeps waiting. On a listener
    /// this replaces the callback.
    ///
    /// Raises PipeError with UV_EINVAL before `bind`, on a connection, and on a pipe for handles.
    #[pyo3(signature = (callback, backlog=511))]
    fn listen(slf: &Bound<'_, Self>, callback: Bound<'_, PyAny>, backlog: i32) -> PyResult<()> {
        Stream::listen_with(slf.as_super(), callback, backlog)
    }

    /// Makes `client`, a new handle, the connection that came in, or the handle that this pipe
    /// received (`uv_accept`): a Pipe, or what `pending_handle_type` says.
    ///
    /// Raises PipeError with UV_EAGAIN where none waits, UV_EINVAL for a client in use or of
    /// another type than what came in; TypeError for what is no TCP, Pipe or UDP handle.
    fn accept(slf: &Bound<'_, Self>, client: &Bound<'_, PyAny>) -> PyResult<()> {
        let client = passable(client)?;
        Pipe::with(slf, "accept", |core| core.accept(&client))
    }

    /// Writes as `Stream.write` does, and with the first byte sends `handle`, a TCP, Pipe or UDP
    /// handle, to the process at the other end (`uv_write2`). It stays open here.
    ///
    /// Raises PipeError with UV_EINVAL on a pipe that is not for handles, for empty data, or a
    /// handle on another loop; UV_EBADF for a handle without file descriptor.
    #[pyo3(signature = (data, callback=None, handle=None))]
    fn write(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        callback: Option<Bound<'_, PyAny>>,
        handle: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let handle = handle.map(|handle| passable(&handle)).transpose()?;
        Stream::write_with(slf.as_super(), data, callback, handle.as_ref())
    }

    /// `try_write` that sends `handle` along (`uv_try_write2`).
    fn try_write2(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        handle: &Bound<'_, PyAny>,
    ) -> PyResult<usize> {
        let data = pieces(data)?;
        let handle = passable(handle)?;
        Pipe::with(slf, "try_write2", |core| core.try_write2(&data, &handle))
    }

    /// How many connections can wait at a time, on Windows (`uv_pipe_pending_instances`).
    fn pending_instances(slf: &Bound<'_, Self>, count: i32) -> PyResult<()> {
        Pipe::with(slf, "pending_instances", |core| core.pending_instances(count))
    }

    /// How many handles have been received and wait for `accept` (`uv_pipe_pending_count`).
    fn pending_count(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Pipe::with(slf, "pending_count", pyuv::Pipe::pending_count)
    }

    /// What the next received handle is: UV_TCP, UV_NAMED_PIPE, UV_UDP; UV_UNKNOWN_HANDLE, which
    /// is 0, where none waits (`uv_pipe_pending_type`).
    fn pending_handle_type(slf: &Bound<'_, Self>) -> PyResult<u32> {
        Ok(Pipe::with(slf, "pending_handle_type", pyuv::Pipe::pending_type)?.as_raw())
    }

    /// The socket's own name, `""` if it has none (`uv_pipe_getsockname`). Raises PipeError with
    /// UV_EBADF before there is a socket.
    fn getsockname<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        name_to_py(slf.py(), &Pipe::with(slf, "getsockname", pyuv::Pipe::getsockname)?, false)
    }

    /// The peer's name, `""` if it has none (`uv_pipe_getpeername`). Raises PipeError with
    /// UV_ENOTCONN without a peer.
    fn getpeername<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        name_to_py(slf.py(), &Pipe::with(slf, "getpeername", pyuv::Pipe::getpeername)?, false)
    }

    /// Lets every user connect who may read or write the socket's file (`uv_pipe_chmod`): `mode`
    /// is UV_READABLE, UV_WRITABLE or both. Raises PipeError with UV_EBADF before `bind`,
    /// UV_ENOTSOCK for what is no socket.
    fn chmod(slf: &Bound<'_, Self>, mode: i32) -> PyResult<()> {
        let both = Events::READABLE | Events::WRITABLE;
        let events = Events::from_bits(mode)
            .filter(|events| !events.is_empty() && both.contains(*events))
            .ok_or_else(|| {
                PyValueError::new_err(format!(
                    "mode must be UV_READABLE, UV_WRITABLE or both, not {mode}"
                ))
            })?;
        Pipe::with(slf, "chmod", |core| core.chmod(events))
    }
}
