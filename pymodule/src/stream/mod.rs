//! `pyuv.Stream`: what TCP, Pipe and TTY share.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::Owned;

use crate::buffer::{Pieces, pieces};
use crate::call::{call, callable, error_argument, optional_callable};
use crate::error::{PipeError, StreamError, TCPError, TTYError, to_py};
use crate::handle::Handle;
use crate::life::back::object_of;
use crate::life::lending::Lending;
use crate::life::slot::PySlot;
use crate::pipe::Pipe;
use crate::poll::descriptor;
use crate::tcp::TCP;
use crate::tty::TTY;

mod callbacks;
mod fast_write;
mod incoming;

use callbacks::WriteCallbacks;
pub use fast_write::FastWrite;
use incoming::Incoming;

/// A stream of bytes in both directions (`uv_stream_t`); not for making instances of.
///
/// A stream that reads, listens, or has a connect, write or shutdown in flight is kept alive by its
/// loop.
#[pyclass(module = "pyuv", extends = Handle, subclass, frozen)]
#[derive(Default)]
pub struct Stream {
    writes: Owned<WriteCallbacks>,
    connect: PySlot,
    shutdown: PySlot,
}

/// The exception for an error of this stream: its class's own.
pub fn stream_error(core: &pyuv::Handle, call: &'static str, error: pyuv::Error) -> PyErr {
    let error = error.in_call(call);
    match core.handle_type() {
        pyuv::HandleType::TCP => to_py::<TCPError>(error),
        pyuv::HandleType::Pipe => to_py::<PipeError>(error),
        pyuv::HandleType::TTY => to_py::<TTYError>(error),
        _ => to_py::<StreamError>(error),
    }
}

impl Stream {
    /// The core's stream behind a Python one.
    pub fn core<'a>(slf: &'a Bound<'_, Stream>) -> PyResult<&'a pyuv::Stream> {
        let core = slf.as_super().get().core()?;
        core.as_stream().ok_or_else(|| {
            pyo3::exceptions::PyRuntimeError::new_err("the handle is of another type")
        })
    }

    /// Runs `f` with the core's stream; its error becomes the class's exception, of this call.
    pub fn with<T>(
        slf: &Bound<'_, Stream>,
        call: &'static str,
        f: impl FnOnce(&pyuv::Stream) -> pyuv::Result<T>,
    ) -> PyResult<T> {
        let core = Stream::core(slf)?;
        f(core).map_err(|error| stream_error(core, call, error))
    }

    /// Has the loop keep the stream, or let it go, after something ended.
    fn settle(slf: &Bound<'_, Stream>, core: &pyuv::Handle) {
        let ended =
            core.is_active() != Ok(true) || core.as_stream().is_some_and(pyuv::Stream::is_lost);
        if ended && core.has_requests() == Ok(false) && !slf.as_super().get().awaits_close() {
            Handle::stopped_by_itself(slf.as_super());
        }
    }

    /// Writes, with a handle or without. Keeps the callable until the core reports.
    pub fn write_with(
        slf: &Bound<'_, Stream>,
        data: &Bound<'_, PyAny>,
        callback: Option<Bound<'_, PyAny>>,
        handle: Option<&pyuv::Handle>,
    ) -> PyResult<()> {
        Stream::write_pieces(slf, Stream::core(slf)?, pieces(data)?, callback, handle)
    }

    fn write_pieces(
        slf: &Bound<'_, Stream>,
        core: &pyuv::Stream,
        data: Pieces,
        callback: Option<Bound<'_, PyAny>>,
        handle: Option<&pyuv::Handle>,
    ) -> PyResult<()> {
        let callback = optional_callable(callback)?;
        let failed = |error| stream_error(core, "write", error);
        // To let go of data may run Python, which may write more and run the loop: what the core
        // has not taken goes at the very end.
        let views = data.views();
        let data = &mut Some(data);
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        let writes = slf.get().writes.get(&held);
        let number = if handle.is_none() && callback.is_none() {
            // Most writes: nobody waits for them, and they go out at once.
            if core.send_from(data, on_written).map_err(failed)? {
                return Ok(());
            }
            writes.push(None)
        } else {
            let number = writes.push(callback);
            if let Err(error) = core.write_from(data, handle, on_written) {
                let callback = writes.forget(slf.py(), number);
                drop(held);
                drop(callback);
                return Err(failed(error));
            }
            number
        };
        Handle::keep(base, &held);
        // For want of memory the collector does not see whose the data is.
        if data.is_none()
            && let Ok(Some(lending)) = Lending::new(slf.py(), views)
        {
            writes.exchange(slf.py(), number, |callable| Lending::with(lending, callable));
        }
        Ok(())
    }

