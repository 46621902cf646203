//! An operation, with the loop and the callback it was asked with.

use pyo3::prelude::*;
use pyuv::Code;
use pyuv_fs::Operation;

use crate::call::callable;
use crate::error::fs_error;
use crate::fs::request::{About, FSRequest};
use crate::life::back::Back;
use crate::r#loop::Loop;

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
        let output = py.detach(|| operation.run());
        let output = output.map_err(|error| fs_error(py, error, about()))?;
        return Ok(convert(py, output)?.into_bound(py));
    };
    submit(event_loop, callback, about(), operation, |py, _, output| convert(py, output))
}

/// Submits an operation and gives the `FSRequest`. `convert` gets what it is about as well, where
/// the collector sees it.
pub fn submit<'py, O>(
    event_loop: &Bound<'py, Loop>,
    callback: Bound<'py, PyAny>,
    about: About,
    operation: O,
    convert: impl FnOnce(Python<'_>, &About, O::Output) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    O: Operation + Send,
    O::Output: Send,
{
    let py = event_loop.py();
    let core = event_loop.get().core()?;
    let call = About { call: about.call, ..About::default() };
    let request = FSRequest::new(event_loop, about, callable(callback)?)?;
    let held = event_loop.get().hold()?;
    let back = Back::new(&request);
    let submitted = operation
        .submit(core, move |outcome| {
            // SAFETY: the core runs this closure; the loop's table keeps the request until `end`.
            let Some(request) = (unsafe { back.object() }) else { return };
            let py = request.py();
            let about = request.get().about();
            FSRequest::end(&request, outcome.map(|output| convert(py, about, output)));
        })
        .map_err(|error| fs_error(py, error, call))?;
    FSRequest::submitted(&request, event_loop, &held, submitted);
    Ok(request.into_any())
}

/// Runs what `make` makes now, with the GIL released, and again after each signal that interrupts
/// it and whose handler raises nothing: libuv does not try a read again, so that Ctrl-C gets
/// through.
pub fn run_interruptibly<O>(
    py: Python<'_>,
    call: &'static str,
    make: impl Fn() -> O,
) -> PyResult<O::Output>
where
    O: Operation + Send,
    O::Output: Send,
{
    loop {
        let operation = make();
        match py.detach(|| operation.run()) {
            Ok(output) => return Ok(output),
            Err(error) if error.code() == Some(Code::EINTR) => crate::signals::check(py)?,
            Err(error) => return Err(fs_error(py, error, About { call, ..About::default() })),
        }
    }
}
