//! Calling Python inside a `contextvars.Context`.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A copy of the current context.
#[inline]
pub fn copy_current(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: gives a new reference, or null with an exception.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }
}

/// Runs `f` in `context`. Fails where that is entered already.
#[inline]
pub fn within<T>(context: &Bound<'_, PyAny>, f: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let py = context.py();
    // SAFETY: the function says itself if it is given no context.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let outcome = f();
    // SAFETY: the context is entered. The exception of `f` is not set: it is in `outcome`.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0 {
        let left = PyErr::fetch(py);
        outcome?;
        return Err(left);
    }
    outcome
}

/// Calls `callback(*args)` in `context`, and drops what it returns.
#[inline]
pub fn call_tuple(
    context: &Bound<'_, PyAny>,
    callback: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
) -> PyResult<()> {
    within(context, || {
        // SAFETY: a callable and a tuple; gives a new reference, or null with an exception.
        let result = unsafe {
            let null = std::ptr::null_mut();
            let result = match ffi::PyTuple_Size(args.as_ptr()) {
                0 => ffi::PyObject_CallNoArgs(callback.as_ptr()),
                1 => {
                    let one = ffi::PyTuple_GetItem(args.as_ptr(), 0);
                    ffi::PyObject_CallOneArg(callback.as_ptr(), one)
                }
                _ => ffi::PyObject_Call(callback.as_ptr(), args.as_ptr(), null),
            };
            Bound::from_owned_ptr_or_err(callback.py(), result)
        };
        result.map(drop)
    })
}
