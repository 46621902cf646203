//! The end of a transport: its descriptor is closed exactly once, after `connection_lost`.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::PyString;
use pyuv::{Entered, Held};

use super::StreamCore;
use crate::error::to_os_error;
use crate::once::{Once, intern};

/// The loop, unless another thread has it: that is asked to call `method` of the transport then. The collector may
/// finalize what closes a transport on any thread.
fn hold<'a>(
    slf: &'a Bound<'_, StreamCore>,
    method: &Bound<'_, PyString>,
) -> PyResult<Option<Entered<'a>>> {
    let this = slf.get();
    let scheduler = this.scheduler(slf.py());
    match scheduler.get().core()?.hold_even_closed() {
        Ok(held) => Ok(Some(held)),
        Err(pyuv::Error::WrongThread) => {
            if let Some(transport) = this.transport.get(slf.py()) {
                let name = intern!(slf.py(), "call_soon_threadsafe");
                scheduler.call_method1(name, (transport.getattr(method)?,))?;
            }
            Ok(None)
        }
        Err(error) => Err(to_os_error(error)),
    }
}

/// `close()`: what is queued is written first.
pub fn close(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
    let this = slf.get();
    let Some(held) = hold(slf, intern!(slf.py(), "close"))? else { return Ok(()) };
    let flow = this.flow(&held);
    if this.begin_to_close() {
        return Ok(());
    }
    this.stop_reading(flow);
    if this.write_buffer_size(flow) == 0 { lose(slf, &held, None) } else { Ok(()) }
}

/// `abort()`, or the end after a failure.
pub fn force_close(
    slf: &Bound<'_, StreamCore>,
    exception: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let this = slf.get();
    let Some(held) = hold(slf, intern!(slf.py(), "abort"))? else { return Ok(()) };
    let flow = this.flow(&held);
    if flow.conn_lost.get() > 0 {
        return Ok(());
    }
    if !this.begin_to_close() {
        this.stop_reading(flow);
    }
    lose(slf, &held, exception)
}

/// Has `connection_lost` called soon.
pub fn lose(
    slf: &Bound<'_, StreamCore>,
    held: &Held,
    exception: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = slf.py();
    let flow = slf.get().flow(held);
    if flow.conn_lost.get() > 0 {
        return Ok(());
    }
    flow.conn_lost.set(1);
    let lost = slf.getattr(intern!(py, "connection_lost"))?;
    let exception = exception.unwrap_or_else(|| py.None().into_bound(py));
    StreamCore::soon(slf, lost, Some(exception))
}

/// Tells the protocol, and closes the descriptor whatever that does.
pub fn connection_lost(
    slf: &Bound<'_, StreamCore>,
    exception: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let told = match this.protocol.get(py) {
        Some(protocol) => {
            protocol.call_method1(intern!(py, "connection_lost"), (exception,)).map(drop)
        }
        None => Ok(()),
    };
    let waiter = this.empty_waiter.take(py);
    release(slf)?;
    if let Some(waiter) = waiter
        && !waiter.call_method0(intern!(py, "done"))?.is_truthy()?
    {
        let lost = pyo3::exceptions::PyConnectionError::new_err("Connection is closed by peer");
        waiter.call_method1(intern!(py, "set_exception"), (lost.value(py),))?;
    }
    told
}

/// Closes the descriptor and lets go of everything.
fn release(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    if this.released.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    close_descriptor(this, py);
    this.scheduler(py).get().state(&held).transports.remove(this.fd, slf);
    this.metrics().connections_lost.add(1);
    drop(held);
    let (transport, server) = (this.transport.take(py), this.server.take(py));
    this.protocol.clear(py);
    if let (Some(transport), Some(server)) = (transport, server) {
        transport.call_method1(intern!(py, "_leave"), (server,))?;
    }
    Ok(())
}

/// Closes the stream, and with it the descriptor, which the socket of Python's lets go of before. Where
/// that has another or none any more, somebody has closed it, and the number is not the stream's to close.
fn close_descriptor(this: &StreamCore, py: Python<'_>) {
    if let Some(sock) = this.sock.take(py)
        && detach(&sock).ok() != Some(this.fd)
    {
        let _ = this.stream().forget_fd();
    }
    // One that is closed already has lost its descriptor.
    let _ = this.stream.close(|_| ());
}

/// Ends a transport whose socket somebody has closed, and says whether it was so: the number is another's.
pub fn end_if_closed(slf: &Bound<'_, StreamCore>) -> PyResult<bool> {
    let py = slf.py();
    let this = slf.get();
    let Some(sock) = this.sock.get(py) else { return Ok(false) };
    let number = sock.call_method0(intern!(py, "fileno"))?.extract::<i32>();
    if number.is_ok_and(|number| number == this.fd) {
        return Ok(false);
    }
    force_close(slf, None)?;
    close_descriptor(this, py);
    Ok(true)
}

/// Has a socket of Python's let go of its descriptor, and gives that. The method is the one in C: a signal
/// handler that runs in a line of Python could raise there, and nobody would have the descriptor.
fn detach(sock: &Bound<'_, PyAny>) -> PyResult<i32> {
    static SOCKET: Once<Py<PyAny>> = Once::new();
    let py = sock.py();
    let class = SOCKET.import(py, "_socket", "socket")?;
    if !sock.is_instance(class)? {
        return sock.call_method0(intern!(py, "detach"))?.extract();
    }
    let fd = class.call_method1(intern!(py, "detach"), (sock,))?.extract();
    // A bare one of C has no such attribute.
    let _ = sock.setattr(intern!(py, "_closed"), true);
    fd
}

/// For a transport whose loop is closed, or that goes with its loop.
pub fn give_up(this: &StreamCore, py: Python<'_>) {
    match this.hold() {
        Ok(held) => {
            // There is no loop any more that could tell the protocol what became of its writes.
            this.flow(&held).conn_lost.set(1);
            close_descriptor(this, py);
        }
        Err(_) => {
            // Another thread runs the loop: it closes the stream, and with it the descriptor.
            if let Some(sock) = this.sock.take(py) {
                let _ = detach(&sock);
            }
        }
    }
}
