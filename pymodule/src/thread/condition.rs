//! `pyuv.thread.Condition`.

use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::thread::{Attempt, Condition as Core, Released};

use super::block::{block, sleep};
use super::mutex::Mutex;
use super::primitive::Primitive;
use crate::error::{ThreadError, to_py};
use crate::life::slot::PySlot;
use crate::seconds::duration;

/// How long a thread that leaves a wait with an exception tries to have its mutex again.
const PATIENCE: Duration = Duration::from_millis(50);

/// Waiting, with a mutex, for something to become true (`uv_cond_t`).
///
/// `lock` is the `Mutex` to use; without it, the condition makes one. A context manager:
/// `with condition:` locks and unlocks that mutex.
#[pyclass(module = "pyuv.thread", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Condition {
    core: Primitive<Core>,
    /// Set once, by `__init__`. A slot is what the collector may see before it is filled.
    slot: PySlot,
}

impl Condition {
    fn own_mutex<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Mutex>> {
        self.core.get()?;
        let mutex = self.slot.get(py).ok_or_else(|| {
            PyRuntimeError::new_err("the condition is not set up, or not any more")
        })?;
        Ok(mutex.cast_into()?)
    }

    /// Waits with the mutex given, or the condition's own; says whether there was a signal.
    fn wait_until(
        &self,
        py: Python<'_>,
        mutex: Option<&Bound<'_, Mutex>>,
        deadline: Option<Instant>,
    ) -> PyResult<bool> {
        let core = self.core.get()?;
        let mutex = mutex.map_or_else(|| self.own_mutex(py), |mutex| Ok(mutex.clone()))?;
        let (ticket, released) = core.begin(mutex.get().core()?).map_err(to_py::<ThreadError>)?;
        match sleep(py, ticket, deadline) {
            Ok(signalled) => {
                block(py, || released.attempt())?;
                Ok(signalled)
            }
            Err(raised) => {
                relock_soon(py, &released);
                Err(raised)
            }
        }
    }
}

/// Locks the mutex again, if that is possible within `PATIENCE`.
fn relock_soon(py: Python<'_>, released: &Released<'_>) {
    let deadline = Instant::now() + PATIENCE;
    while let Ok(Attempt::Wait(ticket)) = released.attempt() {
        let left = deadline.saturating_duration_since(Instant::now());
        if !py.detach(|| ticket.wait(Some(left))) && !ticket.give_up() {
            return;
        }
    }
}

/// The arguments of `timedwait`: `(timeout)`, or `(mutex, timeout)` as in the code of pyuv 1.4.
fn mutex_and_timeout<'py>(
    arguments: &Bound<'py, PyTuple>,
    keyword: Option<f64>,
) -> PyResult<(Option<Bound<'py, Mutex>>, f64)> {
    let item = |index| arguments.get_item(index);
    match (arguments.len(), keyword) {
        (0, Some(timeout)) => Ok((None, timeout)),
        (1, None) => Ok((None, item(0)?.extract()?)),
        (1, Some(timeout)) => Ok((Some(item(0)?.cast_into()?), timeout)),
        (2, None) => Ok((Some(item(0)?.cast_into()?), item(1)?.extract()?)),
        _ => Err(PyTypeError::new_err("timedwait takes a timeout, or a Mutex and a timeout")),
    }
}

#[pymethods]
impl Condition {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(lock=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Condition {
        Condition { core: Primitive::new(), slot: PySlot::new() }
    }

    #[pyo3(signature = (lock=None))]
    fn __init__(&self, py: Python<'_>, lock: Option<Bound<'_, Mutex>>) -> PyResult<()> {
        let mutex = match lock {
            Some(mutex) => mutex,
            None => py.get_type::<Mutex>().call0()?.cast_into()?,
        };
        mutex.get().core()?;
        self.core.set(Core::new())?;
        self.slot.set(Some(mutex.into_any()));
        Ok(())
    }

    /// The mutex of this condition.
    #[getter]
    fn mutex<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Mutex>> {
        self.own_mutex(py)
    }

    /// Wakes the thread that has waited longest (`uv_cond_signal`).
    fn signal(&self) -> PyResult<()> {
        self.core.get()?.signal();
        Ok(())
    }

    /// Wakes all threads that wait (`uv_cond_broadcast`).
    fn broadcast(&self) -> PyResult<()> {
        self.core.get()?.broadcast();
        Ok(())
    }

    /// Unlocks the mutex, waits for a signal and locks it again (`uv_cond_wait`).
    ///
    /// ThreadError if this thread does not hold it. `mutex` is another one to use, as in the code
    /// of pyuv 1.4.
    #[pyo3(signature = (mutex=None))]
    fn wait(&self, py: Python<'_>, mutex: Option<Bound<'_, Mutex>>) -> PyResult<()> {
        self.wait_until(py, mutex.as_ref(), None).map(drop)
    }

    /// The same, for `timeout` seconds at most (`uv_cond_timedwait`): True if there was a signal.
    ///
    /// Also called as `timedwait(mutex, timeout)`.
    #[pyo3(signature = (*arguments, timeout=None))]
    fn timedwait(
        &self,
        py: Python<'_>,
        arguments: &Bound<'_, PyTuple>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        let (mutex, timeout) = mutex_and_timeout(arguments, timeout)?;
        // Out of the clock's range is for ever.
        let deadline = Instant::now().checked_add(duration("timeout", timeout)?);
        self.wait_until(py, mutex.as_ref(), deadline)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().own_mutex(slf.py())?.get().lock(slf.py())?;
        Ok(slf.clone())
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        exception: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.own_mutex(exception.py())?.get().exit(exception)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.slot.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.slot.clear(py);
    }
}
