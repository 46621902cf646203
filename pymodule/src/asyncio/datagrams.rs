//! Datagram transports of IPv4 and IPv6: what they do most. The rest of them is asyncio's own.
//!
//! `DatagramTransport` derives from asyncio's, and two methods are put on it here. One receives what has come, up
//! to a number of datagrams at a time; the other sends what can be sent at once. Whatever they are not made for,
//! such as to wait for room, they leave to the methods of the same names that asyncio has.

use std::ffi::CStr;
use std::net::SocketAddr;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBytes, PyTuple, PyType};
use pyuv::address::RawAddress;
use pyuv::{Buffer, Held};

use super::scheduler::Scheduler;
use super::slots::CoreSlot;
use super::sockets::{receive_from, send_to};
use crate::address;
use crate::call::call;
use crate::once::{Once, intern};
use crate::raw_method::{self, Arguments, RawMethod};

/// So many datagrams are received before others have their turn.
const BATCH: usize = 32;

/// What a `DatagramTransport` has in Rust.
#[pyclass(module = "pyuv._pyuv.asyncio", frozen)]
pub struct DatagramCore {
    scheduler: Py<Scheduler>,
    /// The socket, and the descriptor that it had.
    sock: Py<PyAny>,
    fd: i32,
    is_ipv6: bool,
    /// Everything goes to one peer, which the socket is connected to.
    is_connected: bool,
    /// What waits for room, in asyncio's own order.
    queue: Py<PyAny>,
}

#[pymethods]
impl DatagramCore {
    #[new]
    fn new(
        scheduler: Bound<'_, Scheduler>,
        sock: Bound<'_, PyAny>,
        fd: i32,
        is_ipv6: bool,
        is_connected: bool,
        queue: Bound<'_, PyAny>,
    ) -> DatagramCore {
        DatagramCore {
            scheduler: scheduler.unbind(),
            sock: sock.unbind(),
            fd,
            is_ipv6,
            is_connected,
            queue: queue.unbind(),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.scheduler)?;
        visit.call(&self.sock)?;
        visit.call(&self.queue)
    }
}

impl DatagramCore {
    /// Whether the descriptor is still the socket's: whoever closed that behind the transport's back may have given
    /// the number to somebody else.
    fn has_fd(&self, py: Python<'_>) -> bool {
        let its = self.sock.bind(py).call_method0(intern!(py, "fileno"));
        its.and_then(|its| its.extract::<i32>()).is_ok_and(|its| its == self.fd)
    }

    /// What to send to: `None` for the peer; nothing where it is not for this to say.
    fn receiver(
        &self,
        held: &Held,
        given: Option<Borrowed<'_, '_, PyAny>>,
    ) -> Option<Option<RawAddress>> {
        let given = given.filter(|given| !given.is_none());
        if self.is_connected {
            return given.is_none().then_some(None);
        }
        let tuple = given?.cast_exact::<PyTuple>().ok()?;
        let event_loop = self.scheduler.get().event_loop(tuple.py()).ok()?;
        let receiver = event_loop.get().addresses.get(held).address_in(&tuple).ok()?;
        (receiver.is_ipv6() == self.is_ipv6).then(|| Some(RawAddress::from(receiver)))
    }
}

/// Where a `DatagramTransport` has its core, which others than those of IPv4 and IPv6 have not.
static CORE: CoreSlot<DatagramCore> = CoreSlot::new();

/// asyncio's class.
static BASE: Once<Py<PyType>> = Once::new();

/// Has the raw methods put on the class, which has the slot `_core` and derives from asyncio's.
#[pyfunction]
pub fn use_datagrams(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> PyResult<()> {
    CORE.set(class)?;
    let _ = BASE.set(base.clone().unbind());
    raw_method::install::<ReadReady>(class, "($self)", "Receives the datagrams that have come.")?;
    raw_method::install::<SendTo>(class, "($self, data, addr=None)", "Sends a datagram.")
}

/// Has asyncio's method of this name do it.
fn as_asyncio<'py>(
    slf: &Bound<'py, PyAny>,
    name: &str,
    arguments: Arguments<'_, 'py>,
) -> PyResult<Py<PyAny>> {
    let base = BASE.get();
    let base = base.ok_or_else(|| PyImportError::new_err("pyuv.asyncio was not imported"))?;
    let method = base.bind(slf.py()).getattr(name)?;
    arguments.pass_on(slf, &method).map(Bound::unbind)
}

