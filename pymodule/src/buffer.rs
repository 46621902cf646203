//! Memory of Python objects, lent to libuv as an address and a length.

use std::ffi::c_int;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBytes, PyString};
use pyuv::buffer::{Buffer, Source};

use crate::exit;
use crate::life::slot::visit_pointer;

/// One bytes-like object whose memory stays where it is.
pub struct Piece {
    buffer: Buffer,
    /// Keeps the memory.
    owner: Owner,
}

enum Owner {
    /// `bytes` itself, by reference: it holds nothing.
    Bytes(#[allow(dead_code)] Py<PyBytes>),
    /// Another exporter, by a view that it granted.
    View(Arc<View>),
}

/// A view of an exporter's memory, contiguous and readable. It is shared with what shows the
/// collector whose memory the core works with (see [`Lending`](crate::life::lending::Lending)).
pub struct View(ffi::Py_buffer);

// SAFETY: the memory is locked in place until the view is released, which is done attached.
unsafe impl Send for View {}
// SAFETY: nothing of a view changes; the memory behind it is never looked at as a Rust slice.
unsafe impl Sync for View {}

impl View {
    fn new(exporter: &Bound<'_, PyAny>, flags: c_int) -> PyResult<Arc<View>> {
        // It is filled where it stays: exporters may have it point into itself.
        let mut view = Arc::new(View(ffi::Py_buffer::new()));
        let place = Arc::get_mut(&mut view).map_or(std::ptr::null_mut(), |view| &raw mut view.0);
        // SAFETY: the function fills the view, or leaves it without an exporter and sets an
        // exception.
        let status = unsafe { ffi::PyObject_GetBuffer(exporter.as_ptr(), place, flags) };
        if status != 0 {
            return Err(PyErr::fetch(exporter.py()));
        }
        Ok(view)
    }

    /// For the collector: the exporter, to which the view holds a reference.
    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if collector_clears_lenders() {
            // Releasing ours would use what was freed: it is not shown.
            // SAFETY: the view holds a reference to the exporter, whose type alone is looked at.
            if !self.0.obj.is_null() && unsafe { ffi::PyMemoryView_Check(self.0.obj) } != 0 {
                return Ok(());
            }
        }
        visit_pointer(visit, self.0.obj)
    }
}

/// Whether CPython's collector clears a memoryview that lends its memory, as it did before 3.12.7.
fn collector_clears_lenders() -> bool {
    const SINCE: std::ffi::c_ulong = 0x030c_07f0;
    // SAFETY: the number is a constant of the interpreter's.
    unsafe { ffi::Py_Version < SINCE }
}

impl Drop for View {
    fn drop(&mut self) {
        // Without an interpreter there is nobody left to give the memory back to.
        exit::attach(|_| {
            // SAFETY: the view is released once, attached; one without an exporter is left alone.
            unsafe { ffi::PyBuffer_Release(&raw mut self.0) }
        });
    }
}

impl Piece {
    /// The memory of `object`. TypeError for what is not bytes-like.
    pub fn new(object: &Bound<'_, PyAny>) -> PyResult<Piece> {
        match object.cast_exact::<PyBytes>() {
            Ok(bytes) => Ok(Piece::of_bytes(bytes, 0)),
            Err(_) => View::new(object, ffi::PyBUF_SIMPLE).map(Piece::of_view),
        }
    }

    /// The memory of `object`, to be written to. TypeError for what is not bytes-like, or bytes.
    pub fn writable(object: &Bound<'_, PyAny>) -> PyResult<Piece> {
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
            view => view.map(Piece::of_view),
        }
    }

    /// Where it is.
    pub fn buffer(&self) -> Buffer {
        self.buffer
    }

    /// What comes after the first `skip` bytes.
    fn of_bytes(bytes: &Bound<'_, PyBytes>, skip: usize) -> Piece {
        let memory = bytes.as_bytes();
        Piece {
            buffer: Buffer::new(memory.as_ptr().cast_mut(), memory.len()).skip(skip),
            owner: Owner::Bytes(bytes.clone().unbind()),
        }
    }

    fn of_view(view: Arc<View>) -> Piece {
        Piece {
            buffer: Buffer::new(view.0.buf.cast(), view.0.len as usize),
            owner: Owner::View(view),
        }
    }
}

/// What is to be written: one piece, or several. Dropped attached (see `View`).
pub enum Pieces {
    One(Piece),
    Many(Vec<Piece>),
}

/// Where the pieces are.
pub enum Buffers {
    One([Buffer; 1]),
    Many(Vec<Buffer>),
}

impl AsRef<[Buffer]> for Buffers {
    fn as_ref(&self) -> &[Buffer] {
        match self {
            Buffers::One(one) => one,
            Buffers::Many(many) => many,
        }
    }
}

impl Pieces {
    /// What comes after the first `skip` bytes.
    pub fn of_bytes(bytes: &Bound<'_, PyBytes>, skip: usize) -> Pieces {
        Pieces::One(Piece::of_bytes(bytes, skip))
    }

    /// The views among them, for the collector to be shown; none where all are `bytes`.
    pub fn views(&self) -> Vec<Arc<View>> {
        let pieces = match self {
            Pieces::One(piece) => std::slice::from_ref(piece),
            Pieces::Many(pieces) => pieces,
        };
        let view = |piece: &Piece| match &piece.owner {
            Owner::View(view) => Some(Arc::clone(view)),
            Owner::Bytes(_) => None,
        };
        pieces.iter().filter_map(view).collect()
    }

    pub fn memory(&self) -> Buffers {
        match self {
            Pieces::One(piece) => Buffers::One([piece.buffer]),
            Pieces::Many(pieces) => {
                Buffers::Many(pieces.iter().map(|piece| piece.buffer).collect())
            }
        }
    }
}

// SAFETY: bytes do not change and views are locked in place, wherever the value is moved.
unsafe impl Source for Pieces {
    fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<> {
        self.memory()
    }
}

#[cfg(not(PyPy))]
fn is_exporter(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the check looks at the type only.
    unsafe { ffi::PyObject_CheckBuffer(object.as_ptr()) != 0 }
}

/// PyPy has no function that looks.
#[cfg(PyPy)]
fn is_exporter(object: &Bound<'_, PyAny>) -> bool {
    pyo3::types::PyMemoryView::from(object).is_ok()
}

/// The pieces of what is to be written: a bytes-like object, or a sequence of them that is not
/// empty. TypeError for anything else, ValueError for an empty sequence.
pub fn pieces(data: &Bound<'_, PyAny>) -> PyResult<Pieces> {
    each(data, Piece::new)
}

/// The pieces of what is to be read into: a writable bytes-like object, or a sequence of them that
/// is not empty. TypeError for anything else, ValueError for an empty sequence.
pub fn writable_pieces(data: &Bound<'_, PyAny>) -> PyResult<Pieces> {
    each(data, Piece::writable)
}

fn each(
    data: &Bound<'_, PyAny>,
    piece: impl Fn(&Bound<'_, PyAny>) -> PyResult<Piece>,
) -> PyResult<Pieces> {
    if is_exporter(data) {
        return piece(data).map(Pieces::One);
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
    Ok(Pieces::Many(pieces))
}
