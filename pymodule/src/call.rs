//! Calling Python from libuv's callbacks.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyFunction, PyType};

use crate::code_flags;
use crate::once::{Once, intern};

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
    // SAFETY: this thread is attached, as the `Bound`s say; the arguments stand from index 1 on,
    // and index 0 is the callee's to use.
    let result = unsafe {
        ffi::PyObject_Vectorcall(
            callable.as_ptr(),
            stack.as_ptr().add(1),
            N | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
            std::ptr::null_mut(),
        )
    };
    if result.is_null() {
        return Err(PyErr::fetch(callable.py()));
    }
    // SAFETY: the call returned a new reference.
    unsafe { ffi::Py_DECREF(result) };
    Ok(())
}

/// A callback argument: callable and not an `async def`, or a TypeError that names it.
pub fn callable<'py>(object: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(function) = object.cast_exact::<PyFunction>() {
        // Most callbacks.
        if !code_flags::is_async(function)? {
            return Ok(object);
        }
    } else if !object.is_callable() {
        return Err(PyTypeError::new_err(format!(
            "a callable is required, not {}",
            object.repr()?
        )));
    }
    if is_async(&object)? {
        let what = "a callback is called and never awaited, so it cannot be the async";
        return Err(PyTypeError::new_err(format!("{what} {}", object.repr()?)));
    }
    Ok(object)
}

/// Whether calling `object` only makes a coroutine, as `inspect.iscoroutinefunction` knows it: a
/// function, also within methods and `functools.partial`, or an object with such a `__call__`.
fn is_async(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static METHOD: Once<Py<PyAny>> = Once::new();
    static PARTIAL: Once<Py<PyAny>> = Once::new();
    let py = object.py();
    let mut object = object.clone();
    // A partial can be made to hold itself.
    for _ in 0..64 {
        if let Ok(function) = object.cast_exact::<PyFunction>() {
            return code_flags::is_async(function);
        }
        object = if object.get_type().is(METHOD.import(py, "types", "MethodType")?) {
            object.getattr(intern!(py, "__func__"))?
        } else if object.is_exact_instance_of::<PyCFunction>() || object.is_instance_of::<PyType>()
        {
            return Ok(false);
        } else if object.is_instance(PARTIAL.import(py, "functools", "partial")?)? {
            object.getattr(intern!(py, "func"))?
        } else {
            // What is written in C is none of these.
            let call = object.get_type().getattr(intern!(py, "__call__"))?;
            if !call.is_exact_instance_of::<PyFunction>() {
                return Ok(false);
            }
            call
        };
    }
    Ok(false)
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
