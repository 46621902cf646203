//! `copytree`: copying a tree.

use pyo3::prelude::*;
use pyuv_fs::tree::Special;

use crate::fs::path::PathArgument;
use crate::fs::tree::dispatch::dispatch_on;
use crate::fs::tree::options::{Options, Threads, one_of};
use crate::fs::tree::results::copytree_result;
use crate::r#loop::Loop;

/// Copies a folder and everything in it to new_path, with permissions and times, and gives a
/// copytree_result. Symbolic links are copied as links, and never followed.
#[pyfunction]
#[pyo3(signature = (
    r#loop, path, new_path, *, exist_ok = false, ownership = false, special = "error",
    on_error = "stop", concurrency = None, progress = None, callback = None
))]
#[allow(clippy::too_many_arguments)]
pub fn copytree<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    new_path: PathArgument<'py>,
    exist_ok: bool,
    ownership: bool,
    special: &str,
    on_error: &str,
    concurrency: Option<Threads>,
    progress: Option<Bound<'py, PyAny>>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options::new(on_error, concurrency, progress, callback)?;
    let special = one_of("special", special, [("error", Special::Error), ("skip", Special::Skip)])?;
    let tree = pyuv_fs::tree::copytree(path.as_c_str()?, new_path.as_c_str()?)
        .exist_ok(exist_ok)
        .ownership(ownership)
        .special(special);
    dispatch_on("copytree", r#loop, options, &path, Some(&new_path), tree, copytree_result)
}
