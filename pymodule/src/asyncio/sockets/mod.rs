//! `sock_recv`, `sock_recv_into` and `sock_sendall`: awaitables that try first, and wait for the descriptor
//! only if they must.
//!
//! An [`Operation`] is a coroutine to asyncio: a task can run it, and `await` finds its value. It does
//! nothing before it is awaited. Where it has to wait it gives a future, and the poll of its descriptor goes
//! on with it (`watches.rs`), so that the task is woken when all is done.
//!
//! These are for the very class `socket.socket`; for any other, such as a subclass with methods of its own,
//! asyncio's own methods do.

use std::cell::{Cell, RefCell};
use std::ffi::CString;

use pyo3::exceptions::{
    PyBaseException, PyRuntimeError, PyRuntimeWarning, PyStopIteration, PyValueError,
};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::{Held, Owned};

use super::scheduler::Scheduler;
use super::watches::Watches;
use crate::error::to_os_error;
use crate::life::slot::PySlot;
use crate::once::{Once, intern};

mod attempt;

use attempt::Attempt;
pub use attempt::{Receiver, receive_from, send_to};

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Receive,
    ReceiveInto,
    SendAll,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Receive => "sock_recv",
            Kind::ReceiveInto => "sock_recv_into",
            Kind::SendAll => "sock_sendall",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Nobody has awaited it yet.
    #[default]
    New,
    /// Its descriptor is watched.
    Waiting,
    /// What came of it is there, for whoever awaits it.
    Done,
    /// It has ended.
    Over,
}

#[derive(Default)]
struct Progress {
    stage: Cell<Stage>,
    attempt: RefCell<Option<Attempt>>,
    fd: Cell<i32>,
    outcome: Cell<Option<PyResult<Py<PyAny>>>>,
}

/// A coroutine: what a socket is to do.
#[pyclass(module = "pyuv._pyuv.asyncio", frozen)]
pub struct Operation {
    kind: Kind,
    scheduler: Py<Scheduler>,
    sock: PySlot,
    argument: PySlot,
    /// What whoever awaits it waits for.
    future: PySlot,
    progress: Owned<Progress>,
}

/// The awaitable for `kind`, where `sock` is of the very class `socket.socket`; asyncio's own for any other.
pub fn operation<'py>(
    scheduler: &Bound<'py, Scheduler>,
    kind: Kind,
    sock: Bound<'py, PyAny>,
    argument: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static SOCKET: Once<Py<PyAny>> = Once::new();
    static OTHERS: Once<Py<PyAny>> = Once::new();
    let py = scheduler.py();
    if !sock.get_type().is(SOCKET.import(py, "socket", "socket")?) {
        let others = OTHERS.import(py, "asyncio", "SelectorEventLoop")?;
        return others.call_method1(kind.name(), (scheduler, sock, argument));
    }
    let slot = |object| {
        let slot = PySlot::new();
        slot.set(Some(object));
        slot
    };
    let operation = Operation {
        kind,
        scheduler: scheduler.clone().unbind(),
        sock: slot(sock),
        argument: slot(argument),
        future: PySlot::new(),
        progress: Owned::default(),
    };
    Ok(Bound::new(py, operation)?.into_any())
}

impl Operation {
    fn progress<'a>(&'a self, held: &'a Held) -> &'a Progress {
        self.progress.get(held)
    }

    /// Goes on for whoever awaits it. Gives the future to wait for; the end is an exception, as of any
    /// coroutine.
    fn resume(slf: &Bound<'_, Operation>) -> PyResult<Py<PyAny>> {
        let this = slf.get();
        let scheduler = this.scheduler.bind(slf.py()).get();
        let held = scheduler.core()?.hold().map_err(to_os_error)?;
        let progress = this.progress(&held);
        match progress.stage.get() {
            Stage::New => Operation::begin(slf, &held),
            Stage::Done => {
                let outcome = progress.outcome.take();
                this.end(slf.py(), progress);
                Err(stop(slf.py(), outcome.unwrap_or_else(|| Ok(slf.py().None()))))
            }
            Stage::Waiting => Err(PyRuntimeError::new_err("await wasn't used with future")),
            Stage::Over => {
                let fault = format!("cannot reuse already awaited {}", this.kind.name());
                Err(PyRuntimeError::new_err(fault))
            }
        }
    }

    /// Tries for the first time.
    fn begin(slf: &Bound<'_, Operation>, held: &Held) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let scheduler = this.scheduler.bind(py);
        let progress = this.progress(held);
        // Whatever happens now, it was awaited.
        progress.stage.set(Stage::Over);
        let (Some(sock), Some(argument)) = (this.sock.get(py), this.argument.get(py)) else {
            return Err(PyRuntimeError::new_err("the garbage collector has cleared it"));
        };
        if scheduler.get().debug() && sock.call_method0(intern!(py, "gettimeout"))?.ne(0)? {
            return Err(PyValueError::new_err("the socket must be non-blocking"));
        }
        let fd = sock.call_method0(intern!(py, "fileno"))?.extract::<i32>()?;
        let mut attempt = Attempt::new(this.kind, &argument)?;
        let state = scheduler.get().state(held);
        if let Some(value) = attempt.make(py, fd, &mut state.receiver.borrow_mut())? {
            this.end(py, progress);
            return Err(stop(py, Ok(value)));
        }
        if let Some(transport) = state.transports.in_use(py, held, fd)? {
            let transport = transport.bind(py).repr()?;
            let fault = format!("File descriptor {fd} is used by transport {transport}");
            return Err(PyRuntimeError::new_err(fault));
        }
        let future = scheduler.call_method0(intern!(py, "create_future"))?;
        Watches::wait(scheduler, held, fd, attempt.direction(), slf)?;
        progress.fd.set(fd);
        progress.attempt.replace(Some(attempt));
        progress.stage.set(Stage::Waiting);
        this.future.set(Some(future.clone()));
        // As its own iterator does: a task takes it for awaited then.
        future.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
        Ok(future.unbind())
    }

