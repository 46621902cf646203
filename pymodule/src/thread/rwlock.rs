//! `pyuv.thread.RWLock`.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::thread::RwLock as Core;

use super::block::block;
use super::primitive::Primitive;
use crate::error::{ThreadError, to_py};

/// A lock that many threads hold for reading, or one for writing (`uv_rwlock_t`).
///
/// While a writer waits, only threads that are reading already may read again.
///
/// `with lock.reading():` and `with lock.writing():` lock and unlock; `with lock:` is for writing.
#[pyclass(module = "pyuv.thread", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct RWLock(Primitive<Core>);

impl Drop for RWLock {
    fn drop(&mut self) {
        self.0.leak_if(Core::is_locked, "RWLock");
    }
}

#[pymethods]
impl RWLock {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "()")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> RWLock {
        RWLock(Primitive::new())
    }

    fn __init__(&self) -> PyResult<()> {
        self.0.set(Core::new())
    }

    /// Locks for reading (`uv_rwlock_rdlock`). ThreadError if this thread is writing.
    fn rdlock(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.0.get()?;
        block(py, || core.attempt_read())
    }

    /// Ends reading (`uv_rwlock_rdunlock`). ThreadError if this thread is not reading.
    fn rdunlock(&self) -> PyResult<()> {
        self.0.get()?.read_unlock().map_err(to_py::<ThreadError>)
    }

    /// Locks for reading if that needs no waiting; says whether it did (`uv_rwlock_tryrdlock`).
    fn tryrdlock(&self) -> PyResult<bool> {
        self.0.get()?.try_read_lock().map_err(to_py::<ThreadError>)
    }

    /// Locks for writing (`uv_rwlock_wrlock`). ThreadError if this thread holds the lock already.
    fn wrlock(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.0.get()?;
        block(py, || core.attempt_write())
    }

    /// Ends writing (`uv_rwlock_wrunlock`). ThreadError if this thread is not writing.
    fn wrunlock(&self) -> PyResult<()> {
        self.0.get()?.write_unlock().map_err(to_py::<ThreadError>)
    }

    /// Locks for writing if that needs no waiting; says whether it did (`uv_rwlock_trywrlock`).
    fn trywrlock(&self) -> PyResult<bool> {
        Ok(self.0.get()?.try_write_lock())
    }

    /// A context manager that locks for reading.
    fn reading(slf: &Bound<'_, Self>) -> RWLockGuard {
        RWLockGuard { lock: slf.clone().unbind(), write: false }
    }

    /// A context manager that locks for writing.
    fn writing(slf: &Bound<'_, Self>) -> RWLockGuard {
        RWLockGuard { lock: slf.clone().unbind(), write: true }
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().wrlock(slf.py())?;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.wrunlock()
    }

    fn __traverse__(&self, _visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}

/// What `RWLock.reading` and `RWLock.writing` return.
#[pyclass(module = "pyuv.thread", frozen)]
pub struct RWLockGuard {
    lock: Py<RWLock>,
    write: bool,
}

#[pymethods]
impl RWLockGuard {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, RWLock>> {
        let lock = self.lock.bind(py);
        if self.write { lock.get().wrlock(py) } else { lock.get().rdlock(py) }?;
        Ok(lock.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let lock = self.lock.get();
        if self.write { lock.wrunlock() } else { lock.rdunlock() }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.lock)
    }
}
