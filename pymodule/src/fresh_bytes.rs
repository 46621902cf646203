//! `bytes` that are filled after they were made, and again when nobody else has them any more.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv::Buffer;

use crate::c_api;

/// How many bytes may be left over of any object: the allocator rounds up as much.
pub const SLACK: usize = 16;

/// A bytes object that nobody else has.
pub struct FreshBytes {
    object: Py<PyAny>,
    /// How many bytes it has memory for, however many it shows.
    capacity: usize,
}

impl FreshBytes {
    /// MemoryError where there is not so much.
    pub fn new(py: Python<'_>, length: usize) -> PyResult<FreshBytes> {
        // SAFETY: gives new bytes of that length, or null with an exception.
        let object = unsafe {
            let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length as ffi::Py_ssize_t);
            Bound::from_owned_ptr_or_err(py, bytes)?.unbind()
        };
        Ok(FreshBytes { object, capacity: length })
    }

    /// Its first `length` bytes, to be written while nobody has seen them.
    pub fn buffer(&self, length: usize) -> Buffer {
        // SAFETY: the object is a bytes object.
        Buffer::new(unsafe { ffi::PyBytes_AsString(self.object.as_ptr()) }.cast(), length)
    }

    /// Whether it does for `length` bytes without much being left over.
    pub fn fits(&self, length: usize) -> bool {
        self.capacity >= length && !is_wasteful(self.capacity, length)
    }

    /// The bytes, cut to what arrived.
    pub fn cut(self, py: Python<'_>, length: usize) -> PyResult<Bound<'_, PyBytes>> {
        let (bytes, _) = self.show(py, length)?;
        // SAFETY: it is a bytes object.
        Ok(unsafe { bytes.cast_into_unchecked() })
    }

    /// The bytes, cut to what arrived, and what they can be had [again](Shown::again) by.
    #[inline]
    pub fn show(self, py: Python<'_>, length: usize) -> PyResult<(Bound<'_, PyAny>, Shown)> {
        let FreshBytes { object, mut capacity } = self;
        let mut bytes = object.into_ptr();
        debug_assert!(length <= capacity);
        // SAFETY: the object is a bytes object of ours alone, with memory for `capacity` bytes and
        // the zero behind them. `_PyBytes_Resize` takes it over and gives it back, or another, or
        // null with an exception.
        let bytes = unsafe {
            // PyPy makes an object of its own of the memory, and asks nobody how long it is.
            if is_wasteful(capacity, length) || cfg!(PyPy) {
                set_size(bytes, capacity);
                c_api::_PyBytes_Resize(&raw mut bytes, length as ffi::Py_ssize_t);
                capacity = length;
            } else if capacity > 0 {
                set_size(bytes, length);
                ffi::PyBytes_AsString(bytes).add(length).write(0);
            }
            Bound::from_owned_ptr_or_err(py, bytes)?
        };
        let object = bytes.clone().unbind();
        Ok((bytes, Shown(FreshBytes { object, capacity })))
    }

    /// A copy of the parts, one after the other. MemoryError where there is not so much.
    pub fn of<'py>(py: Python<'py>, parts: &[&[u8]]) -> PyResult<Bound<'py, PyBytes>> {
        let length = parts.iter().map(|part| part.len()).sum();
        let fresh = FreshBytes::new(py, length)?;
        fresh.fill(parts);
        fresh.cut(py, length)
    }

    /// Copies the parts into it, one after the other: as much as it has memory for.
    pub fn fill(&self, parts: &[&[u8]]) {
        let mut place = self.buffer(self.capacity);
        for part in parts {
            let length = part.len().min(place.length());
            // SAFETY: the memory is as long, and that of an object of ours alone.
            unsafe { part.as_ptr().copy_to_nonoverlapping(place.address(), length) };
            place = place.skip(length);
        }
    }
}

/// A bytes object that others may have by now.
pub struct Shown(FreshBytes);

impl Shown {
    /// The object, to be filled anew, if nobody else has it any more.
    #[inline]
    pub fn again(self, py: Python<'_>) -> Option<FreshBytes> {
        let FreshBytes { object, capacity } = self.0;
        let bytes = object.into_bound(py);
        // SAFETY: it is a bytes object. This thread has the GIL, so a count of one is that of our
        // own reference, and nobody can come by another. The empty bytes and those of one byte
        // that the interpreter shares have more, or live for ever.
        let alone = unsafe { ffi::Py_REFCNT(bytes.as_ptr()) } == 1;
        if cfg!(any(Py_GIL_DISABLED, PyPy)) || !alone || capacity == 0 {
            return None;
        }
        // SAFETY: it is a bytes object that nobody else has.
        unsafe { forget_hash(bytes.as_ptr()) };
        Some(FreshBytes { object: bytes.unbind(), capacity })
    }
}

/// Other content has another hash.
///
/// # Safety
/// It is a bytes object that nobody else has.
#[cfg(not(PyPy))]
unsafe fn forget_hash(bytes: *mut ffi::PyObject) {
    #[expect(deprecated, reason = "CPython means the field to be no part of its interface")]
    // SAFETY: as the caller says.
    unsafe {
        (*bytes.cast::<ffi::PyBytesObject>()).ob_shash = -1;
    }
}

/// PyPy counts no references: it never comes to that.
#[cfg(PyPy)]
unsafe fn forget_hash(_bytes: *mut ffi::PyObject) {}

fn is_wasteful(capacity: usize, length: usize) -> bool {
    capacity - length > SLACK.max(length / 8)
}

/// # Safety
/// It is a bytes object with memory for so many bytes, which nobody else has.
unsafe fn set_size(bytes: *mut ffi::PyObject, size: usize) {
    // SAFETY: as the caller says.
    unsafe { (*bytes.cast::<ffi::PyVarObject>()).ob_size = size as ffi::Py_ssize_t };
}
