//! `co_flags`: what the code of a function says of it.
//!
//! Every callback is asked once, when it is given; by attributes that would cost as much as starting
//! a timer does. The class of code objects says where in one the field is.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyFunction;

use crate::once::intern;

/// Whether calling the function only makes a coroutine, or an asynchronous generator.
#[inline]
pub fn is_async(function: &Bound<'_, PyFunction>) -> PyResult<bool> {
    let flags = match field(function) {
        Some(flags) => flags,
        None => attribute(function)?,
    };
    Ok(flags & (ffi::CO_COROUTINE | ffi::CO_ASYNC_GENERATOR) != 0)
}

#[cold]
fn attribute(function: &Bound<'_, PyFunction>) -> PyResult<c_int> {
    let py = function.py();
    function.getattr(intern!(py, "__code__"))?.getattr(intern!(py, "co_flags"))?.extract()
}

/// The field itself, where the class has told of it.
#[cfg(not(any(PyPy, Py_GIL_DISABLED)))]
#[inline]
fn field(function: &Bound<'_, PyFunction>) -> Option<c_int> {
    static OFFSET: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    let offset = (*OFFSET.get_or_init(offset))?;
    // SAFETY: the function keeps its code, and nobody gives it another while this thread has the GIL.
    // A code object has an int there, as its class says.
    unsafe {
        let code = ffi::PyFunction_GetCode(function.as_ptr());
        (!code.is_null()).then(|| code.byte_add(offset).cast::<c_int>().read())
    }
}

/// Without the GIL somebody might give the function other code meanwhile; PyPy has no such field.
#[cfg(any(PyPy, Py_GIL_DISABLED))]
fn field(_function: &Bound<'_, PyFunction>) -> Option<c_int> {
    None
}

/// Where code objects have it.
#[cfg(not(any(PyPy, Py_GIL_DISABLED)))]
fn offset() -> Option<usize> {
    const NAME: &std::ffi::CStr = c"co_flags";
    // SAFETY: the class is one of the interpreter's, whose table of members never changes and ends
    // with one that has no name.
    unsafe {
        let mut member = ffi::PyCode_Type.tp_members;
        while !member.is_null() && !(*member).name.is_null() {
            let ffi::PyMemberDef { name, type_code, offset, .. } = *member;
            if std::ffi::CStr::from_ptr(name) == NAME {
                return (type_code == ffi::Py_T_INT).then(|| usize::try_from(offset).ok())?;
            }
            member = member.add(1);
        }
    }
    None
}
