//! The ready queue: what is called in the next round.

use std::cell::RefCell;
use std::collections::VecDeque;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::{context, handles};

/// What waits to be called.
pub enum Entry {
    /// An `asyncio.Handle`.
    Handle(Py<PyAny>),
    /// A callable with at most one argument and its context: most of all, tasks and futures have
    /// nobody who would keep a handle.
    Call { callable: Py<PyAny>, argument: Option<Py<PyAny>>, context: Py<PyAny> },
}

impl Entry {
    /// Shows what it has to the collector.
    pub fn track(&self, py: Python<'_>) {
        if let Entry::Handle(handle) = self {
            handles::track(handle.bind(py));
        }
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Entry::Handle(handle) => visit.call(handle),
            Entry::Call { callable, argument, context } => {
                visit.call(callable)?;
                visit.call(argument)?;
                visit.call(context)
            }
        }
    }
}

/// Calls `callable(argument)` or `callable()` in `context`.
#[inline]
pub fn call(
    callable: &Bound<'_, PyAny>,
    argument: Option<&Bound<'_, PyAny>>,
    context: &Bound<'_, PyAny>,
) -> PyResult<()> {
    context::within(context, || match argument {
        Some(argument) => crate::call::call(callable, [argument]),
        None => crate::call::call(callable, []),
    })
}

/// First in, first out. Nothing is dropped while it is borrowed.
#[derive(Default)]
pub struct Ready(RefCell<VecDeque<Entry>>);

impl Ready {
    #[inline]
    pub fn push(&self, entry: Entry) {
        self.0.borrow_mut().push_back(entry);
    }

    #[inline]
    pub fn pop(&self) -> Option<Entry> {
        self.0.borrow_mut().pop_front()
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub fn extend(&self, entries: impl IntoIterator<Item = Entry>) {
        self.0.borrow_mut().extend(entries);
    }

    /// Shows all of it to the collector.
    pub fn track(&self, py: Python<'_>) {
        self.0.borrow().iter().for_each(|entry| entry.track(py));
    }

    pub fn clear(&self) {
        let entries = self.0.take();
        drop(entries);
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.borrow().iter().try_for_each(|entry| entry.visit(visit))
    }
}
