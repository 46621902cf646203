//! `bytes` that are filled after they were made.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv_fs::Buffer;

unsafe extern "C" {
    /// Documented CPython API, which pyo3-ffi leaves out.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, length: ffi::Py_ssize_t) -> c_int;
}

/// A bytes object that nobody has seen yet.
pub struct FreshBytes(Py<PyAny>);

impl FreshBytes {
    /// MemoryError where there is not so much.
    pub fn new(py: Python<'_>, length: usize) -> PyResult<FreshBytes> {
        // SAFETY: gives new bytes of that length, or null with an exception.
        unsafe {
            let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length as ffi::Py_ssize_t);
            Ok(FreshBytes(Bound::from_owned_ptr_or_err(py, bytes)?.unbind()))
        }
    }

    pub fn buffer(&self, length: usize) -> Buffer {
        // SAFETY: the object is a bytes object.
        Buffer::new(unsafe { ffi::PyBytes_AsString(self.0.as_ptr()) }.cast(), length)
    }

    /// The bytes, cut to what arrived.
    pub fn cut<'py>(self, py: Python<'py>, length: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut bytes = self.0.into_ptr();
        // SAFETY: the object is ours alone, and not longer than it was; the function takes it
        // over and gives it back, or another, or null with an exception.
        unsafe {
            if ffi::PyBytes_Size(bytes) != length as ffi::Py_ssize_t {
                _PyBytes_Resize(&raw mut bytes, length as ffi::Py_ssize_t);
            }
            Ok(Bound::from_owned_ptr_or_err(py, bytes)?.cast_into_unchecked())
        }
    }

    /// A copy of the parts, one after the other. MemoryError where there is not so much.
    pub fn of<'py>(py: Python<'py>, parts: &[&[u8]]) -> PyResult<Bound<'py, PyBytes>> {
        let length = parts.iter().map(|part| part.len()).sum();
        let fresh = FreshBytes::new(py, length)?;
        let mut place = fresh.buffer(length);
        for part in parts {
            // SAFETY: the memory is as long as all parts, and is that of an object of ours alone.
            unsafe { part.as_ptr().copy_to_nonoverlapping(place.address(), part.len()) };
            place = place.skip(part.len());
        }
        fresh.cut(py, length)
    }
}