    /// Begins a connect by `start`, which is given what it reports to.
    pub fn connect_with(
        slf: &Bound<'_, Stream>,
        callback: Bound<'_, PyAny>,
        start: impl FnOnce(fn(&pyuv::Stream, pyuv::Result<()>)) -> pyuv::Result<()>,
    ) -> PyResult<()> {
        let callback = callable(callback)?;
        let held = Handle::hold(slf.as_super())?;
        Stream::with(slf, "connect", |_| start(on_connect))?;
        Handle::keep(slf.as_super(), &held);
        let earlier = slf.get().connect.replace(slf.py(), Some(callback));
        drop(held);
        drop(earlier);
        Ok(())
    }

    /// Listens; `callback(handle, error)` is called for each connection.
    pub fn listen_with(
        slf: &Bound<'_, Stream>,
        callback: Bound<'_, PyAny>,
        backlog: i32,
    ) -> PyResult<()> {
        let callback = callable(callback)?;
        if backlog < 0 {
            let message = format!("backlog must be at least 0, not {backlog}");
            return Err(pyo3::exceptions::PyValueError::new_err(message));
        }
        let held = Handle::hold(slf.as_super())?;
        Stream::with(slf, "listen", |core| core.listen(backlog, on_connection))?;
        Handle::started(slf.as_super(), held, callback);
        Ok(())
    }
}

#[pymethods]
impl Stream {
    /// Has `callback(handle, data, error)` called with what arrives (`uv_read_start`). `data` is
    /// bytes; at the end of the stream, or on failure, it is None, `error` is UV_EOF or another
    /// code, and the stream reads no more. While it reads, a second call replaces the callback.
    ///
    /// Raises the stream's error with UV_ENOTCONN where it is not connected.
    fn start_read(slf: &Bound<'_, Self>, callback: Bound<'_, PyAny>) -> PyResult<()> {
        let callback = callable(callback)?;
        let held = Handle::hold(slf.as_super())?;
        Stream::with(slf, "start_read", |core| core.start_reader(Incoming::default()))?;
        Handle::started(slf.as_super(), held, callback);
        Ok(())
    }

    /// Reads no more (`uv_read_stop`).
    fn stop_read(slf: &Bound<'_, Self>) -> PyResult<()> {
        let _held = Handle::hold(slf.as_super())?;
        Stream::with(slf, "stop_read", pyuv::Stream::stop_read)?;
        Stream::settle(slf, Stream::core(slf)?);
        Ok(())
    }

    /// Writes a bytes-like object, or a sequence of them that is not empty, one after the other
    /// (`uv_try_write`, `uv_write`). What the system does not take at once is queued; the objects
    /// are not copied and stay alive until they have gone out. Then `callback(handle, error)` is
    /// called, in a later iteration of the loop; `error` is None or a code.
    ///
    /// Raises the stream's error with UV_EBADF or UV_EPIPE where it is not connected or was shut
    /// down; TypeError for what is not bytes-like, ValueError for an empty sequence.
    #[pyo3(signature = (data, callback=None))]
    fn write(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        callback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Stream::write_with(slf, data, callback, None)
    }

    /// Writes what the system takes at once and returns how many bytes that were
    /// (`uv_try_write`). Raises the stream's error with UV_EAGAIN where that is nothing, or where
    /// other writes are queued before it.
    fn try_write(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let data = pieces(data)?;
        Stream::with(slf, "try_write", |core| core.try_write(&data))
    }

