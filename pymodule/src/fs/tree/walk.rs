//! `walk`: what a tree holds.

use pyo3::prelude::*;
use pyo3::types::PyList;
use pyuv_fs::tree::{Forest, Walk, WalkFolder};

use crate::call::optional_callable;
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::fs::tree::dispatch::{Convert, dispatch};
use crate::fs::tree::options::{Options, Threads};
use crate::fs::tree::results::{folder_list, walk_result};
use crate::r#loop::Loop;

/// Names are bytes if the tree's path was.
#[derive(Clone, Copy)]
struct Names {
    as_bytes: bool,
}

impl Convert<Forest<Walk>> for Names {
    fn path_as_bytes(&self, _path: &[u8]) -> bool {
        self.as_bytes
    }

    fn batch(&self, py: Python<'_>, batch: Vec<WalkFolder>) -> PyResult<Py<PyAny>> {
        folder_list(py, batch, self.as_bytes)
    }

    fn output(
        &self,
        py: Python<'_>,
        folders: Vec<WalkFolder>,
        errors: Bound<'_, PyList>,
    ) -> PyResult<Py<PyAny>> {
        walk_result(py, folders, self.as_bytes, errors)
    }
}

/// Goes through a tree and gives its folders with what they hold, as a walk_result; or, as it goes,
/// lists of walk_folder to on_batch. Symbolic links are entries, and never followed.
#[pyfunction]
#[pyo3(signature = (
    r#loop, path, *, on_batch = None, on_error = "stop", concurrency = None, progress = None,
    callback = None
))]
pub fn walk<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    on_batch: Option<Bound<'py, PyAny>>,
    on_error: &str,
    concurrency: Option<Threads>,
    progress: Option<Bound<'py, PyAny>>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options::new(on_error, concurrency, progress, callback)?;
    let on_batch = optional_callable(on_batch)?;
    let mut tree = pyuv_fs::tree::walk(path.as_c_str()?);
    if on_batch.is_some() {
        tree = tree.in_batches();
    }
    let about =
        About { call: "walk", path: Some(path.given().clone().unbind()), ..About::default() };
    dispatch(r#loop, options, on_batch, about, tree, Names { as_bytes: path.is_bytes() })
}
