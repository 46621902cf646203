//! A call to the system's resolver that was submitted with a callback.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::Request;
use pyuv_dns::{Error, Result};

use crate::call::{call, error_argument};
use crate::error::{UVError, in_call};
use crate::life::active::ActiveKey;
use crate::life::back::Back;
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::Once;

/// A `getaddrinfo` or `getnameinfo` that was started with a callback.
#[pyclass(frozen, subclass, weakref, module = "pyuv.dns")]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct DNSRequest {
    core: Once<Request>,
    event_loop: PySlot,
    callback: PySlot,
    key: ActiveKey,
}

impl DNSRequest {
    /// Submits a request whose outcome becomes a Python object by `convert`, and has the loop keep
    /// it.
    pub fn submit<'py, T: 'static>(
        event_loop: &Bound<'py, Loop>,
        callback: Bound<'py, PyAny>,
        convert: for<'a> fn(Python<'a>, T) -> PyResult<Bound<'a, PyAny>>,
        submit: impl FnOnce(&pyuv::Loop, Box<dyn FnOnce(Result<T>) + Send>) -> Result<Request>,
    ) -> PyResult<Bound<'py, DNSRequest>> {
        let request = Bound::new(
            event_loop.py(),
            DNSRequest {
                core: Once::new(),
                event_loop: PySlot::new(),
                callback: PySlot::new(),
                key: ActiveKey::default(),
            },
        )?;
        let this = request.get();
        let back = Back::new(&request);
        let done = move |outcome| DNSRequest::on_done(back, outcome, convert);
        let held = event_loop.get().hold()?;
        let core = submit(event_loop.get().core()?, Box::new(done)).map_err(super::error::to_py)?;
        let _ = this.core.set(core);
        this.event_loop.set(Some(event_loop.clone().into_any()));
        this.callback.set(Some(callback));
        this.key.keep(event_loop.get().active.get(&held), request.as_any());
        Ok(request)
    }

    fn on_done<T>(
        request: Back<DNSRequest>,
        outcome: Result<T>,
        convert: for<'a> fn(Python<'a>, T) -> PyResult<Bound<'a, PyAny>>,
    ) {
        // SAFETY: the core runs callbacks attached, on a loop that runs: so its Python object is
        // alive, and its table keeps the request until just below.
        let Some(request) = &(unsafe { request.object() }) else { return };
        let (py, this) = (request.py(), request.get());
        let Some(event_loop) = this.event_loop.take(py) else { return };
        // SAFETY: the slot is set from a Bound<Loop> alone.
        let event_loop = unsafe { event_loop.cast_into_unchecked::<Loop>() };
        Loop::release(&event_loop, &this.key);
        let Some(callback) = this.callback.take(py) else { return };
        let called = match outcome {
            Ok(value) => convert(py, value)
                .and_then(|result| call(&callback, [&result, &error_argument(py, None)])),
            Err(error) => {
                let none = py.None().into_bound(py);
                call(&callback, [&none, &error_argument(py, Some(code(&error)))])
            }
        };
        if let Err(error) = called {
            Loop::handle_exception(&event_loop, error, Some((request.as_any(), "answer")));
        }
    }
}

/// libuv's code for an outcome.
fn code(error: &Error) -> i32 {
    let code = match error {
        Error::Loop(error) => error.code(),
        _ => None,
    };
    code.unwrap_or(pyuv::Code::UNKNOWN).0
}

#[pymethods]
impl DNSRequest {
    /// Takes the request back if no thread has begun it (`uv_cancel`): its callback then gets
    /// UV_EAI_CANCELED. Says whether it did.
    fn cancel(&self) -> PyResult<bool> {
        self.core
            .get()
            .map_or(Ok(false), |core| core.cancel().map_err(in_call::<UVError>("cancel")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        self.event_loop.visit(&visit)?;
        self.callback.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.event_loop.clear(py);
        self.callback.clear(py);
    }
}
