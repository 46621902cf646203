//! `uv_fs_scandir`

use pyo3::prelude::*;

use crate::fs::dirent::Dirent;
use crate::fs::dispatch::dispatch;
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::r#loop::Loop;

/// What a folder holds, as a list of Dirent in the order of the names' bytes, without "." and
/// ".." (uv_fs_scandir). The names are bytes if path is bytes, otherwise str.
#[pyfunction]
#[pyo3(signature = (r#loop, path, callback = None))]
pub fn scandir<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let operation = pyuv_fs::scandir(path.as_c_str()?);
    let as_bytes = path.is_bytes();
    let about =
        || About { call: "scandir", path: Some(path.given().clone().unbind()), ..About::default() };
    dispatch(r#loop, callback, about, operation, move |py, found| Dirent::list(py, found, as_bytes))
}