    /// Sends `length` bytes of a file from `offset` on, or all to its end (None): after what was written before, and
    /// before what is written from now on. `file` is a file descriptor or an object with `fileno()`; it is
    /// duplicated, and may be closed at once. Then `callback(handle, sent, error)` is called, in a later
    /// iteration of the loop: `sent` is how many bytes went out, `error` None when that is all; UV_EOF where the
    /// file was shorter, UV_ECANCELED where the stream was closed, or another code. What is written meanwhile waits,
    /// and gets UV_ECANCELED unless all of the file went out.
    ///
    /// Raises the stream's error with UV_EBADF or UV_EPIPE where it is not connected or was shut down, UV_EBADF for
    /// a file that is not open; ValueError for what is no offset or length.
    #[pyo3(signature = (file, offset=0, length=None, callback=None))]
    fn sendfile(
        slf: &Bound<'_, Self>,
        file: &Bound<'_, PyAny>,
        offset: i64,
        length: Option<i64>,
        callback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let callback = optional_callable(callback)?;
        let file = descriptor(file)?;
        let size = |what, number: i64| {
            u64::try_from(number).map_err(|_| {
                let message = format!("{what} must be at least 0, not {number}");
                pyo3::exceptions::PyValueError::new_err(message)
            })
        };
        let offset = size("offset", offset)?;
        let length = length.map(|length| size("length", length)).transpose()?;
        let core = Stream::core(slf)?;
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        let writes = slf.get().writes.get(&held);
        let number = writes.push(callback);
        if let Err(error) = core.sendfile(file, offset, length, on_sent) {
            let callback = writes.forget(slf.py(), number);
            drop(held);
            drop(callback);
            return Err(stream_error(core, "sendfile", error));
        }
        Handle::keep(base, &held);
        Ok(())
    }

    /// Ends what goes out, after all that is queued (`uv_shutdown`), so that the peer reads the
    /// end of the stream. Then `callback(handle, error)` is called.
    ///
    /// Raises the stream's error with UV_ENOTCONN where it is not connected or was shut down.
    #[pyo3(signature = (callback=None))]
    fn shutdown(slf: &Bound<'_, Self>, callback: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let callback = optional_callable(callback)?;
        let held = Handle::hold(slf.as_super())?;
        Stream::with(slf, "shutdown", |core| core.shutdown(on_shutdown))?;
        Handle::keep(slf.as_super(), &held);
        let earlier = slf.get().shutdown.replace(slf.py(), callback);
        drop(held);
        drop(earlier);
        Ok(())
    }

    /// Whether there may be something to read (`uv_is_readable`).
    #[getter]
    fn readable(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Stream::with(slf, "readable", pyuv::Stream::is_readable)
    }

    /// Whether it may be written to (`uv_is_writable`).
    #[getter]
    fn writable(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Stream::with(slf, "writable", pyuv::Stream::is_writable)
    }

    /// How many bytes are queued to be written (`uv_stream_get_write_queue_size`), those of files not counted.
    #[getter]
    fn write_queue_size(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Stream::with(slf, "write_queue_size", pyuv::Stream::write_queue_size)
    }

    /// Makes reads and writes wait in the system, and the whole loop with them, or not
    /// (`uv_stream_set_blocking`).
    fn set_blocking(slf: &Bound<'_, Self>, blocking: bool) -> PyResult<()> {
        Stream::with(slf, "set_blocking", |core| core.set_blocking(blocking))
    }

    /// The file descriptor (`uv_fileno`). It stays the handle's: closing it is not for the caller.
    fn fileno(slf: &Bound<'_, Self>) -> PyResult<i32> {
        Stream::with(slf, "fileno", pyuv::Stream::fileno)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs while nobody changes the queue.
        unsafe { self.writes.get_unheld() }.visit(&visit)?;
        self.connect.visit(&visit)?;
        self.shutdown.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        // SAFETY: the collector has found that nobody has the stream, or gets it any more.
        unsafe { self.writes.get_unheld() }.clear();
        self.connect.clear(py);
        self.shutdown.clear(py);
    }
}

fn on_connection(core: &pyuv::Stream, outcome: pyuv::Result<()>) {
    Handle::dispatch(core, "connection", |slf, callback| {
        let code = outcome.err().and_then(|error| error.code()).map(|code| code.0);
        if code.is_some() {
            // SAFETY: the handle is a stream's.
            Stream::settle(unsafe { slf.cast_unchecked::<Stream>() }, core);
        }
        call(&callback, [slf.as_any(), &error_argument(slf.py(), code)])
    });
}

