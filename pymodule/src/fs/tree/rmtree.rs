//! `rmtree`: removing a tree.

use pyo3::prelude::*;

use crate::fs::path::PathArgument;
use crate::fs::tree::dispatch::dispatch_on;
use crate::fs::tree::options::{Options, Threads};
use crate::fs::tree::results::rmtree_result;
use crate::r#loop::Loop;

/// Removes a folder and everything in it, and gives an rmtree_result. Symbolic links are removed,
/// and never followed.
#[pyfunction]
#[pyo3(signature = (r#loop, path, *, on_error = "stop", concurrency = None, progress = None, callback = None))]
pub fn rmtree<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    on_error: &str,
    concurrency: Option<Threads>,
    progress: Option<Bound<'py, PyAny>>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options::new(on_error, concurrency, progress, callback)?;
    let tree = pyuv_fs::tree::rmtree(path.as_c_str()?);
    dispatch_on("rmtree", r#loop, options, &path, None, tree, rmtree_result)
}
