//! `uv_fs_t`: an operation that was submitted with a callback.

use std::cell::UnsafeCell;
use std::sync::OnceLock;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyuv::{Error, Request};

use crate::error::{FSError, to_py};
use crate::event_loop::Loop;

/// What an operation is about, as Python gave it.
#[derive(Default)]
pub struct About {
    pub path: Option<Py<PyAny>>,
    pub path2: Option<Py<PyAny>>,
    pub fd: Option<i32>,
}

/// How an operation ended.
enum Ended {
    Result(Py<PyAny>),
    Error(i32),
}

/// The callback until it is called.
///
/// Only the loop's thread takes it, attached; the collector looks at it, and clears it when
/// nobody can reach the request, not even the loop.
struct Callback(UnsafeCell<Option<Py<PyAny>>>);

// SAFETY: see above: never two at a time.
unsafe impl Send for Callback {}
// SAFETY: as for Send.
unsafe impl Sync for Callback {}

/// A filesystem operation that was started with a callback, which gets this object.
#[pyclass(frozen, subclass, dict, weakref, module = "pyuv.fs")]
pub struct FSRequest {
    event_loop: Py<Loop>,
    about: About,
    callback: Callback,
    ended: OnceLock<Ended>,
    request: OnceLock<Request>,
}

impl FSRequest {
    pub fn new(event_loop: Py<Loop>, about: About, callback: Py<PyAny>) -> FSRequest {
        FSRequest {
            event_loop,
            about,
            callback: Callback(UnsafeCell::new(Some(callback))),
            ended: OnceLock::new(),
            request: OnceLock::new(),
        }
    }

    /// Remembers what `cancel` needs.
    pub fn submitted(&self, request: Request) {
        let _ = self.request.set(request);
    }

    /// Remembers how it ended. Gives the callback, which is to be called now.
    ///
    /// # Safety
    /// The caller is the loop's thread, attached.
    pub unsafe fn ended(&self, outcome: Result<Py<PyAny>, i32>) -> Option<Py<PyAny>> {
        let _ = self.ended.set(match outcome {
            Ok(result) => Ended::Result(result),
            Err(code) => Ended::Error(code),
        });
        // SAFETY: the caller is the one that may take it.
        unsafe { (*self.callback.0.get()).take() }
    }
}

#[pymethods]
impl FSRequest {
    /// The loop it was submitted to.
    #[getter(r#loop)]
    fn event_loop(&self, py: Python<'_>) -> Py<Loop> {
        self.event_loop.clone_ref(py)
    }

    /// The path it is about, as it was given, or None.
    #[getter]
    fn path(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.about.path.as_ref().map(|path| path.clone_ref(py))
    }

    /// The second path of rename, link and symlink, as it was given, or None.
    #[getter]
    fn path2(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.about.path2.as_ref().map(|path| path.clone_ref(py))
    }

    /// The file descriptor it is about, or None.
    #[getter]
    fn fd(&self) -> Option<i32> {
        self.about.fd
    }

    /// What the operation gave; None while it runs, and if it failed.
    #[getter]
    fn result(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self.ended.get() {
            Some(Ended::Result(result)) => Some(result.clone_ref(py)),
            _ => None,
        }
    }

    /// The code of pyuv.errno it failed with; None while it runs, and if it did not fail.
    #[getter]
    fn error(&self) -> Option<i32> {
        match self.ended.get() {
            Some(Ended::Error(code)) => Some(*code),
            _ => None,
        }
    }

    /// Takes the operation back if it has not begun (uv_cancel): its callback then gets
    /// UV_ECANCELED. Returns whether it did; False for one that runs or is over.
    fn cancel(&self) -> PyResult<bool> {
        match self.request.get().map(Request::cancel) {
            None | Some(Err(Error::LoopClosed)) => Ok(false),
            Some(cancelled) => cancelled.map_err(to_py::<FSError>),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.about.path)?;
        visit.call(&self.about.path2)?;
        if let Some(Ended::Result(result)) = self.ended.get() {
            visit.call(result)?;
        }
        // SAFETY: while the collector visits, nobody takes the callback.
        visit.call(unsafe { &*self.callback.0.get() })
    }

    fn __clear__(&self) {
        // SAFETY: the collector clears what nobody can reach any more.
        drop(unsafe { (*self.callback.0.get()).take() });
    }
}
