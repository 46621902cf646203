//! `uv_dirent_t`: an entry of a folder.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::PyTuple;

use crate::fs::path::name_to_py;
use crate::life::slot::PySlot;

/// An entry of a folder, as scandir and readdir tell it.
#[pyclass(frozen, generic, module = "pyuv.fs")]
pub struct Dirent {
    /// Never empty, but that is what the zeroes are that the collector may see (see `ActiveTable`).
    name: PySlot,
    /// What it is, UV_DIRENT_FILE or one of its kin.
    #[pyo3(get, name = "type")]
    kind: i32,
}

impl Dirent {
    /// A list of entries; their names are bytes if the folder's path was.
    pub fn list(
        py: Python<'_>,
        found: Vec<pyuv_fs::Dirent>,
        as_bytes: bool,
    ) -> PyResult<Py<PyAny>> {
        let mut entries = Vec::with_capacity(found.len());
        for entry in found {
            let name = name_to_py(py, &entry.name, as_bytes)?;
            entries.push(Dirent::new(name, entry.kind.as_raw()));
        }
        entries.into_py_any(py)
    }
}

#[pymethods]
impl Dirent {
    #[new]
    #[pyo3(signature = (name, r#type))]
    pub fn new(name: Bound<'_, PyAny>, r#type: i32) -> Dirent {
        let slot = PySlot::new();
        slot.set(Some(name));
        Dirent { name: slot, kind: r#type }
    }

    /// Its name in the folder: bytes if the folder's path was, otherwise str.
    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.name.get(py).unwrap_or_else(|| py.None().into_bound(py))
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("name", "type")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Dirent(name={}, type={})", self.name(py).repr()?, self.kind))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = other.py();
        match other.cast::<Dirent>() {
            Ok(other) => {
                let same =
                    self.kind == other.get().kind && self.name(py).eq(other.get().name(py))?;
                Ok(same.into_pyobject(py)?.to_owned().into_any().unbind())
            }
            Err(_) => Ok(py.NotImplemented()),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyTuple::new(py, [&self.name(py), self.kind.into_pyobject(py)?.as_any()])?.hash()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (Bound<'py, PyAny>, i32)) {
        let this = slf.get();
        (slf.get_type().into_any(), (this.name(slf.py()), this.kind))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.name.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.name.clear(py);
    }
}
