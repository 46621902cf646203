//! The transports that are open, by their descriptors: the event loop keeps them until their connections
//! are lost.

use std::cell::RefCell;
use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::StreamCore;

/// Nothing is dropped while it is borrowed.
#[derive(Default)]
pub struct Transports(RefCell<HashMap<i32, Py<StreamCore>>>);

impl Transports {
    pub fn insert(&self, fd: i32, core: &Bound<'_, StreamCore>) {
        let old = self.0.borrow_mut().insert(fd, core.clone().unbind());
        drop(old);
    }

    pub fn get<'py>(&self, py: Python<'py>, fd: i32) -> Option<Bound<'py, StreamCore>> {
        Some(self.0.borrow().get(&fd)?.bind(py).clone())
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
