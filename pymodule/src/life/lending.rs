//! Memory of Python objects that the core works with, where the collector sees whose it is.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::slot::PySlot;
use crate::buffer::{Pieces, View};

/// Views of what was lent; none where that is `bytes` alone.
pub type Views = Vec<Arc<View>>;

/// What was lent for something that is in flight, kept by whatever Python object that is.
///
/// The core holds the same views, and lets go of its own when it is done: the memory outlives this
/// object, which the collector may take away at any time. Of `bytes` there is nothing to be seen.
#[pyclass(frozen, module = "pyuv")]
pub struct Lending {
    /// Never None, but that is what the zeroes are that the collector may see (see `ActiveTable`).
    views: Option<Box<[Arc<View>]>>,
    /// The callable of what is in flight, where this stands in its place.
    callable: PySlot,
}

impl Lending {
    /// What these pieces lend; None where that is `bytes` alone.
    pub fn of<'py>(py: Python<'py>, pieces: &Pieces) -> PyResult<Option<Bound<'py, Lending>>> {
        Lending::new(py, pieces.views())
    }

    /// What these views are of; None where there is none.
    pub fn new<'py>(py: Python<'py>, views: Views) -> PyResult<Option<Bound<'py, Lending>>> {
        if views.is_empty() {
            return Ok(None);
        }
        let views = Some(views.into_boxed_slice());
        Bound::new(py, Lending { views, callable: PySlot::new() }).map(Some)
    }

    /// Stands in the place of a callable.
    pub fn with<'py>(
        slf: Bound<'py, Lending>,
        callable: Option<Bound<'py, PyAny>>,
    ) -> Bound<'py, PyAny> {
        slf.get().callable.set(callable);
        slf.into_any()
    }

    /// The callable that `object` is, or stands in the place of. What it lends is let go.
    pub fn callable(object: Bound<'_, PyAny>) -> Option<Bound<'_, PyAny>> {
        match object.cast_exact::<Lending>() {
            Ok(lending) => lending.get().callable.take(object.py()),
            Err(_) => Some(object),
        }
    }
}

#[pymethods]
impl Lending {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.views.iter().flatten().try_for_each(|view| view.visit(&visit))?;
        self.callable.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.callable.clear(py);
    }
}
