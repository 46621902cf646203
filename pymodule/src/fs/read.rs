//! `uv_fs_read`, into a fresh bytes object.

use pyo3::prelude::*;

use crate::fresh_bytes::FreshBytes;
use crate::fs::argument::{Fd, Length, Offset};
use crate::fs::dispatch::{dispatch, run_interruptibly};
use crate::fs::lent::LentOne;
use crate::fs::request::About;
use crate::r#loop::Loop;

/// Reads at most length bytes at offset, or where the file stands if that is -1 (uv_fs_read).
/// Gives what arrived as bytes: empty at the end of the file.
#[pyfunction]
#[pyo3(
    signature = (r#loop, fd, length, offset = Offset(None), callback = None),
    text_signature = "(loop, fd, length, offset=-1, callback=None)"
)]
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
        let arrived = run_interruptibly(py, "read", operation)?;
        return Ok(fresh.cut(py, arrived)?.into_any());
    }
    let operation = operation();
    let about = || About { call: "read", fd: Some(fd.0), ..About::default() };
    dispatch(r#loop, callback, about, operation, move |py, arrived| {
        Ok(fresh.cut(py, arrived)?.unbind().into_any())
    })
}
