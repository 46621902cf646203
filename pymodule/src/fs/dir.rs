//! `uv_dir_t`: a folder that is read a batch of entries at a time.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv_fs::Operation;

use crate::error::fs_error;
use crate::fs::argument::Count;
use crate::fs::dirent::Dirent;
use crate::fs::dispatch::{dispatch, submit};
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::r#loop::Loop;

/// How many entries a batch has at most, unless something else is asked for.
const BATCH: usize = 1024;

/// An open folder, from opendir.
///
/// Iterating over it gives batches, lists of Dirent as readdir gives them, each read when it is
/// asked for, in the calling thread. As a context manager it closes itself.
#[pyclass(frozen, generic, weakref, module = "pyuv.fs")]
pub struct Dir {
    /// The path it was opened by, as it was given.
    #[pyo3(get)]
    path: Option<Py<PyAny>>,
    is_bytes: bool,
    core: pyuv_fs::Dir,
}

impl Dir {
    fn about(&self, call: &'static str, py: Python<'_>) -> About {
        About { call, path: self.path.as_ref().map(|path| path.clone_ref(py)), ..About::default() }
    }
}

#[pymethods]
impl Dir {
    /// Whether it was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.core.is_closed())
    }

    /// Closes it, in the calling thread. A second time does nothing.
    fn close(&self, py: Python<'_>) {
        // The one error there is says that it is closed.
        let _ = py.detach(|| pyuv_fs::closedir(&self.core).run());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, pyo3::types::PyTuple>) {
        self.close(py);
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let batch = py.detach(|| pyuv_fs::readdir(&self.core, BATCH).run());
        let batch = batch.map_err(|error| fs_error(py, error, self.about("readdir", py)))?;
        if batch.is_empty() {
            return Ok(None);
        }
        Dirent::list(py, batch, self.is_bytes).map(Some)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let path = self
            .path
            .as_ref()
            .map_or(Ok(String::new()), |path| path.bind(py).repr().map(|repr| repr.to_string()))?;
        Ok(format!("<Dir {}{path}>", if self.closed(py) { "closed " } else { "" }))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.path)
    }
}

/// Opens a folder to be read a batch of entries at a time (uv_fs_opendir). Gives a Dir.
#[pyfunction]
#[pyo3(signature = (r#loop, path, callback = None))]
pub fn opendir<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let operation = pyuv_fs::opendir(path.as_c_str()?);
    let is_bytes = path.is_bytes();
    let about =
        About { call: "opendir", path: Some(path.given().clone().unbind()), ..About::default() };
    let open = move |py: Python<'_>, about: &About, core| {
        Dir { path: about.path.as_ref().map(|path| path.clone_ref(py)), is_bytes, core }
            .into_py_any(py)
    };
    let py = r#loop.py();
    match callback {
        Some(callback) => submit(r#loop, callback, about, operation, open),
        None => match py.detach(|| operation.run()) {
            Ok(core) => open(py, &about, core).map(|dir| dir.into_bound(py)),
            Err(error) => Err(fs_error(py, error, about)),
        },
    }
}

/// At most count further entries of a folder, as a list of Dirent in the filesystem's order,
/// without "." and ".." (uv_fs_readdir). An empty list is the end.
#[pyfunction]
#[pyo3(
    signature = (r#loop, dir, count = Count(BATCH), callback = None),
    text_signature = "(loop, dir, count=1024, callback=None)"
)]
pub fn readdir<'py>(
    r#loop: &Bound<'py, Loop>,
    dir: &Bound<'py, Dir>,
    count: Count,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let this = dir.get();
    let operation = pyuv_fs::readdir(&this.core, count.0);
    let is_bytes = this.is_bytes;
    let about = || this.about("readdir", dir.py());
    dispatch(r#loop, callback, about, operation, move |py, batch| Dirent::list(py, batch, is_bytes))
}

/// Closes a folder (uv_fs_closedir). FSError with UV_EBADF for one that is closed.
#[pyfunction]
#[pyo3(signature = (r#loop, dir, callback = None))]
pub fn closedir<'py>(
    r#loop: &Bound<'py, Loop>,
    dir: &Bound<'py, Dir>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let operation = pyuv_fs::closedir(&dir.get().core);
    let about = || dir.get().about("closedir", dir.py());
    dispatch(r#loop, callback, about, operation, |py, ()| Ok(py.None()))
}