    /// Tries again, since the descriptor is ready. Returns whether it has ended.
    pub fn advance(slf: &Bound<'_, Operation>, held: &Held) -> bool {
        let py = slf.py();
        let this = slf.get();
        let progress = this.progress(held);
        let Some(future) = this.future.get(py) else { return true };
        // One that was cancelled leaves what is there to the next.
        let is_over = |future: &Bound<'_, PyAny>| {
            future
                .call_method0(intern!(py, "done"))
                .is_ok_and(|done| done.is_truthy().unwrap_or(true))
        };
        if progress.stage.get() != Stage::Waiting || is_over(&future) {
            return true;
        }
        let outcome = {
            let receiver = &this.scheduler.bind(py).get().state(held).receiver;
            let mut attempt = progress.attempt.borrow_mut();
            let Some(attempt) = attempt.as_mut() else { return true };
            attempt.make(py, progress.fd.get(), &mut receiver.borrow_mut())
        };
        let outcome = match outcome {
            Ok(None) => return false,
            Ok(Some(value)) => Ok(value),
            Err(error) => Err(error),
        };
        progress.outcome.set(Some(outcome));
        progress.stage.set(Stage::Done);
        // It fails for one that is done, which this is not.
        let _ = future.call_method1(intern!(py, "set_result"), (py.None(),));
        true
    }

    /// Has nothing more happen.
    fn give_up(slf: &Bound<'_, Operation>) -> PyResult<()> {
        let this = slf.get();
        let scheduler = this.scheduler.bind(slf.py());
        let held = scheduler.get().core()?.hold_even_closed().map_err(to_os_error)?;
        let progress = this.progress(&held);
        if progress.stage.replace(Stage::Over) == Stage::Waiting {
            let direction = progress.attempt.borrow().as_ref().map(Attempt::direction);
            if let Some(direction) = direction {
                Watches::forget(scheduler, &held, progress.fd.get(), direction, slf);
            }
        }
        this.end(slf.py(), progress);
        Ok(())
    }

    /// Lets go of what it was for.
    fn end(&self, py: Python<'_>, progress: &Progress) {
        progress.stage.set(Stage::Over);
        let attempt = progress.attempt.take();
        let outcome = progress.outcome.take();
        drop((attempt, outcome));
        for slot in [&self.future, &self.argument, &self.sock] {
            slot.clear(py);
        }
    }
}

/// How a coroutine ends.
fn stop(py: Python<'_>, outcome: PyResult<Py<PyAny>>) -> PyErr {
    let value = match outcome {
        Ok(value) => value,
        Err(error) => return error,
    };
    // The instance: of a tuple PyO3 would make several arguments.
    match py.get_type::<PyStopIteration>().call1((value,)) {
        Ok(stop) => PyErr::from_value(stop),
        Err(error) => error,
    }
}

#[pymethods]
impl Operation {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Operation::resume(slf)
    }

    /// Goes on; the value is not looked at.
    fn send(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let _ = value;
        Operation::resume(slf)
    }

    /// Ends it with an exception.
    #[pyo3(signature = (kind, value = None, traceback = None, /))]
    fn throw(
        slf: &Bound<'_, Self>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = traceback;
        Operation::give_up(slf)?;
        let exception = match value {
            _ if kind.is_instance_of::<PyBaseException>() => kind,
            Some(value) if value.is_instance_of::<PyBaseException>() => value,
            Some(value) if !value.is_none() => kind.call1((value,))?,
            _ => kind.call0()?,
        };
        Err(PyErr::from_value(exception))
    }

    /// Ends it.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        Operation::give_up(slf)
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.kind.name()
    }

    #[getter]
    fn __qualname__(&self) -> String {
        format!("EventLoop.{}", self.kind.name())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.scheduler)?;
        for slot in [&self.sock, &self.argument, &self.future] {
            slot.visit(&visit)?;
        }
        Ok(())
    }

    fn __clear__(&self, py: Python<'_>) {
        for slot in [&self.future, &self.argument, &self.sock] {
            slot.clear(py);
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if self.progress.get_mut().stage.get() != Stage::New {
            return;
        }
        let name = self.kind.name();
        crate::exit::attach(|py| {
            let category = py.get_type::<PyRuntimeWarning>();
            let message = CString::new(format!("coroutine '{name}' was never awaited"));
            let pending = PyErr::take(py);
            if let Ok(message) = message
                && let Err(error) = PyErr::warn(py, &category, &message, 1)
            {
                error.write_unraisable(py, None);
            }
            if let Some(pending) = pending {
                pending.restore(py);
            }
        });
    }
}
