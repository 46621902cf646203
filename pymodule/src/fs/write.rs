//! `uv_fs_write`, from bytes-like objects.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::buffer::pieces;
use crate::fs::argument::{Fd, Offset};
use crate::fs::dispatch::dispatch;
use crate::fs::lent::Lent;
use crate::fs::request::About;
use crate::life::lending::Lending;
use crate::r#loop::Loop;

/// Writes a bytes-like object, or a sequence of them one after the other, at offset, or where the
/// file stands if that is -1 (uv_fs_write). Gives how many bytes went out: all, unless an error
/// came after some had. The objects are not copied.
#[pyfunction]
#[pyo3(
    signature = (r#loop, fd, write_data, offset = Offset(None), callback = None),
    text_signature = "(loop, fd, write_data, offset=-1, callback=None)"
)]
pub fn write<'py>(
    r#loop: &Bound<'py, Loop>,
    fd: Fd,
    write_data: &Bound<'py, PyAny>,
    offset: Offset,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let pieces = pieces(write_data)?;
    // SAFETY: the pieces are kept by the closure below.
    let lent = unsafe { Lent::new(pieces.memory().as_ref().to_vec()) };
    let operation = pyuv_fs::write(fd.0, lent, offset.0);
    let lending = match callback {
        Some(_) => Lending::of(r#loop.py(), &pieces)?.map(Bound::unbind),
        None => None,
    };
    let about = || About { call: "write", fd: Some(fd.0), lending, ..About::default() };
    dispatch(r#loop, callback, about, operation, move |py, written| {
        drop(pieces);
        written.into_py_any(py)
    })
}
