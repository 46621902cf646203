//! Stream transports: what asyncio calls a socket's, on the core's streams.
//!
//! `SocketTransport` is a class of Python's, since it has to be an `asyncio.Transport`; its methods are
//! raw ones (`methods.rs`) that find a `StreamCore` in its slot. Reading is in `reading.rs`, writing and its flow control
//! in `writing.rs`, the end in `closing.rs`.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyType};
use pyuv::{DataOwner, Entered, Held, Owned, Pipe, TCP};

use super::metrics::Metrics;
use super::protocol::Kind;
use super::ready::Entry;
use super::scheduler::Scheduler;
use super::slots::CoreSlot;
use crate::error::to_os_error;
use crate::excepthook::ends_the_program;
use crate::life::back::{bind_to, object_of_owner};
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::intern;

mod closing;
mod methods;
mod reading;
mod table;
mod writing;

pub use closing::give_up;
pub use table::Transports;
pub use writing::{LOG_THRESHOLD, is_data};

/// Whose the data of a core stream is that belongs to a transport.
static TRANSPORT: DataOwner = DataOwner::new();

/// Where a `SocketTransport` has its `StreamCore`.
pub static CORE: CoreSlot<StreamCore> = CoreSlot::new();

/// A transport's state, which belongs to the loop's owner.
#[derive(Default)]
struct Flow {
    kind: Cell<Kind>,
    /// The core has a reader.
    started: Cell<bool>,
    paused: Cell<bool>,
    /// The peer has sent its end.
    ended: Cell<bool>,
    /// `get_buffer` is being called: the core's reading is not to be touched.
    lending: Cell<bool>,
    /// Calls of `write` that came too late, and one for the call of `connection_lost` that is due.
    conn_lost: Cell<usize>,
    /// `write_eof` was called.
    eof: Cell<bool>,
    /// `pause_writing` was called last.
    protocol_paused: Cell<bool>,
    high: Cell<usize>,
    low: Cell<usize>,
    /// A file is being sent on the descriptor.
    sending: Cell<bool>,
}

/// From so many bytes in the queue on a protocol is asked to pause, as asyncio has it.
const HIGH: usize = 64 * 1024;

/// What a `SocketTransport` has in Rust.
#[pyclass(module = "pyuv._pyuv.asyncio", frozen)]
pub struct StreamCore {
    scheduler: Py<Scheduler>,
    stream: pyuv::Handle,
    fd: i32,
    /// The context that the protocol's methods run in.
    context: Py<PyAny>,
    /// Whether it is closing, and whether its descriptor is closed: any thread may ask.
    closing: AtomicBool,
    released: AtomicBool,
    /// The socket of Python's that has the same descriptor.
    sock: PySlot,
    protocol: PySlot,
    /// The `SocketTransport`, until the connection is lost.
    transport: PySlot,
    server: PySlot,
    empty_waiter: PySlot,
    flow: Owned<Flow>,
}

/// Has the raw methods put on the class, which has the slot `_core`.
#[pyfunction]
pub fn use_transport(class: &Bound<'_, PyType>) -> PyResult<()> {
    CORE.set(class)?;
    methods::install(class)
}

/// The transport that a callback of the core's is for.
///
/// # Safety
/// The caller is such a callback, which runs attached.
#[inline]
unsafe fn core_behind<'py>(stream: &pyuv::Handle) -> Option<Bound<'py, StreamCore>> {
    // SAFETY: the caller says so; `StreamCore::new` alone binds handles to this owner.
    unsafe { object_of_owner(stream, &TRANSPORT) }
}

impl StreamCore {
    fn stream(&self) -> &pyuv::Stream {
        // It was made of one.
        self.stream.as_stream().unwrap_or_else(|| unreachable!("a transport's handle is a stream"))
    }

    fn scheduler<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, Scheduler> {
        self.scheduler.bind(py)
    }

    fn metrics(&self) -> &Metrics {
        self.scheduler.get().metrics()
    }

    #[inline]
    fn hold(&self) -> PyResult<Entered<'_>> {
        self.scheduler.get().core()?.hold_even_closed().map_err(to_os_error)
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// From now on. Returns whether it was before.
    fn begin_to_close(&self) -> bool {
        self.closing.swap(true, Ordering::Relaxed)
    }