/// A request of a stream's has ended: calls the callable that `find` gives.
fn on_ended(
    core: &pyuv::Stream,
    event: &str,
    outcome: pyuv::Result<()>,
    find: impl for<'py> FnOnce(&Stream, Python<'py>) -> Option<Bound<'py, PyAny>>,
) {
    // SAFETY: the core runs callbacks attached (see `GilHooks`).
    let Some(slf) = (unsafe { object_of(core) }) else { return };
    // SAFETY: streams alone have such requests.
    let slf = &unsafe { slf.cast_into_unchecked::<Stream>() };
    let callback = find(slf.get(), slf.py());
    Stream::settle(slf, core);
    let Some(callback) = callback.and_then(Lending::callable) else { return };
    let code = outcome.err().and_then(|error| error.code()).map(|code| code.0);
    if let Err(error) = call(&callback, [slf.as_any(), &error_argument(slf.py(), code)]) {
        Handle::handle_exception(slf.as_super(), event, error);
    }
}

/// A file has been sent, or as much of it as went.
fn on_sent(core: &pyuv::Stream, sent: u64, outcome: pyuv::Result<()>) {
    // SAFETY: the core runs callbacks attached (see `GilHooks`).
    let Some(slf) = (unsafe { object_of(core) }) else { return };
    // SAFETY: streams alone send files.
    let slf = &unsafe { slf.cast_into_unchecked::<Stream>() };
    let callback =
        core.hold_even_closed().ok().and_then(|held| slf.get().writes.get(&held).pop(slf.py()));
    Stream::settle(slf, core);
    let Some(callback) = callback else { return };
    let code = outcome.err().and_then(|error| error.code()).map(|code| code.0);
    let Ok(sent) = sent.into_pyobject(slf.py());
    let error = error_argument(slf.py(), code);
    if let Err(error) = call(&callback, [slf.as_any(), sent.as_any(), &error]) {
        Handle::handle_exception(slf.as_super(), "sendfile", error);
    }
}

fn on_written(core: &pyuv::Stream, outcome: pyuv::Result<()>) {
    on_ended(core, "write", outcome, |stream, py| {
        let held = core.hold_even_closed().ok()?;
        stream.writes.get(&held).pop(py)
    });
}

fn on_connect(core: &pyuv::Stream, outcome: pyuv::Result<()>) {
    on_ended(core, "connect", outcome, |stream, py| stream.connect.take(py));
}

fn on_shutdown(core: &pyuv::Stream, outcome: pyuv::Result<()>) {
    on_ended(core, "shutdown", outcome, |stream, py| stream.shutdown.take(py));
}

/// Sets up the classes that extend Stream.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    fast_write::install::<TCP>(py)?;
    fast_write::install::<Pipe>(py)?;
    fast_write::install::<TTY>(py)
}

/// Writes a stream class without its methods, as `handle_class` does for handles.
macro_rules! stream_class {
    ($(#[$doc:meta])* $name:ident: $signature:literal) => {
        $(#[$doc])*
        #[pyo3::pyclass(module = "pyuv", extends = $crate::stream::Stream, subclass, frozen)]
        #[allow(clippy::upper_case_acronyms)]
        pub struct $name;

        impl $crate::stream::FastWrite for $name {
            fn general() -> &'static $crate::once::Once<pyo3::Py<pyo3::PyAny>> {
                static GENERAL: $crate::once::Once<pyo3::Py<pyo3::PyAny>> =
                    $crate::once::Once::new();
                &GENERAL
            }
        }

        #[pyo3::pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (*_args, **_kwargs), text_signature = $signature)]
            fn new(
                _args: &pyo3::Bound<'_, pyo3::types::PyTuple>,
                _kwargs: Option<&pyo3::Bound<'_, pyo3::types::PyDict>>,
            ) -> pyo3::PyClassInitializer<$name> {
                pyo3::PyClassInitializer::from($crate::handle::Handle::default())
                    .add_subclass($crate::stream::Stream::default())
                    .add_subclass($name)
            }
        }
    };
}
pub(crate) use stream_class;
