//! `pyuv.thread.Semaphore`.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::thread::Semaphore as Core;

use super::block::block;
use super::primitive::Primitive;
use crate::error::{ThreadError, to_py};
use crate::util::argument::Int;

/// A counter that is never below 0 (`uv_sem_t`).
///
/// A context manager: `with semaphore:` waits, and posts at the end.
#[pyclass(module = "pyuv.thread", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Semaphore(Primitive<Core>);

#[pymethods]
impl Semaphore {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(count=1)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Semaphore {
        Semaphore(Primitive::new())
    }

    #[pyo3(signature = (count=Int(1)))]
    fn __init__(&self, count: Int<u32>) -> PyResult<()> {
        self.0.set(Core::new(count.0).map_err(to_py::<ThreadError>)?)
    }

    /// Adds 1 (`uv_sem_post`). ThreadError at the largest value, 2,147,483,647.
    fn post(&self) -> PyResult<()> {
        self.0.get()?.post().map_err(to_py::<ThreadError>)
    }

    /// Takes 1 away, when there is something to take (`uv_sem_wait`).
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.0.get()?;
        block(py, || core.attempt())
    }

    /// Takes 1 away if that needs no waiting; says whether it did (`uv_sem_trywait`).
    fn trywait(&self) -> PyResult<bool> {
        Ok(self.0.get()?.try_wait())
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().wait(slf.py())?;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.post()
    }

    fn __traverse__(&self, _visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}
