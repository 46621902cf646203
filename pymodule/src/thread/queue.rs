//! `pyuv.thread.Queue`.
//!
//! # The garbage collector
//!
//! It has to see the items, and `__traverse__` may not lock: a thread that it stopped might hold
//! the lock. It does without, because items are put in, taken out and moved by attached threads
//! only, which between locking and unlocking neither detach, nor call Python, nor allocate with
//! it, so that nothing in there can start a collection:
//!
//! - With a GIL the collector runs in the thread that holds it. No other thread is attached, so
//!   none is between lock and unlock; and the collector's own thread is not, by the above.
//! - Without one the collector first stops the world: it waits until every other thread is
//!   detached or has stopped where the interpreter lets it. A thread between lock and unlock is
//!   neither, and is waited for. One that waits for the lock is attached, too: the world is not
//!   stopped before it has had it. Its holder needs nothing of Python to unlock, so that ends.
//!
//! Detached threads, those that sleep, touch only their own call. `os.fork` is alike: the thread
//! that forks has the GIL, or has stopped the world, so that in a child nobody has the lock.

use std::collections::VecDeque;

use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::thread::{Get, How, Put, Queue as Core};

use super::block::{block, sleep};
use super::limit::Limit;
use super::primitive::Primitive;
use super::queue_error::{empty, full, shut_down};
use crate::life::discard::discard;
use crate::util::argument::{Int, Truth};

/// Items that some threads put in and others take out: `queue.Queue`, in Rust.
///
/// `maxsize` is how many items there is room for; any number if it is 0 or less.
#[pyclass(module = "pyuv.thread", subclass, weakref, frozen, generic)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Queue {
    core: Primitive<Core<Py<PyAny>>>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            discard(core.drain());
        }
    }
}

impl Queue {
    #[inline]
    fn put_item(&self, py: Python<'_>, item: Py<PyAny>, limit: Limit) -> PyResult<()> {
        match self.core.get()?.attempt_put(item, limit.how()) {
            Put::Done => Ok(()),
            pending => self.finish_put(py, pending, limit),
        }
    }

