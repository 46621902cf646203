//! `Loop.queue_work`: a function on the thread pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use crate::call::{call, callable, error_argument, optional_callable};
use crate::error::{UVError, in_call};
use crate::exit;
use crate::life::active::ActiveKey;
use crate::life::back::Back;
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::Once;

/// A function queued to the thread pool (`uv_work_t`).
#[pyclass(module = "pyuv", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct WorkRequest {
    core: Once<pyuv::Request>,
    /// Never None, but that is what the zeroes are that the collector may see (see `ActiveTable`).
    job: Option<Arc<Job>>,
    done: PySlot,
    event_loop: PySlot,
    key: ActiveKey,
}

/// What the request shares with the pool thread. The request alone counts as the owner of the
/// function: when it is collected, with its loop, there is nothing left to run.
struct Job {
    work: PySlot,
    /// What it raised, until the loop is told.
    raised: PySlot,
    /// The thread could not be attached to Python: there was no memory for that, or no Python.
    skipped: AtomicBool,
    /// The request is gone, and with it whoever would be told.
    forgotten: AtomicBool,
}

impl Job {
    /// On a thread of the pool.
    fn run(&self) {
        let process = std::process::id();
        let attached = exit::attach(|py| {
            let outcome = self.work.take(py).map_or(Ok(()), |work| call(&work, []).map(drop));
            if std::process::id() != process {
                exit::leave_child(py, outcome);
            }
            if let Err(error) = outcome {
                self.raised.set(Some(error.into_value(py).into_bound(py).into_any()));
            }
            if self.forgotten.load(Ordering::Acquire) {
                self.clear(py);
            }
        });
        if attached.is_none() {
            self.skipped.store(true, Ordering::Release);
        }
    }
}

impl Job {
    fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.work.visit(visit)?;
        self.raised.visit(visit)
    }

    fn clear(&self, py: Python<'_>) {
        self.work.clear(py);
        self.raised.clear(py);
    }
}

impl Drop for WorkRequest {
    fn drop(&mut self) {
        // Here, where the thread is attached: the pool's half of the job may go on a thread that
        // is not.
        if let Some(job) = &self.job {
            job.forgotten.store(true, Ordering::Release);
            // SAFETY: Python objects are deallocated by attached threads.
            job.clear(unsafe { Python::assume_attached() });
        }
    }
}

#[pymethods]
impl WorkRequest {
    /// Cancels the request if no thread has begun it (`uv_cancel`); its done callback then gets
    /// UV_ECANCELED. Says whether it did.
    fn cancel(&self) -> PyResult<bool> {
        self.core
            .get()
            .map_or(Ok(false), |core| core.cancel().map_err(in_call::<UVError>("cancel")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.job.as_ref().map_or(Ok(()), |job| job.visit(&visit))?;
        self.done.visit(&visit)?;
        self.event_loop.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        if let Some(job) = &self.job {
            job.clear(py);
        }
        self.done.clear(py);
        self.event_loop.clear(py);
    }
}

#[pymethods]
impl Loop {
    /// Calls `work_callback()` on a thread of the pool, then `done_callback(errorno)` on the loop's
    /// thread (`uv_queue_work`). Returns a WorkRequest.
    ///
    /// `errorno` is None, or UV_ECANCELED. What `work_callback` raises goes to `excepthook`.
    #[pyo3(signature = (work_callback, done_callback=None))]
    fn queue_work<'py>(
        slf: &Bound<'py, Loop>,
        work_callback: Bound<'py, PyAny>,
        done_callback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, WorkRequest>> {
        let py = slf.py();
        let job = Arc::new(Job {
            work: PySlot::new(),
            raised: PySlot::new(),
            skipped: AtomicBool::new(false),
            forgotten: AtomicBool::new(false),
        });
        job.work.set(Some(callable(work_callback)?));
        let request = Bound::new(
            py,
            WorkRequest {
                core: Once::new(),
                job: Some(job.clone()),
                done: PySlot::new(),
                event_loop: PySlot::new(),
                key: ActiveKey::default(),
            },
        )?;
        let this = request.get();
        this.done.set(optional_callable(done_callback)?);
        let back = Back::new(&request);
        let held = slf.get().hold()?;
        let core = slf
            .get()
            .core()?
            .queue_work(move || job.run(), move |outcome| on_done(back, outcome))
            .map_err(in_call::<UVError>("queue_work"))?;
        let _ = this.core.set(core);
        this.event_loop.set(Some(slf.clone().into_any()));
        this.key.keep(slf.get().active.get(&held), request.as_any());
        Ok(request)
    }
}

fn on_done(request: Back<WorkRequest>, outcome: pyuv::Result<()>) {
    // SAFETY: the core runs callbacks attached, on a loop that runs: so its Python object is
    // alive, and its table keeps the request until just below.
    let Some(request) = &(unsafe { request.object() }) else { return };
    let (py, this) = (request.py(), request.get());
    let Some(event_loop) = this.event_loop.take(py) else { return };
    // SAFETY: the slot is set from a Bound<Loop> alone.
    let event_loop = unsafe { event_loop.cast_into_unchecked::<Loop>() };
    Loop::release(&event_loop, &this.key);
    if let Some(job) = &this.job {
        let raised = match job.raised.take(py) {
            Some(exception) => Some(PyErr::from_value(exception)),
            None if job.skipped.load(Ordering::Acquire) => Some(PyMemoryError::new_err(())),
            None => None,
        };
        if let Some(error) = raised {
            Loop::handle_exception(&event_loop, error, Some((request.as_any(), "work")));
        }
    }
    let Some(done) = this.done.take(py) else { return };
    let code = outcome.err().map(|error| error.code().map_or(pyuv::Code::UNKNOWN.0, |code| code.0));
    if let Err(error) = call(&done, [&error_argument(py, code)]) {
        Loop::handle_exception(&event_loop, error, Some((request.as_any(), "done")));
    }
}
