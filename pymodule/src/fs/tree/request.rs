//! A job on a tree that was submitted with a callback.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::PyList;

use crate::call::call;
use crate::error::{FSError, in_call};
use crate::fs::request::{About, FSRequest};
use crate::fs::tree::options::Options;
use crate::fs::tree::results::progress_result;
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::Once;

/// A job on a tree that was started with a callback, which gets this object.
#[pyclass(extends = FSRequest, frozen, subclass, module = "pyuv.fs")]
pub struct TreeRequest {
    core: Once<pyuv_fs::tree::TreeRequest>,
    told_progress: PySlot,
    told_batch: PySlot,
    /// Set once. A slot, since zeroes are an empty one (see `ActiveTable`).
    errors: PySlot,
}

/// What of a request is called.
#[derive(Clone, Copy)]
pub enum Tell {
    Progress,
    Batch,
}

impl TreeRequest {
    pub fn new<'py>(
        event_loop: &Bound<'py, Loop>,
        about: About,
        callback: Bound<'py, PyAny>,
        options: &Options<'py>,
        told_batch: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, TreeRequest>> {
        let request = TreeRequest {
            core: Once::new(),
            told_progress: PySlot::new(),
            told_batch: PySlot::new(),
            errors: PySlot::new(),
        };
        request.told_progress.set(options.progress.clone());
        request.told_batch.set(told_batch);
        let base = FSRequest::unsubmitted(event_loop, about, callback);
        Bound::new(event_loop.py(), PyClassInitializer::from(base).add_subclass(request))
    }

    /// Has the loop keep the request until it has ended.
    pub fn submitted(
        slf: &Bound<'_, TreeRequest>,
        event_loop: &Bound<'_, Loop>,
        held: &pyuv::Held,
        core: pyuv_fs::tree::TreeRequest,
    ) {
        let _ = slf.get().core.set(core);
        FSRequest::keep(slf.as_super(), event_loop, held);
    }

    /// Calls what wants to be told of something, and gives what it raises to the loop.
    pub fn tell(
        slf: &Bound<'_, TreeRequest>,
        tell: Tell,
        make: impl FnOnce() -> PyResult<Py<PyAny>>,
    ) {
        let (py, this) = (slf.py(), slf.get());
        let slot = match tell {
            Tell::Progress => &this.told_progress,
            Tell::Batch => &this.told_batch,
        };
        let Some(callable) = slot.get(py) else { return };
        if let Err(error) = make().and_then(|told| call(&callable, [told.bind(py)])) {
            FSRequest::raised(slf.as_super(), "progress", error);
        }
    }

    /// Ends the request: see [`FSRequest::end`].
    pub fn end(
        slf: &Bound<'_, TreeRequest>,
        outcome: pyuv::Result<PyResult<Py<PyAny>>>,
        errors: Option<Bound<'_, PyList>>,
    ) {
        let (py, this) = (slf.py(), slf.get());
        this.told_progress.clear(py);
        this.told_batch.clear(py);
        if let Some(errors) = errors {
            this.errors.set(Some(errors.into_any()));
        }
        FSRequest::end(slf.as_super(), outcome);
    }
}

#[pymethods]
impl TreeRequest {
    /// Every path that failed, as (path, code of pyuv.errno): at the end, and empty before.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.errors.get(py).unwrap_or_else(|| PyList::empty(py).into_any())
    }

    /// How far it is, or was when it ended, as a tree_progress.
    #[getter]
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        progress_result(py, self.core.get().map(|core| core.progress()).unwrap_or_default())
    }

    /// Has the job end as soon as it can, with UV_ECANCELED. What it has done stays done. Returns
    /// whether it was still going on.
    fn cancel(&self) -> PyResult<bool> {
        self.core
            .get()
            .map_or(Ok(false), |core| core.cancel().map_err(in_call::<FSError>("cancel")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.told_progress.visit(&visit)?;
        self.told_batch.visit(&visit)?;
        self.errors.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.told_progress.clear(py);
        self.told_batch.clear(py);
    }
}
