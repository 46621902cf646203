//! Calling Python from libuv's callbacks.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::exit::HangThread;

unsafe extern "C-unwind" {
    /// `PyObject_Vectorcall`, which ends a daemon thread by unwinding it when the interpreter is
    /// being finalized (up to Python 3.13). `HangThread` stops that before it meets Rust frames
    /// that must not be unwound.
    #[link_name = "PyObject_Vectorcall"]
    fn vectorcall(
        callable: *mut ffi::PyObject,
        arguments: *const *mut ffi::PyObject,
        nargsf: usize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// Calls `callable(*arguments)` and drops what it returns.
#[inline]
pub fn call<const N: usize>(
    callable: &Bound<'_, PyAny>,
    arguments: [&Bound<'_, PyAny>; N],
) -> PyResult<()> {
    const { assert!(N < 8) };
    let mut stack = [std::ptr::null_mut(); 8];
    for (place, argument) in stack[1..].iter_mut().zip(arguments) {
        *place = argument.as_ptr();
    }
    let hang = HangThread;
    // SAFETY: this thread is attached, as the `Bound`s say; the arguments stand from index 1 on,
    // and index 0 is the callee's to use.
    let result = unsafe {
        vectorcall(
            callable.as_ptr(),
            stack.as_ptr().add(1),
            N | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
            std::ptr::null_mut(),
        )
    };
    std::mem::forget(hang);
    if result.is_null() {
        return Err(PyErr::fetch(callable.py()));
    }
    // SAFETY: the call returned a new reference.
    unsafe { ffi::Py_DECREF(result) };
    Ok(())
}

/// A callback argument: callable, or a TypeError that names it.
pub fn callable<'py>(object: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if object.is_callable() {
        return Ok(object);
    }
    Err(PyTypeError::new_err(format!("a callable is required, not {}", object.repr()?)))
}

/// A callback argument that may be None.
pub fn optional_callable(object: Option<Bound<'_, PyAny>>) -> PyResult<Option<Bound<'_, PyAny>>> {
    object.map(callable).transpose()
}

/// What callbacks get as their error: None, or libuv's code.
pub fn error_argument<'py>(py: Python<'py>, code: Option<i32>) -> Bound<'py, PyAny> {
    match code {
        None => py.None().into_bound(py),
        Some(code) => {
            let Ok(code) = code.into_pyobject(py);
            code.into_any()
        }
    }
}
