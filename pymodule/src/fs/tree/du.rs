//! `du`: how much a tree takes.

use pyo3::prelude::*;

use crate::fs::path::PathArgument;
use crate::fs::tree::dispatch::dispatch_on;
use crate::fs::tree::options::{Options, Threads};
use crate::fs::tree::results::du_result;
use crate::r#loop::Loop;

/// Adds up what a tree takes, as a du_result. Symbolic links count for themselves.
#[pyfunction]
#[pyo3(signature = (r#loop, path, *, on_error = "stop", concurrency = None, progress = None, callback = None))]
pub fn du<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    on_error: &str,
    concurrency: Option<Threads>,
    progress: Option<Bound<'py, PyAny>>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options::new(on_error, concurrency, progress, callback)?;
    let tree = pyuv_fs::tree::du(path.as_c_str()?);
    dispatch_on("du", r#loop, options, &path, None, tree, du_result)
}
