//! `pyuv.thread.Barrier`.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::thread::{Attempt, Barrier as Core};

use super::block::sleep;
use super::primitive::Primitive;
use crate::error::{ThreadError, to_py};
use crate::util::argument::Int;

/// Holds threads until `count` of them have come, again and again (`uv_barrier_t`).
///
/// A context manager: `with barrier as told:` waits first, and `told` is what `wait` returns.
#[pyclass(module = "pyuv.thread", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Barrier(Primitive<Core>);

#[pymethods]
impl Barrier {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(count)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Barrier {
        Barrier(Primitive::new())
    }

    fn __init__(&self, count: Int<u32>) -> PyResult<()> {
        self.0.set(Core::new(count.0).map_err(to_py::<ThreadError>)?)
    }

    /// Waits until enough threads have come; True for one of them (`uv_barrier_wait`).
    ///
    /// A thread that leaves with an exception, at Ctrl-C, has not come.
    fn wait(&self, py: Python<'_>) -> PyResult<bool> {
        match self.0.get()?.attempt().map_err(to_py::<ThreadError>)? {
            Attempt::Done(()) => Ok(true),
            Attempt::Wait(ticket) => sleep(py, ticket, None).map(|_called| false),
        }
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.wait(py)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {}

    fn __traverse__(&self, _visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}
