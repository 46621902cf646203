//! TLS transports: a state machine between a protocol and the transport below, on CPython's OpenSSL.
//!
//! `TLSCore` is the protocol of the transport below. Above it is a `SSLTransport`, a class of Python's, which does
//! what is rare: time limits, what is known of the peer, reports. What is read is in `reading.rs`, what is
//! written in `writing.rs`, beginning and end in `ends.rs`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBytes, PyType};
use pyuv::{Entered, Held, Owned};

use super::protocol::Kind;
use super::scheduler::Scheduler;
use super::slots::CoreSlot;
use super::transport;
use crate::error::to_os_error;
use crate::excepthook::ends_the_program;
use crate::life::slot::PySlot;
use crate::once::intern;
use crate::tls::Session;

mod ends;
mod methods;
mod reading;
mod writing;

/// Where an `SSLTransport` has its `TLSCore`.
static CORE: CoreSlot<TLSCore> = CoreSlot::new();

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Default)]
enum State {
    /// The transport below is not connected yet.
    #[default]
    New,
    Handshake,
    Open,
    /// It was closed, and what was written before goes out.
    Flushing,
    /// The peer was told, and has not answered.
    Shutdown,
    Closed,
}

/// What the protocol above was told last.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Told {
    #[default]
    Nothing,
    Made,
    End,
    Lost,
}

/// A connection's state, which belongs to the loop's owner.
#[derive(Default)]
struct Flow {
    state: Cell<State>,
    told: Cell<Told>,
    kind: Cell<Kind>,
    /// The protocol above wants nothing for now.
    paused: Cell<bool>,
    /// And so the transport below was paused.
    below_paused: Cell<bool>,
    /// The transport below has enough to write for now.
    below_full: Cell<bool>,
    /// The transport below has come to its end.
    below_ended: Cell<bool>,
    /// `pause_writing` was called last.
    protocol_paused: Cell<bool>,
    /// Calls of `write` that came too late.
    lost_writes: Cell<usize>,
    high: Cell<usize>,
    low: Cell<usize>,
    /// What could not be encrypted yet, and how many bytes that is.
    backlog: RefCell<VecDeque<Py<PyBytes>>>,
    backlog_size: Cell<usize>,
}

/// From so many bytes that wait a protocol is asked to pause, as asyncio has it for TLS.
const HIGH: usize = 512 * 1024;

/// So many encrypted bytes are kept while a protocol is paused, before the transport below is.
const MOST_UNREAD: usize = 256 * 1024;

/// What a `SSLTransport` has in Rust, and the protocol of the transport below.
#[pyclass(module = "pyuv._pyuv.asyncio", frozen)]
pub struct TLSCore {
    scheduler: Py<Scheduler>,
    session: Session,
    /// The `SSLTransport`, until the connection is lost.
    transport: PySlot,
    protocol: PySlot,
    /// The transport below, and its core if that is a `StreamCore`.
    below: PySlot,
    stream: PySlot,
    flow: Owned<Flow>,
}

/// Has the raw methods put on the class, which has the slot `_core`.
#[pyfunction]
pub fn use_tls(class: &Bound<'_, PyType>) -> PyResult<()> {
    CORE.set(class)?;
    methods::install(class)
}

impl TLSCore {
    #[inline]
    fn hold(&self) -> PyResult<Entered<'_>> {
        self.scheduler.get().core()?.hold_even_closed().map_err(to_os_error)
    }

    #[inline]
    fn flow<'a>(&'a self, held: &'a Held) -> &'a Flow {
        self.flow.get(held)
    }

    /// Calls a method of the `SSLTransport`'s for what is rare.
    fn ask<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        argument: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        match argument {
            Some(argument) => transport.call_method1(method, (argument,)).map(drop),
            None => transport.call_method0(method).map(drop),
        }
    }

    /// Ends the connection after an error; one that ends the program goes on as it is.
    #[cold]
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        if ends_the_program(py, &error) {
            return Err(error);
        }
        // There may be an alert that says to the peer what was wrong.
        if let Err(another) = self.send_at_once(py)
            && ends_the_program(py, &another)
        {
            return Err(another);
        }
        self.ask(py, "_fatal_error", Some(error.value(py)))
    }
}

