//! `uv_fs_close`

use pyo3::prelude::*;
use pyuv::{Code, Error};

use crate::error::{FSError, to_py};
use crate::fs::argument::Fd;
use crate::fs::dispatch::dispatch;
use crate::fs::request::About;
use crate::r#loop::Loop;

/// Closes an fd (uv_fs_close). Whatever it fails with, the fd is closed. An fd that the loop
/// opened for itself, as Loop.fileno() is, is refused with UV_EBADF.
#[pyfunction]
#[pyo3(signature = (r#loop, fd, callback = None))]
pub fn close<'py>(
    r#loop: &Bound<'py, Loop>,
    fd: Fd,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    if r#loop.get().core()?.has_own_fd(fd.0) {
        let what = format!("fd {} is the loop's own", fd.0);
        return Err(to_py::<FSError>(Error::new(Code::EBADF, what).in_call("close")));
    }
    let about = || About { call: "close", fd: Some(fd.0), ..About::default() };
    dispatch(r#loop, callback, about, pyuv_fs::close(fd.0), |py, ()| Ok(py.None()))
}