    #[inline]
    fn flow<'a>(&'a self, held: &'a Held) -> &'a Flow {
        self.flow.get(held)
    }

    /// The transport, unless it is closing or others may use its descriptor.
    fn in_use(&self, py: Python<'_>, held: &Held) -> Option<Py<PyAny>> {
        let flow = self.flow(held);
        if self.is_closing() || flow.sending.get() {
            return None;
        }
        self.transport.get(py).map(Bound::unbind)
    }

    /// Has `callable(argument)` called in the next round, in the transport's context.
    fn soon<'py>(
        slf: &Bound<'py, StreamCore>,
        callable: Bound<'py, PyAny>,
        argument: Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let scheduler = this.scheduler(py);
        scheduler.get().check_open()?;
        if scheduler.get().debug() {
            let keywords = PyDict::new(py);
            keywords.set_item(intern!(py, "context"), &this.context)?;
            let name = intern!(py, "call_soon");
            match argument {
                Some(argument) => {
                    scheduler.call_method(name, (callable, argument), Some(&keywords))?
                }
                None => scheduler.call_method(name, (callable,), Some(&keywords))?,
            };
            return Ok(());
        }
        scheduler.get().schedule(
            py,
            Entry::Call {
                callable: callable.unbind(),
                argument: argument.map(Bound::unbind),
                context: this.context.clone_ref(py),
            },
        )
    }

    /// What becomes of an exception of the protocol's: one that ends the program leaves the loop, any
    /// other ends the connection.
    #[cold]
    fn failed(slf: &Bound<'_, StreamCore>, error: PyErr, message: &str) {
        let py = slf.py();
        let this = slf.get();
        let outcome = if ends_the_program(py, &error) {
            Err(error)
        } else {
            match this.transport.get(py) {
                Some(transport) => transport
                    .call_method1(intern!(py, "_fatal_error"), (error.value(py), message))
                    .map(drop),
                None => Ok(()),
            }
        };
        if let Err(error) = outcome
            && let Ok(event_loop) = this.scheduler(py).get().event_loop(py)
        {
            Loop::handle_exception(event_loop, error, None);
        }
    }
}

