//! An operation, with the loop and the callback it was asked with.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyuv_fs::Operation;

use crate::error::{FSError, to_py};
use crate::event_loop::Loop;
use crate::fs::request::{About, FSRequest};

/// Without a callback, runs the operation now, with the GIL released, and gives its result; with
/// one, submits it and gives the `FSRequest`.
///
/// `convert` makes the result's Python object, and holds the Python objects whose memory the
/// operation uses.
pub fn dispatch<'py, O>(
    event_loop: &Bound<'py, Loop>,
    callback: Option<Bound<'py, PyAny>>,
    about: impl FnOnce() -> About,
    operation: O,
    convert: impl FnOnce(Python<'_>, O::Output) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    O: Operation + Send,
    O::Output: Send,
{
    let py = event_loop.py();
    let Some(callback) = callback else {
        let output = py.detach(|| operation.run()).map_err(to_py::<FSError>)?;
        return Ok(convert(py, output)?.into_bound(py));
    };
    if !callback.is_callable() {
        let message = format!("the callback {} is not callable", callback.repr()?);
        return Err(PyTypeError::new_err(message));
    }
    let request = FSRequest::new(event_loop.clone().unbind(), about(), callback.unbind());
    let request = Bound::new(py, request)?;
    let core = event_loop.get().core();
    let for_closure = request.clone().unbind();
    let submitted = operation
        .submit(core, move |outcome| {
            crate::event_loop::on_loop(|py| {
                let this = for_closure.into_bound(py);
                let outcome = match outcome {
                    Ok(output) => convert(py, output).map_err(|error| {
                        error.write_unraisable(py, Some(this.as_any()));
                        pyuv::Code::ENOMEM.0
                    }),
                    Err(error) => Err(error.code().unwrap_or(pyuv::Code::UNKNOWN).0),
                };
                // SAFETY: this is the loop's thread, attached.
                let callback = unsafe { this.get().ended(outcome) };
                if let Some(callback) = callback {
                    crate::event_loop::call(py, callback, this.into_any());
                }
            });
        })
        .map_err(to_py::<FSError>)?;
    request.get().submitted(submitted);
    Ok(request.into_any())
}
