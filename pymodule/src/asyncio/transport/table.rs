//! The transports that are open, by their descriptors: the event loop keeps them until their connections
//! are lost.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::Held;
use rustc_hash::FxHashMap;

use super::StreamCore;
use super::closing::end_if_closed;

/// Nothing is dropped while it is borrowed.
#[derive(Default)]
pub struct Transports(RefCell<FxHashMap<i32, Py<StreamCore>>>);

impl Transports {
    pub fn insert(&self, fd: i32, core: &Bound<'_, StreamCore>) {
        let old = self.0.borrow_mut().insert(fd, core.clone().unbind());
        drop(old);
    }

    /// Whether there is one with the descriptor, even if it is closing that.
    pub fn has(&self, fd: i32) -> bool {
        self.0.borrow().contains_key(&fd)
    }

    /// The transport that has the descriptor, and is not closing it.
    pub fn in_use(&self, py: Python<'_>, held: &Held, fd: i32) -> PyResult<Option<Py<PyAny>>> {
        let found = self.0.borrow().get(&fd).map(|core| core.bind(py).clone());
        let Some(core) = found else { return Ok(None) };
        if end_if_closed(&core)? { Ok(None) } else { Ok(core.get().in_use(py, held)) }
    }

    /// Forgets a transport, unless another has the number by now.
    pub fn remove(&self, fd: i32, core: &Bound<'_, StreamCore>) {
        let mut table = self.0.borrow_mut();
        let kept = table.remove(&fd);
        let ours = kept.as_ref().is_some_and(|kept| kept.is(core));
        if !ours && let Some(other) = kept {
            table.insert(fd, other);
        } else {
            drop(table);
            drop(kept);
        }
    }

    /// All of them, which are the caller's then.
    pub fn take(&self) -> Vec<Py<StreamCore>> {
        self.0.take().into_values().collect()
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.borrow().values().try_for_each(|core| visit.call(core))
    }
}
