//! `uv_fs_read`, into memory of the caller's.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::buffer::writable_pieces;
use crate::fs::argument::{Fd, Offset};
use crate::fs::dispatch::{dispatch, run_interruptibly};
use crate::fs::lent::LentOne;
use crate::fs::request::About;
use crate::life::lending::Lending;
use crate::r#loop::Loop;

/// Reads into a writable bytes-like object, or into a sequence of them one after the other, at
/// offset, or where the file stands if that is -1 (uv_fs_read). Gives how many bytes arrived, 0
/// at the end of the file. Nothing is copied; the memory is locked until the read is over.
#[pyfunction]
#[pyo3(
    signature = (r#loop, fd, buffers, offset = Offset(None), callback = None),
    text_signature = "(loop, fd, buffers, offset=-1, callback=None)"
)]
pub fn readinto<'py>(
    r#loop: &Bound<'py, Loop>,
    fd: Fd,
    buffers: &Bound<'py, PyAny>,
    offset: Offset,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = r#loop.py();
    let pieces = writable_pieces(buffers)?;
    let operation = || {
        let buffers = pieces.memory();
        // SAFETY: the pieces are kept here, or by the closure below. Others may use the memory
        // too, and see what is there; nobody looks at it as a Rust slice.
        let lent = buffers.as_ref().iter().map(|buffer| unsafe { LentOne::new(*buffer) });
        pyuv_fs::read_scattered(fd.0, lent.collect(), offset.0)
    };
    let sum = |arrived: Vec<usize>| arrived.iter().sum::<usize>();
    if callback.is_none() {
        return sum(run_interruptibly(py, "readinto", operation)?).into_bound_py_any(py);
    }
    let operation = operation();
    let lending = Lending::of(py, &pieces)?.map(Bound::unbind);
    let about = || About { call: "readinto", fd: Some(fd.0), lending, ..About::default() };
    dispatch(r#loop, callback, about, operation, move |py, arrived| {
        drop(pieces);
        sum(arrived).into_py_any(py)
    })
}