#[pymethods]
impl TLSCore {
    /// The core between `protocol` and a transport below that is still to come, on an `ssl.SSLObject` that
    /// was made by `wrap_bio(incoming, outgoing)`. Unless `made`, the protocol's `connection_made` is called
    /// after the handshake. With `short` OpenSSL is called itself, where it is known.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "what a transport is made of")]
    fn new<'py>(
        scheduler: &Bound<'py, Scheduler>,
        transport: Bound<'py, PyAny>,
        ssl_object: &Bound<'py, PyAny>,
        incoming: Bound<'py, PyAny>,
        outgoing: Bound<'py, PyAny>,
        protocol: Bound<'py, PyAny>,
        made: bool,
        short: bool,
    ) -> PyResult<Py<TLSCore>> {
        scheduler.get().check_open()?;
        let core = TLSCore {
            scheduler: scheduler.clone().unbind(),
            session: Session::new(ssl_object, incoming, outgoing, short)?,
            transport: PySlot::new(),
            protocol: PySlot::new(),
            below: PySlot::new(),
            stream: PySlot::new(),
            flow: Owned::default(),
        };
        core.transport.set(Some(transport));
        let slf = Bound::new(scheduler.py(), core)?;
        let held = slf.get().hold()?;
        let flow = slf.get().flow(&held);
        flow.high.set(HIGH);
        flow.low.set(HIGH / 4);
        if made {
            flow.told.set(Told::Made);
        }
        drop(held);
        slf.get().set_protocol(protocol)?;
        Ok(slf.unbind())
    }

    // What the transport below calls

    fn connection_made(slf: &Bound<'_, TLSCore>, transport: Bound<'_, PyAny>) -> PyResult<()> {
        ends::made(slf, transport)
    }

    fn data_received(slf: &Bound<'_, TLSCore>, data: &[u8]) -> PyResult<()> {
        TLSCore::received(slf, data)
    }

    /// Whether the transport below shall stay: there is still something for a protocol that is paused.
    fn eof_received(slf: &Bound<'_, TLSCore>) -> PyResult<bool> {
        ends::below_ended(slf)
    }

    fn connection_lost(
        slf: &Bound<'_, TLSCore>,
        exception: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        ends::lost(slf, exception)
    }

    fn pause_writing(&self) -> PyResult<()> {
        let held = self.hold()?;
        self.flow(&held).below_full.set(true);
        Ok(())
    }

    fn resume_writing(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        let held = slf.get().hold()?;
        slf.get().flow(&held).below_full.set(false);
        TLSCore::send(slf, &held)
    }

    // What the `SSLTransport` calls

    /// Goes on where the protocol has let it stand.
    fn proceed(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        TLSCore::read(slf)
    }

    /// Calls the protocol's `connection_made`, unless that was done.
    fn tell_made(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        ends::tell_made(slf)
    }

    /// Ends the connection at once, as after this exception.
    fn force_close(slf: &Bound<'_, TLSCore>, exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        ends::force_close(slf, exception)
    }

    /// The protocol, None after the connection was lost.
    #[getter(protocol)]
    fn get_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    #[setter]
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) -> PyResult<()> {
        let kind = Kind::of(&protocol)?;
        let held = self.hold()?;
        self.flow(&held).kind.set(kind);
        drop(held);
        self.protocol.set(Some(protocol));
        Ok(())
    }

    /// The transport below, None before it is connected and after the connection was lost.
    #[getter]
    fn below<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.below.get(py)
    }

    /// Whether OpenSSL is called itself.
    #[getter]
    fn direct(&self) -> bool {
        self.session.is_direct()
    }

    /// Whether the connection is over.
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        let held = self.hold()?;
        Ok(self.flow(&held).state.get() == State::Closed)
    }

    /// Whether the handshake goes on.
    #[getter]
    fn shaking_hands(&self) -> PyResult<bool> {
        let held = self.hold()?;
        Ok(matches!(self.flow(&held).state.get(), State::New | State::Handshake))
    }

    /// Whether the protocol was asked to pause, and not to resume since.
    #[getter]
    fn protocol_paused(&self) -> PyResult<bool> {
        let held = self.hold()?;
        Ok(self.flow(&held).protocol_paused.get())
    }

    /// (low, high), in bytes.
    #[getter]
    fn write_buffer_limits(&self) -> PyResult<(usize, usize)> {
        let held = self.hold()?;
        let flow = self.flow(&held);
        Ok((flow.low.get(), flow.high.get()))
    }

    fn set_write_buffer_limits(slf: &Bound<'_, TLSCore>, low: usize, high: usize) -> PyResult<()> {
        let held = slf.get().hold()?;
        let flow = slf.get().flow(&held);
        flow.low.set(low);
        flow.high.set(high);
        TLSCore::control_writing(slf, &held)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.scheduler)?;
        for object in self.session.objects() {
            visit.call(object)?;
        }
        for slot in [&self.transport, &self.protocol, &self.below, &self.stream] {
            slot.visit(&visit)?;
        }
        Ok(())
    }

    fn __clear__(&self, py: Python<'_>) {
        for slot in [&self.transport, &self.protocol, &self.below, &self.stream] {
            slot.clear(py);
        }
    }
}

/// Pauses the transport below, or has it read again.
fn pause_below(core: &TLSCore, py: Python<'_>, flow: &Flow, pause: bool) -> PyResult<()> {
    if flow.below_paused.replace(pause) == pause {
        return Ok(());
    }
    let Some(below) = core.below.get(py) else { return Ok(()) };
    let name = if pause { intern!(py, "pause_reading") } else { intern!(py, "resume_reading") };
    below.call_method0(name).map(drop)
}

/// Finds the core of the transport below, for the short way to it.
fn connect(core: &TLSCore, below: Bound<'_, PyAny>) -> PyResult<()> {
    let stream = transport::CORE.of_instance(&below)?;
    core.stream.set(stream.map(Bound::into_any));
    core.below.set(Some(below));
    Ok(())
}
