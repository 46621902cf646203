//! Memory of Python objects, lent to libuv as an address and a length.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyuv::{Buffer, Source};

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
    fn new(exporter: &Bound<'_, PyAny>) -> PyResult<View> {
        let mut view = Box::<ffi::Py_buffer>::new(ffi::Py_buffer::new());
        // SAFETY: the function fills the view, or leaves it alone and sets an exception.
        let status = unsafe {
            ffi::PyObject_GetBuffer(exporter.as_ptr(), &raw mut *view, ffi::PyBUF_SIMPLE)
        };
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
            Err(_) => Ok(Piece::View(View::new(object)?)),
        }
    }

    /// The same as libuv has it.
    pub fn buffer(&self, py: Python<'_>) -> Buffer {
        let (address, length) = self.memory(py);
        Buffer::new(address, length)
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

/// Where the pieces are, for a call that returns before they can go.
pub fn addresses(py: Python<'_>, pieces: &[Piece]) -> Vec<Buffer> {
    pieces.iter().map(|piece| piece.buffer(py)).collect()
}

/// The pieces of what is to be written: a bytes-like object, or a sequence of them that is not
/// empty. TypeError for anything else, ValueError for an empty sequence.
pub fn pieces(data: &Bound<'_, PyAny>) -> PyResult<Vec<Piece>> {
    // SAFETY: the check looks at the type only.
    let is_exporter = unsafe { ffi::PyObject_CheckBuffer(data.as_ptr()) } != 0;
    if is_exporter {
        return Ok(vec![Piece::new(data)?]);
    }
    // SAFETY: the check looks at the type only.
    let is_sequence = unsafe { ffi::PySequence_Check(data.as_ptr()) } != 0;
    if !is_sequence || data.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err(format!(
            "a bytes-like object or a sequence of them is required, not {}",
            data.get_type().qualname()?
        )));
    }
    let pieces = data.try_iter()?.map(|piece| Piece::new(&piece?)).collect::<PyResult<Vec<_>>>()?;
    if pieces.is_empty() {
        return Err(PyValueError::new_err("the sequence of buffers is empty"));
    }
    Ok(pieces)
}

/// Pieces on their way into a socket or a file: libuv has their addresses while this lives.
pub struct Sent {
    buffers: Vec<Buffer>,
    _pieces: Vec<Piece>,
}

impl Sent {
    pub fn new(py: Python<'_>, pieces: Vec<Piece>) -> Sent {
        Sent { buffers: addresses(py, &pieces), _pieces: pieces }
    }
}

// SAFETY: the pieces keep their memory where it is.
unsafe impl Source for Sent {
    fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<> {
        self.buffers.clone()
    }
}