#[pymethods]
impl StreamCore {
    /// A transport's core on the descriptor of `sock`, a connected socket that does not block: TCP, or
    /// Unix if `is_unix`.
    #[new]
    #[pyo3(signature = (scheduler, transport, sock, fd, is_unix, protocol, server, context))]
    #[expect(clippy::too_many_arguments, reason = "what a transport is made of")]
    fn new<'py>(
        py: Python<'py>,
        scheduler: &Bound<'py, Scheduler>,
        transport: Bound<'py, PyAny>,
        sock: Bound<'py, PyAny>,
        fd: i32,
        is_unix: bool,
        protocol: Bound<'py, PyAny>,
        server: Option<Bound<'py, PyAny>>,
        context: Bound<'py, PyAny>,
    ) -> PyResult<Py<StreamCore>> {
        scheduler.get().check_open()?;
        let core = scheduler.get().core()?;
        let held = core.hold().map_err(to_os_error)?;
        let open = || -> pyuv::Result<pyuv::Handle> {
            if is_unix {
                let pipe = Pipe::new(core, false)?;
                pipe.open_known(fd)?;
                return Ok(pipe.into());
            }
            let tcp = TCP::new(core)?;
            tcp.open_known(fd)?;
            Ok(tcp.into())
        };
        let stream = open().map_err(to_os_error)?;
        let slot = |object: Option<Bound<'py, PyAny>>| {
            let slot = PySlot::new();
            slot.set(object);
            slot
        };
        let made = StreamCore {
            scheduler: scheduler.clone().unbind(),
            stream,
            fd,
            context: context.unbind(),
            closing: AtomicBool::new(false),
            released: AtomicBool::new(false),
            sock: slot(Some(sock)),
            protocol: PySlot::new(),
            transport: slot(Some(transport)),
            server: slot(server),
            empty_waiter: PySlot::new(),
            flow: Owned::default(),
        };
        let flow = made.flow(&held);
        flow.high.set(HIGH);
        flow.low.set(HIGH / 4);
        let slf = Bound::new(py, made)?;
        let this = slf.get();
        this.stream.hide(super::scheduler::PART_OF).map_err(to_os_error)?;
        bind_to(&this.stream, &TRANSPORT, &slf);
        StreamCore::set_protocol(&slf, protocol)?;
        Ok(slf.unbind())
    }

    /// Has `connection_made` called soon, and reads from then on. From here the event loop keeps the
    /// transport: one whose making was cut short goes with its last reference.
    fn begin(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let held = this.hold()?;
        this.scheduler(py).get().state(&held).transports.insert(this.fd, slf);
        this.metrics().connections_made.add(1);
        if let (Some(protocol), Some(transport)) = (this.protocol.get(py), this.transport.get(py)) {
            let made = protocol.getattr(intern!(py, "connection_made"))?;
            StreamCore::soon(slf, made, Some(transport))?;
        }
        let start = slf.getattr(intern!(py, "start_reading"))?;
        StreamCore::soon(slf, start, None)
    }

    /// Reads, unless the transport was paused or closed meanwhile.
    fn start_reading(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
        StreamCore::start(slf)
    }

    /// The protocol, None after the connection was lost.
    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    #[setter(protocol)]
    fn set_protocol_to(slf: &Bound<'_, StreamCore>, protocol: Bound<'_, PyAny>) -> PyResult<()> {
        StreamCore::set_protocol(slf, protocol)
    }

    /// The descriptor's number, -1 when it is closed.
    #[getter]
    fn fd(&self) -> i32 {
        if self.released() { -1 } else { self.fd }
    }

    /// Whether the connection was lost and the descriptor closed.
    #[getter]
    fn released(&self) -> bool {
        self.released.load(Ordering::Relaxed)
    }

    /// Whether a file is being sent on the descriptor, which others may watch meanwhile.
    #[getter]
    fn sending(&self) -> PyResult<bool> {
        let held = self.hold()?;
        Ok(self.flow(&held).sending.get())
    }

    /// Whether the protocol was asked to pause, and not to resume since.
    #[getter]
    fn protocol_paused(&self) -> PyResult<bool> {
        let held = self.hold()?;
        Ok(self.flow(&held).protocol_paused.get())
    }

    /// The future that is done when nothing is left to be written, while a file is sent.
    #[setter]
    fn set_empty_waiter(&self, waiter: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let held = self.hold()?;
        self.flow(&held).sending.set(waiter.is_some());
        drop(held);
        self.empty_waiter.set(waiter);
        Ok(())
    }

    #[getter]
    fn empty_waiter<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.empty_waiter.get(py)
    }

    /// (low, high), in bytes.
    #[getter]
    fn write_buffer_limits(&self) -> PyResult<(usize, usize)> {
        let held = self.hold()?;
        let flow = self.flow(&held);
        Ok((flow.low.get(), flow.high.get()))
    }

    fn set_write_buffer_limits(
        slf: &Bound<'_, StreamCore>,
        low: usize,
        high: usize,
    ) -> PyResult<()> {
        let this = slf.get();
        if low > high {
            return Err(PyValueError::new_err("high must be >= low"));
        }
        let held = this.hold()?;
        let flow = this.flow(&held);
        flow.low.set(low);
        flow.high.set(high);
        StreamCore::maybe_pause(slf, &held)
    }

    /// Ends the connection at once; what was not written yet is lost.
    fn force_close(
        slf: &Bound<'_, StreamCore>,
        exception: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        closing::force_close(slf, exception)
    }

    /// Tells the protocol that the connection is lost, and closes the descriptor.
    fn connection_lost(
        slf: &Bound<'_, StreamCore>,
        exception: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        closing::connection_lost(slf, exception)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.scheduler)?;
        visit.call(&self.context)?;
        for slot in [&self.sock, &self.protocol, &self.transport, &self.server, &self.empty_waiter]
        {
            slot.visit(&visit)?;
        }
        Ok(())
    }

    /// The socket stays: its descriptor is the stream's, until that goes.
    fn __clear__(&self, py: Python<'_>) {
        for slot in [&self.protocol, &self.transport, &self.server, &self.empty_waiter] {
            slot.clear(py);
        }
    }
}

impl Drop for StreamCore {
    fn drop(&mut self) {
        self.stream.set_data(&TRANSPORT, std::ptr::null_mut());
        crate::exit::attach(|py| closing::give_up(self, py));
    }
}
