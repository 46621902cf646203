//! `uv_fs_t`: an operation that was submitted with a callback.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::{Code, Held, Request};

use crate::call::call;
use crate::error::{FSError, in_call};
use crate::life::active::ActiveKey;
use crate::life::lending::Lending;
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::Once;

/// What an operation is about, as Python gave it.
#[derive(Default)]
pub struct About {
    /// The function's name.
    pub call: &'static str,
    pub path: Option<Py<PyAny>>,
    pub path2: Option<Py<PyAny>>,
    pub fd: Option<i32>,
    /// Whose memory it works with.
    pub lending: Option<Py<Lending>>,
}

/// How an operation ended.
enum Ended {
    Result(Py<PyAny>),
    Error {
        code: i32,
        /// How many bytes had been written, where the operation says so.
        written: Option<u64>,
    },
}

/// A filesystem operation that was started with a callback, which gets this object.
///
/// It is generic in what the operation gives, `FSRequest[int]` for instance, and may be given any attributes.
#[pyclass(frozen, generic, subclass, weakref, module = "pyuv.fs")]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct FSRequest {
    about: About,
    ended: Once<Ended>,
    core: Once<Request>,
    event_loop: PySlot,
    callback: PySlot,
    lending: PySlot,
    key: ActiveKey,
}

impl FSRequest {
    pub fn new<'py>(
        event_loop: &Bound<'py, Loop>,
        about: About,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, FSRequest>> {
        Bound::new(event_loop.py(), FSRequest::unsubmitted(event_loop, about, callback))
    }

    /// What a request begins as, for a class that is made of this one.
    pub fn unsubmitted(
        event_loop: &Bound<'_, Loop>,
        mut about: About,
        callback: Bound<'_, PyAny>,
    ) -> FSRequest {
        let (py, lending) = (event_loop.py(), about.lending.take());
        let request = FSRequest {
            about,
            ended: Once::new(),
            core: Once::new(),
            event_loop: PySlot::new(),
            callback: PySlot::new(),
            lending: PySlot::new(),
            key: ActiveKey::default(),
        };
        request.lending.set(lending.map(|lending| lending.into_bound(py).into_any()));
        request.event_loop.set(Some(event_loop.clone().into_any()));
        request.callback.set(Some(callback));
        request
    }

    /// Has the loop keep the request until it has ended.
    pub fn submitted(
        slf: &Bound<'_, FSRequest>,
        event_loop: &Bound<'_, Loop>,
        held: &Held,
        core: Request,
    ) {
        let _ = slf.get().core.set(core);
        FSRequest::keep(slf, event_loop, held);
    }

    /// Has the loop keep the request until it has ended.
    pub fn keep(slf: &Bound<'_, FSRequest>, event_loop: &Bound<'_, Loop>, held: &Held) {
        slf.get().key.keep(event_loop.get().active.get(held), slf.as_any());
    }

    /// What it is about.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Gives an exception of a callback to the loop that the request was submitted to.
    pub fn raised(slf: &Bound<'_, FSRequest>, event: &str, error: PyErr) {
        if let Some(event_loop) = slf.get().event_loop.get(slf.py()) {
            // SAFETY: the slot is set from a Bound<Loop> alone.
            let event_loop = unsafe { event_loop.cast_into_unchecked::<Loop>() };
            Loop::handle_exception(&event_loop, error, Some((slf.as_any(), event)));
        }
    }

    /// Remembers how the operation ended, lets the loop let the request go, and calls back.
    pub fn end(slf: &Bound<'_, FSRequest>, outcome: pyuv::Result<PyResult<Py<PyAny>>>) {
        let (py, this) = (slf.py(), slf.get());
        let Some(event_loop) = this.event_loop.get(py) else { return };
        // SAFETY: the slot is set from a Bound<Loop> alone.
        let event_loop = unsafe { event_loop.cast_into_unchecked::<Loop>() };
        Loop::release(&event_loop, &this.key);
        let ended = match outcome {
            Ok(Ok(result)) => Ended::Result(result),
            Ok(Err(error)) => {
                // For want of memory, say, to tell of a result that is there.
                Loop::handle_exception(&event_loop, error, Some((slf.as_any(), "end")));
                Ended::Error { code: Code::ENOMEM.0, written: None }
            }
            Err(error) => {
                let code = error.code().unwrap_or(Code::UNKNOWN).0;
                Ended::Error { code, written: error.written() }
            }
        };
        let _ = this.ended.set(ended);
        this.lending.clear(py);
        let Some(callback) = this.callback.take(py) else { return };
        if let Err(error) = call(&callback, [slf.as_any()]) {
            Loop::handle_exception(&event_loop, error, Some((slf.as_any(), "end")));
        }
    }
}

#[pymethods]
impl FSRequest {
    /// The loop it was submitted to.
    #[getter(r#loop)]
    fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.event_loop.get(py)
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
            Some(Ended::Error { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// Of a write_file or append_file that failed, how many bytes are in the file nevertheless;
    /// None of anything else.
    #[getter]
    fn bytes_written(&self) -> Option<u64> {
        match self.ended.get() {
            Some(Ended::Error { written, .. }) => *written,
            _ => None,
        }
    }

    /// Takes the operation back if it has not begun (uv_cancel): its callback then gets
    /// UV_ECANCELED. Returns whether it did; False for one that runs or is over.
    fn cancel(&self) -> PyResult<bool> {
        self.core
            .get()
            .map_or(Ok(false), |core| core.cancel().map_err(in_call::<FSError>("cancel")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.event_loop.visit(&visit)?;
        self.callback.visit(&visit)?;
        self.lending.visit(&visit)?;
        visit.call(&self.about.path)?;
        visit.call(&self.about.path2)?;
        match self.ended.get() {
            Some(Ended::Result(result)) => visit.call(result),
            _ => Ok(()),
        }
    }

    fn __clear__(&self, py: Python<'_>) {
        self.event_loop.clear(py);
        self.callback.clear(py);
    }
}