/// Tells the protocol of an error, after which the transport goes on.
fn tell_error(slf: &Bound<'_, PyAny>, error: &PyErr) -> PyResult<()> {
    let py = slf.py();
    let protocol = slf.getattr(intern!(py, "_protocol"))?;
    call(&protocol.getattr(intern!(py, "error_received"))?, [error.value(py).as_any()])
}

struct ReadReady;

impl RawMethod for ReadReady {
    const NAME: &'static CStr = c"_read_ready";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        // SAFETY: it is put on this class.
        if let Some(core) = unsafe { CORE.find(slf)? }
            && core.get().has_fd(py)
            && let Ok(below) = core.get().scheduler.get().core()
            && let Ok(held) = below.hold()
        {
            receive(slf, core.get(), &held)?;
            return Ok(py.None());
        }
        as_asyncio(slf, "_read_ready", arguments)
    }
}

/// Tells the protocol of what has come.
fn receive(slf: &Bound<'_, PyAny>, core: &DatagramCore, held: &Held) -> PyResult<()> {
    let py = slf.py();
    let state = core.scheduler.get().state(held);
    let event_loop = core.scheduler.get().event_loop(py)?.get();
    let spare = event_loop.spare.get(held);
    let metrics = core.scheduler.get().metrics();
    for _ in 0..BATCH {
        for end in [intern!(py, "_conn_lost"), intern!(py, "_closing"), intern!(py, "_paused")] {
            if slf.getattr(end)?.is_truthy()? {
                return Ok(());
            }
        }
        let received = {
            let mut receiver = state.receiver.borrow_mut();
            let memory = receiver.memory();
            match receive_from(core.fd, Buffer::new(memory.as_mut_ptr(), memory.len())) {
                Ok(Some((length, from))) => Ok((spare.copy(py, &memory[..length])?, length, from)),
                Ok(None) => return Ok(()),
                Err(error) => Err(error),
            }
        };
        match received {
            Ok((data, length, from)) => {
                metrics.arrivals.add(1);
                metrics.bytes_read.add(length as u64);
                let from = match from {
                    // The socket module has the interface in the host's name.
                    Some(SocketAddr::V6(from)) if from.scope_id() != 0 => {
                        address::with_scope(py, from)?
                    }
                    Some(from) => event_loop.addresses.get(held).tuple_of(py, from)?,
                    None => py.None().into_bound(py),
                };
                let protocol = slf.getattr(intern!(py, "_protocol"))?;
                let name = intern!(py, "datagram_received");
                spare.show(py, data, length, |data| {
                    protocol.call_method1(name, (data, from)).map(drop)
                })?;
            }
            Err(error) => tell_error(slf, &error)?,
        }
    }
    Ok(())
}

struct SendTo;

impl RawMethod for SendTo {
    const NAME: &'static CStr = c"sendto";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        // SAFETY: it is put on this class.
        if let Some(core) = unsafe { CORE.find(slf)? }
            && send(slf, core.get(), &arguments)?
        {
            return Ok(py.None());
        }
        as_asyncio(slf, "sendto", arguments)
    }
}

/// Sends at once, where that is all there is to do. Says whether it was.
fn send(
    slf: &Bound<'_, PyAny>,
    core: &DatagramCore,
    arguments: &Arguments<'_, '_>,
) -> PyResult<bool> {
    let py = slf.py();
    if !arguments.names().is_null() || !(1..=2).contains(&arguments.count()) {
        return Ok(false);
    }
    let data = arguments.at(0);
    let Ok(data) = data.cast_exact::<PyBytes>() else { return Ok(false) };
    let Ok(below) = core.scheduler.get().core() else { return Ok(false) };
    let Ok(held) = below.hold() else { return Ok(false) };
    let given = (arguments.count() == 2).then(|| arguments.at(1));
    let Some(receiver) = core.receiver(&held, given) else { return Ok(false) };
    drop(held);
    let content = data.as_bytes();
    // Up to Python 3.11 nothing is sent without a byte.
    if content.is_empty()
        || core.queue.bind(py).len()? > 0
        || slf.getattr(intern!(py, "_conn_lost"))?.is_truthy()?
        || !core.has_fd(py)
    {
        return Ok(false);
    }
    let place = Buffer::new(content.as_ptr().cast_mut(), content.len());
    match send_to(core.fd, place, receiver.as_ref()) {
        Ok(sent) => {
            core.scheduler.get().metrics().bytes_written.add(sent.unwrap_or(0) as u64);
            Ok(sent.is_some())
        }
        Err(error) => tell_error(slf, &error).map(|()| true),
    }
}
