//! `uv_fs_scandir`

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::fs::dirent::Dirent;
use crate::fs::dispatch::dispatch;
use crate::fs::path::{PathArgument, name_to_py};
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
    let about = || About { path: Some(path.given().clone().unbind()), ..About::default() };
    dispatch(r#loop, callback, about, operation, move |py, found| {
        let mut entries = Vec::with_capacity(found.len());
        for entry in found {
            let name = name_to_py(py, &entry.name, as_bytes)?;
            entries.push(Dirent::new(name.unbind(), entry.kind.as_raw()));
        }
        entries.into_py_any(py)
    })
}
