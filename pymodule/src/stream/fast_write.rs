//! `write(data)`, the method that is called most, on a short way in.
//!
//! PyO3 sorts out the arguments of a method and checks what it is called on each time, a tenth of
//! all that an echoed message costs. So TCP, Pipe and TTY get a method of their own with another
//! entry: it takes `bytes` that nobody waits for, as far as they go out at once, and gives every
//! other call to the method that the class had before. That each class has its own lets CPython's
//! interpreter call it directly: it does so only where the class is the very one that defines the
//! method.

use std::ffi::{CStr, CString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::PyTypeInfo;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Stream;
use crate::buffer::Pieces;
use crate::once::Once;

/// A class that gets it.
pub trait FastWrite: PyTypeInfo {
    /// A place for the method that it had before, its own or that of Stream.
    fn general() -> &'static Once<Py<PyAny>>;
}

const NAME: &CStr = c"write";

/// Puts the short way in front of the class's `write`.
pub fn install<C: FastWrite>(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<C>();
    let name = NAME.to_string_lossy();
    let general = C::general().get_or_try_init(py, || class.getattr(&*name).map(Bound::unbind))?;
    let signature: String = general.getattr(py, "__text_signature__")?.extract(py)?;
    let doc: String = general.getattr(py, "__doc__")?.extract(py)?;
    // As `PyMethodDef` wants it: the signature first.
    let doc = CString::new(format!("{name}{signature}\n--\n\n{doc}"))?;
    // A class looks at its methods' definitions as long as it lives, and this one lives for ever.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: NAME.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: write::<C> },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.into_raw(),
    }));
    // SAFETY: the definition stays, and `write` is a function of the kind that its flags name.
    let method = unsafe {
        let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, method)?
    };
    class.setattr(&*name, method)
}

/// `METH_FASTCALL | METH_KEYWORDS`.
unsafe extern "C" fn write<C: FastWrite>(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls methods attached, with as many arguments as it says, and on instances
    // of the class that the descriptor was made for alone.
    unsafe {
        if count == 1 && names.is_null() && ffi::PyBytes_CheckExact(*arguments) != 0 {
            let py = Python::assume_attached();
            let slf = Bound::from_borrowed_ptr(py, slf).cast_into_unchecked::<Stream>();
            let data = Borrowed::from_ptr(py, *arguments).cast_unchecked::<PyBytes>();
            // A panic must not cross C.
            let outcome = catch_unwind(AssertUnwindSafe(|| write_bytes(&slf, &data)));
            let panicked = |_| Err(PyRuntimeError::new_err("pyuv panicked in write"));
            return match outcome.unwrap_or_else(panicked) {
                Ok(()) => ffi::Py_NewRef(ffi::Py_None()),
                Err(error) => {
                    error.restore(py);
                    ptr::null_mut()
                }
            };
        }
        general::<C>(slf, arguments, count, names)
    }
}

/// Calls the method that the class had before.
///
/// # Safety
/// As for `write`.
#[cold]
unsafe fn general<C: FastWrite>(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let count = count as usize;
    // SAFETY: as the caller says; those with names come after the others.
    unsafe {
        let Some(method) = C::general().get() else { return ptr::null_mut() };
        let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) as usize };
        let mut stack = Vec::with_capacity(1 + count + named);
        stack.push(slf);
        stack.extend_from_slice(std::slice::from_raw_parts(arguments, count + named));
        ffi::PyObject_Vectorcall(method.as_ptr(), stack.as_ptr(), 1 + count, names)
    }
}

#[inline]
fn write_bytes(slf: &Bound<'_, Stream>, data: &Bound<'_, PyBytes>) -> PyResult<()> {
    let (core, bytes) = (Stream::core(slf)?, data.as_bytes());
    // What is wrong is said by the full write.
    let written = core.try_write_slice(bytes).unwrap_or(0);
    if written == bytes.len() && written > 0 {
        return Ok(());
    }
    Stream::write_pieces(slf, core, Pieces::of_bytes(data, written), None, None)
}
