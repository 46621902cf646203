//! `pyuv.thread.Mutex`.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::thread::Mutex as Core;

use super::block::block;
use super::primitive::Primitive;
use crate::error::{ThreadError, to_py};

/// A lock that one thread at a time holds (`uv_mutex_t`); with `recursive=True`, as often as it
/// likes.
///
/// A context manager: `with mutex:` locks and unlocks.
#[pyclass(module = "pyuv.thread", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Mutex(Primitive<Core>);

impl Drop for Mutex {
    fn drop(&mut self) {
        self.0.leak_if(Core::is_locked, "Mutex");
    }
}

impl Mutex {
    /// The core mutex.
    pub fn core(&self) -> PyResult<&Core> {
        self.0.get()
    }

    /// Unlocks at the end of a `with` block. An exception that a wait left with, without the
    /// mutex, is not to be hidden behind another.
    pub fn exit(&self, exception: &Bound<'_, PyAny>) -> PyResult<()> {
        if !exception.is_none() && !self.core()?.is_held() {
            return Ok(());
        }
        self.unlock()
    }
}

#[pymethods]
impl Mutex {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(*, recursive=False)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Mutex {
        Mutex(Primitive::new())
    }

    #[pyo3(signature = (*, recursive=false))]
    fn __init__(&self, recursive: bool) -> PyResult<()> {
        self.0.set(Core::new(recursive))
    }

    /// Whether the thread that holds the mutex may lock it again.
    #[getter]
    fn recursive(&self) -> PyResult<bool> {
        Ok(self.core()?.is_recursive())
    }

    /// Locks the mutex, when it is free (`uv_mutex_lock`).
    ///
    /// ThreadError if this thread holds it already and it is not recursive.
    pub fn lock(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.core()?;
        block(py, || core.attempt())
    }

    /// Unlocks the mutex (`uv_mutex_unlock`). ThreadError if this thread does not hold it.
    fn unlock(&self) -> PyResult<()> {
        self.core()?.unlock().map_err(to_py::<ThreadError>)
    }

    /// Locks the mutex if that needs no waiting; says whether it did (`uv_mutex_trylock`).
    fn trylock(&self) -> PyResult<bool> {
        self.core()?.try_lock().map_err(to_py::<ThreadError>)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().lock(slf.py())?;
        Ok(slf.clone())
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        exception: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.exit(exception)
    }

    fn __traverse__(&self, _visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}
