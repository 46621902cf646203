//! `pyuv.Poll`.

use std::os::raw::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::{PyTypeInfo, ffi};
use pyuv::Events;

use crate::call::{call, callable, error_argument};
use crate::error::{PollError, in_call};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;

handle_class! {
    /// Calls its callback when a file descriptor is readable or writable (`uv_poll_t`).
    ///
    /// The descriptor stays its owner's: close the handle first, then the descriptor. One that
    /// was closed too early is reported with UV_EBADF, as long as its number is not in use again.
    Poll: "(loop, fd)"
}

#[pymethods]
impl Poll {
    /// `fd` is a number or an object with `fileno()`. Raises PollError with UV_EBADF for one
    /// that is not open, UV_EPERM for one that cannot be waited for, such as a regular file,
    /// UV_EEXIST for one that is being waited for on this loop.
    fn __init__(
        slf: &Bound<'_, Self>,
        r#loop: &Bound<'_, Loop>,
        fd: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        init::<PollError>(slf.as_super(), r#loop, fd)
    }

    /// Has `callback(poll_handle, events, errorno)` called when one of `events` is there
    /// (`uv_poll_start`): UV_READABLE, UV_WRITABLE, UV_DISCONNECT, UV_PRIORITIZED or several.
    ///
    /// `errorno` is None or a code; the handle has stopped then.
    fn start(slf: &Bound<'_, Self>, events: i32, callback: Bound<'_, PyAny>) -> PyResult<()> {
        let callback = callable(callback)?;
        let events =
            Events::from_bits(events).filter(|events| !events.is_empty()).ok_or_else(|| {
                PyValueError::new_err(format!("events must be UV_READABLE or such, not {events}"))
            })?;
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get()
            .core_as::<pyuv::Poll>()?
            .start(events, on_poll)
            .map_err(in_call::<PollError>("start"))?;
        Handle::started(base, held, callback);
        Ok(())
    }

    /// Waits no more (`uv_poll_stop`).
    fn stop(slf: &Bound<'_, Self>) -> PyResult<()> {
        stop::<PollError>(slf.as_super())
    }

    /// The file descriptor.
    fn fileno(slf: &Bound<'_, Self>) -> PyResult<i32> {
        slf.as_super()
            .get()
            .core_as::<pyuv::Poll>()?
            .fileno()
            .map_err(in_call::<PollError>("fileno"))
    }
}

fn on_poll(poll: &pyuv::Poll, outcome: pyuv::Result<Events>) {
    Handle::dispatch(poll, "poll", |slf, callback| {
        let py = slf.py();
        let (events, code) = match outcome {
            Ok(events) => (events.bits(), None),
            Err(error) => (0, error.code().map(|code| code.0)),
        };
        if code.is_some() && poll.is_active() == Ok(false) && !poll.is_closing() {
            Handle::stopped_by_itself(slf);
        }
        let Ok(events) = events.into_pyobject(py);
        call(&callback, [slf.as_any(), events.as_any(), &error_argument(py, code)])
    });
}

/// `__init__` of a class that waits for a descriptor: makes its core handle. Errors of the
/// descriptor are `E`'s.
pub fn init<E: PyTypeInfo>(
    base: &Bound<'_, Handle>,
    r#loop: &Bound<'_, Loop>,
    fd: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let fd = descriptor(fd)?;
    Handle::init(base, r#loop, |core| pyuv::Poll::new(core, fd).map_err(in_call::<E>("Poll")))
}

/// `stop()` of such a class.
pub fn stop<E: PyTypeInfo>(base: &Bound<'_, Handle>) -> PyResult<()> {
    let held = Handle::hold(base)?;
    base.get().core_as::<pyuv::Poll>()?.stop().map_err(in_call::<E>("stop"))?;
    Handle::stopped(base, held);
    Ok(())
}

/// A number, or what `fileno()` says.
pub fn descriptor(object: &Bound<'_, PyAny>) -> PyResult<c_int> {
    #[cfg(PyPy)]
    let object = &number(object)?;
    // SAFETY: the object is alive; -1 comes with an exception.
    match unsafe { ffi::PyObject_AsFileDescriptor(object.as_ptr()) } {
        -1 => Err(PyErr::fetch(object.py())),
        fd => Ok(fd),
    }
}

/// PyPy's `PyObject_AsFileDescriptor` cuts a number that is too large down to that of another descriptor,
/// so it only gets those that are not.
#[cfg(PyPy)]
fn number<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    use pyo3::types::PyInt;

    let number = match object.getattr_opt("fileno")? {
        Some(fileno) => fileno.call0()?,
        None => object.clone(),
    };
    if let Ok(number) = number.cast::<PyInt>() {
        number.extract::<c_int>()?;
    }
    Ok(number)
}