    #[cold]
    fn finish_put<'a>(
        &'a self,
        py: Python<'_>,
        mut pending: Put<'a, Py<PyAny>>,
        limit: Limit,
    ) -> PyResult<()> {
        let core = self.core.get()?;
        let mut deadline = None;
        loop {
            let (ticket, item) = match pending {
                Put::Done => return Ok(()),
                Put::Full(_) => return Err(full(py)),
                Put::ShutDown(_) => return Err(shut_down(py)),
                Put::NoMemory(_) => return Err(PyMemoryError::new_err(())),
                Put::Wait(ticket, item) => (ticket, item),
            };
            let until = match deadline {
                Some(until) => until,
                None => *deadline.insert(limit.deadline()?),
            };
            let called = sleep(py, ticket, until)?;
            pending = core.attempt_put(item, if called { How::Called } else { How::Once });
        }
    }

    #[inline]
    fn get_item(&self, py: Python<'_>, limit: Limit) -> PyResult<Py<PyAny>> {
        match self.core.get()?.attempt_get(limit.how()) {
            Get::Done(item) => Ok(item),
            pending => self.finish_get(py, pending, limit),
        }
    }

    #[cold]
    fn finish_get<'a>(
        &'a self,
        py: Python<'_>,
        mut pending: Get<'a, Py<PyAny>>,
        limit: Limit,
    ) -> PyResult<Py<PyAny>> {
        let core = self.core.get()?;
        let mut deadline = None;
        loop {
            let ticket = match pending {
                Get::Done(item) => return Ok(item),
                Get::Empty => return Err(empty(py)),
                Get::ShutDown => return Err(shut_down(py)),
                Get::Wait(ticket) => ticket,
            };
            let until = match deadline {
                Some(until) => until,
                None => *deadline.insert(limit.deadline()?),
            };
            let called = sleep(py, ticket, until)?;
            pending = core.attempt_get(if called { How::Called } else { How::Once });
        }
    }
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(maxsize=0)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Queue {
        Queue { core: Primitive::new() }
    }

    #[pyo3(signature = (maxsize=Int(0)))]
    fn __init__(&self, maxsize: Int<isize>) -> PyResult<()> {
        self.core.set(Core::new(maxsize.0))?;
        Ok(())
    }

    /// Puts an item in; waits for room if `block`, for `timeout` seconds at most.
    ///
    /// Raises Full if there is none, ShutDown if the queue was shut down, ValueError for a
    /// negative timeout.
    #[pyo3(
        signature = (item, block=Truth(true), timeout=None),
        text_signature = "($self, item, block=True, timeout=None)"
    )]
    fn put(
        &self,
        item: Bound<'_, PyAny>,
        block: Truth,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let limit = Limit::new(block.0, timeout, || {
            let core = self.core.get()?;
            Ok(core.maxsize() > 0 && !core.is_shut_down())
        })?;
        self.put_item(item.py(), item.unbind(), limit)
    }

    /// Puts an item in if there is room at once; raises Full otherwise.
    fn put_nowait(&self, item: Bound<'_, PyAny>) -> PyResult<()> {
        self.put_item(item.py(), item.unbind(), Limit::Now)
    }

    /// Takes an item out; waits for one if `block`, for `timeout` seconds at most.
    ///
    /// Raises Empty if there is none, ShutDown if the queue was shut down and none is left,
    /// ValueError for a negative timeout.
    #[pyo3(
        signature = (block=Truth(true), timeout=None),
        text_signature = "($self, block=True, timeout=None)"
    )]
    fn get(
        &self,
        py: Python<'_>,
        block: Truth,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let limit = Limit::new(block.0, timeout, || {
            let core = self.core.get()?;
            Ok(!core.is_shut_down() || !core.is_empty())
        })?;
        self.get_item(py, limit)
    }

    /// Takes an item out if there is one; raises Empty otherwise.
    fn get_nowait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.get_item(py, Limit::Now)
    }

    /// Declares an item that was taken out done.
    ///
    /// Raises ValueError if that was said of all items already.
    fn task_done(&self) -> PyResult<()> {
        match self.core.get()?.task_done() {
            true => Ok(()),
            false => Err(PyValueError::new_err("task_done() called too many times")),
        }
    }

    /// Waits until every item that was put in is declared done.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.core.get()?;
        block(py, || Ok(core.attempt_join()))
    }

    /// Lets no more items in: puts raise ShutDown from now on, and gets when no item is left.
    ///
    /// With `immediate`, all items are taken out, as done, and dropped. Whoever waits is called.
    #[pyo3(
        signature = (immediate=Truth(false)),
        text_signature = "($self, immediate=False)"
    )]
    fn shutdown(&self, immediate: Truth) -> PyResult<()> {
        discard(self.core.get()?.shut_down(immediate.0));
        Ok(())
    }

    /// How many items are in.
    fn qsize(&self) -> PyResult<usize> {
        Ok(self.core.get()?.len())
    }

    /// Whether no item is in.
    fn empty(&self) -> PyResult<bool> {
        Ok(self.core.get()?.is_empty())
    }

    /// Whether there is no room.
    fn full(&self) -> PyResult<bool> {
        Ok(self.core.get()?.is_full())
    }

    /// How many items there is room for; any number if it is 0 or less. It can be changed.
    #[getter]
    fn maxsize(&self) -> PyResult<isize> {
        Ok(self.core.get()?.maxsize())
    }

    #[setter]
    fn set_maxsize(&self, maxsize: Int<isize>) -> PyResult<()> {
        self.core.get()?.set_maxsize(maxsize.0);
        Ok(())
    }

    /// How many items were put in and not declared done.
    #[getter]
    fn unfinished_tasks(&self) -> PyResult<usize> {
        Ok(self.core.get()?.unfinished())
    }

    /// Whether the queue was shut down.
    #[getter]
    fn is_shutdown(&self) -> PyResult<bool> {
        Ok(self.core.get()?.is_shut_down())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(core) = self.core.get() else { return Ok(()) };
        // SAFETY: see the top of this file: no thread is inside a method of the core.
        let mut items = unsafe { core.peek() };
        items.try_for_each(|item| visit.call(item))
    }

    fn __clear__(&self) {
        discard(self.core.get().map_or_else(|_| VecDeque::new(), Core::drain));
    }
}
