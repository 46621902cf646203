//! `read_many`: the contents of many files.

use std::collections::HashSet;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use pyuv_fs::tree::ReadMany;

use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::fs::tree::dispatch::{Convert, dispatch};
use crate::fs::tree::options::{Options, Threads};
use crate::fs::tree::results::read_many_result;
use crate::r#loop::Loop;

/// The paths that were given as bytes.
#[derive(Clone)]
struct AsBytes(Arc<HashSet<Vec<u8>>>);

impl Convert<ReadMany> for AsBytes {
    fn path_as_bytes(&self, path: &[u8]) -> bool {
        self.0.contains(path)
    }

    fn batch(&self, py: Python<'_>, _batch: ()) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }

    fn output(
        &self,
        py: Python<'_>,
        contents: Vec<Option<bytes::Bytes>>,
        errors: Bound<'_, PyList>,
    ) -> PyResult<Py<PyAny>> {
        let list = PyList::empty(py);
        // Each is freed as soon as Python has its copy.
        for content in contents {
            match content {
                Some(content) => list.append(PyBytes::new_with(py, content.len(), |memory| {
                    memory.copy_from_slice(&content);
                    Ok(())
                })?)?,
                None => list.append(py.None())?,
            }
        }
        read_many_result(py, list, errors)
    }
}

/// Reads whole files, and gives a read_many_result. What is no plain file fails, with UV_EISDIR or
/// UV_EINVAL.
#[pyfunction]
#[pyo3(signature = (r#loop, paths, *, on_error = "stop", concurrency = None, progress = None, callback = None))]
pub fn read_many<'py>(
    r#loop: &Bound<'py, Loop>,
    paths: &Bound<'py, PyAny>,
    on_error: &str,
    concurrency: Option<Threads>,
    progress: Option<Bound<'py, PyAny>>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options::new(on_error, concurrency, progress, callback)?;
    if paths.is_instance_of::<PyString>() || paths.is_instance_of::<PyBytes>() {
        // Each of its characters would be a path.
        return Err(PyTypeError::new_err("an iterable of paths is required, not one path"));
    }
    let mut given = Vec::with_capacity(paths.len().unwrap_or(0));
    let mut as_bytes = HashSet::new();
    for path in paths.try_iter()? {
        let path: PathArgument<'_> = path?.extract()?;
        given.push(path.as_c_str()?.to_owned());
        if path.is_bytes() {
            as_bytes.insert(path.as_bytes().to_vec());
        }
    }
    let tree = pyuv_fs::tree::read_many(given);
    dispatch(
        r#loop,
        options,
        None,
        About { call: "read_many", ..About::default() },
        tree,
        AsBytes(Arc::new(as_bytes)),
    )
}
