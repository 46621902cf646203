//! `uv_fs_read`, into a fresh bytes object.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;
use pyuv_fs::Buffer;

use crate::fs::argument::{Fd, Length, Offset};
use crate::fs::dispatch::{dispatch, run_interruptibly};
use crate::fs::lent::LentOne;
use crate::fs::request::About;
use crate::r#loop::Loop;

unsafe extern "C" {
    /// Documented CPython API, which pyo3-ffi leaves out.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, length: ffi::Py_ssize_t) -> c_int;
}

/// A bytes object that nobody has seen yet.
struct FreshBytes(Py<PyAny>);

impl FreshBytes {
    /// MemoryError where there is not so much.
    fn new(py: Python<'_>, length: usize) -> PyResult<FreshBytes> {
        // SAFETY: gives new bytes of that length, or null with an exception.
        unsafe {
            let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length as ffi::Py_ssize_t);
            Ok(FreshBytes(Bound::from_owned_ptr_or_err(py, bytes)?.unbind()))
        }
    }

    fn buffer(&self, length: usize) -> Buffer {
        // SAFETY: the object is a bytes object.
        Buffer::new(unsafe { ffi::PyBytes_AsString(self.0.as_ptr()) }.cast(), length)
    }

    /// The bytes, cut to what arrived.
    fn cut<'py>(self, py: Python<'py>, length: usize) -> PyResult<Bound<'py, PyAny>> {
        let mut bytes = self.0.into_ptr();
        // SAFETY: the object is ours alone, and not longer than it was; the function takes it
        // over and gives it back, or another, or null with an exception.
        unsafe {
            if ffi::PyBytes_Size(bytes) != length as ffi::Py_ssize_t {
                _PyBytes_Resize(&raw mut bytes, length as ffi::Py_ssize_t);
            }
            Bound::from_owned_ptr_or_err(py, bytes)
        }
    }
}

/// Reads at most length bytes at offset, or where the file stands if that is -1 (uv_fs_read).
/// Gives what arrived as bytes: empty at the end of the file.
#[pyfunction]
#[pyo3(signature = (r#loop, fd, length, offset = Offset(None), callback = None))]
pub fn read<'py>(
    r#loop: &Bound<'py, Loop>,
    fd: Fd,
    length: Length,
    offset: Offset,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = r#loop.py();
    let fresh = FreshBytes::new(py, length.0)?;
    let operation = || {
        // SAFETY: the bytes are kept here, or by the closure below, and nobody else has them.
        let lent = unsafe { LentOne::new(fresh.buffer(length.0)) };
        pyuv_fs::read_into(fd.0, lent, offset.0)
    };
    if callback.is_none() {
        let arrived = run_interruptibly(py, operation)?;
        return fresh.cut(py, arrived);
    }
    let operation = operation();
    let about = || About { fd: Some(fd.0), ..About::default() };
    dispatch(r#loop, callback, about, operation, move |py, arrived| {
        Ok(fresh.cut(py, arrived)?.unbind())
    })
}
