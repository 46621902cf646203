//! Memory of Python objects, lent to libuv as an address and a length.

use std::ffi::c_int;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// One bytes-like object whose memory stays where it is.
pub enum Piece {
    /// `bytes`, by reference.
    Bytes(Py<PyBytes>),
    /// Another exporter, by a view that it granted.
    View(View),
}

/// A view of an exporter's memory, contiguous and readable.
pub struct View(Box<ffi::Py_buffer>);

// SAFETY: the memory is locked in place until the view is released, which is done attached.
unsafe impl Send for View {}
// SAFETY: nothing of a view changes; the memory behind it is never looked at as a Rust slice.
unsafe impl Sync for View {}

impl View {
    fn new(exporter: &Bound<'_, PyAny>, flags: c_int) -> PyResult<View> {
        let mut view = Box::<ffi::Py_buffer>::new(ffi::Py_buffer::new());
        // SAFETY: the function fills the view, or leaves it alone and sets an exception.
        let status = unsafe { ffi::PyObject_GetBuffer(exporter.as_ptr(), &raw mut *view, flags) };
        if status != 0 {
            return Err(PyErr::fetch(exporter.py()));
        }
        Ok(View(view))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // Without an interpreter there is nobody left to give the memory back to.
        Python::try_attach(|_| {
            // SAFETY: the view was filled and is released once, attached.
            unsafe { ffi::PyBuffer_Release(&raw mut *self.0) }
        });
    }
}

impl Piece {
    /// The memory of `object`. TypeError for what is not bytes-like.
    fn new(object: &Bound<'_, PyAny>) -> PyResult<Piece> {
        match object.cast::<PyBytes>() {
            Ok(bytes) => Ok(Piece::Bytes(bytes.clone().unbind())),
            Err(_) => Ok(Piece::View(View::new(object, ffi::PyBUF_SIMPLE)?)),
        }
    }

    /// The memory of `object`, to be written to. TypeError for what is not bytes-like, or bytes.
    fn writable(object: &Bound<'_, PyAny>) -> PyResult<Piece> {
        match View::new(object, ffi::PyBUF_WRITABLE) {
            Err(error) if is_exporter(object) && View::new(object, ffi::PyBUF_SIMPLE).is_ok() => {
                let message = format!(
                    "a writable bytes-like object is required, not {}",
                    object.get_type().qualname()?
                );
                let wrong = PyTypeError::new_err(message);
                wrong.set_cause(object.py(), Some(error));
                Err(wrong)
            }
            view => view.map(Piece::View),
        }
    }

    /// Its address and length.
    pub fn memory(&self, py: Python<'_>) -> (*mut u8, usize) {
        match self {
            Piece::Bytes(bytes) => {
                let bytes = bytes.bind(py).as_bytes();
                (bytes.as_ptr().cast_mut(), bytes.len())
            }
            Piece::View(view) => (view.0.buf.cast(), view.0.len as usize),
        }
    }
}

fn is_exporter(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the check looks at the type only.
    unsafe { ffi::PyObject_CheckBuffer(object.as_ptr()) != 0 }
}

/// The pieces of what is to be written: a bytes-like object, or a sequence of them that is not
/// empty. TypeError for anything else, ValueError for an empty sequence.
pub fn pieces(data: &Bound<'_, PyAny>) -> PyResult<Vec<Piece>> {
    each(data, Piece::new)
}

/// The pieces of what is to be read into: a writable bytes-like object, or a sequence of them that
/// is not empty. TypeError for anything else, ValueError for an empty sequence.
pub fn writable_pieces(data: &Bound<'_, PyAny>) -> PyResult<Vec<Piece>> {
    each(data, Piece::writable)
}

fn each(
    data: &Bound<'_, PyAny>,
    piece: impl Fn(&Bound<'_, PyAny>) -> PyResult<Piece>,
) -> PyResult<Vec<Piece>> {
    if is_exporter(data) {
        return Ok(vec![piece(data)?]);
    }
    // SAFETY: the check looks at the type only.
    let is_sequence = unsafe { ffi::PySequence_Check(data.as_ptr()) } != 0;
    if !is_sequence || data.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err(format!(
            "a bytes-like object or a sequence of them is required, not {}",
            data.get_type().qualname()?
        )));
    }
    let pieces = data.try_iter()?.map(|one| piece(&one?)).collect::<PyResult<Vec<_>>>()?;
    if pieces.is_empty() {
        return Err(PyValueError::new_err("the sequence of buffers is empty"));
    }
    Ok(pieces)
}
