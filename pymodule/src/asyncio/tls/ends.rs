//! The handshake, and the ends that a connection comes to.

use pyo3::exceptions::PyConnectionResetError;
use pyo3::prelude::*;

use super::{State, TLSCore, Told, connect};
use crate::excepthook::ends_the_program;
use crate::once::intern;
use crate::tls::{Step, is_data_after_end};

/// The transport below is connected: the handshake begins.
pub fn made(slf: &Bound<'_, TLSCore>, below: Bound<'_, PyAny>) -> PyResult<()> {
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.state.get() != State::New {
        // It was aborted before.
        return below.call_method0("abort").map(drop);
    }
    connect(this, below)?;
    flow.state.set(State::Handshake);
    this.ask(slf.py(), "_handshake_begun", None)?;
    shake_hands(slf)
}

/// Goes on with the handshake.
pub fn shake_hands(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.state.get() != State::Handshake {
        return Ok(());
    }
    let outcome = this.session.handshake(py);
    // A callback of the context's may have ended it meanwhile.
    if flow.state.get() != State::Handshake {
        return Ok(());
    }
    // After a failure too: there is an alert that says which.
    let sent = TLSCore::send(slf, &held);
    match outcome {
        Ok(Step::Waits) => sent,
        Ok(Step::Done(())) => {
            sent?;
            flow.state.set(State::Open);
            this.ask(py, "_handshake_done", None)?;
            TLSCore::read(slf)
        }
        Err(error) if ends_the_program(py, &error) => Err(error),
        Err(error) => this.ask(py, "_handshake_failed", Some(error.value(py))),
    }
}

/// Calls the protocol's `connection_made`, unless that was done.
pub fn tell_made(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.told.get() != Told::Nothing {
        return Ok(());
    }
    flow.told.set(Told::Made);
    let (Some(protocol), Some(transport)) = (this.protocol.get(py), this.transport.get(py)) else {
        return Ok(());
    };
    protocol.call_method1(intern!(py, "connection_made"), (transport,)).map(drop)
}

/// Calls the protocol's `eof_received`, once.
pub fn tell_end(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.told.get() != Told::Made {
        return Ok(());
    }
    flow.told.set(Told::End);
    let Some(protocol) = this.protocol.get(py) else { return Ok(()) };
    if protocol.call_method0(intern!(py, "eof_received"))?.is_truthy()? {
        this.ask(py, "_warn_half_open", None)?;
    }
    Ok(())
}

/// `close()`: what was written goes out first, and the peer is told.
pub fn close(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    match flow.state.get() {
        State::New | State::Handshake => force_close(slf, None),
        State::Open => {
            flow.state.set(State::Flushing);
            this.ask(slf.py(), "_shutdown_begun", None)?;
            flush(slf)
        }
        State::Flushing | State::Shutdown | State::Closed => Ok(()),
    }
}

/// Writes what is left, and shuts down after it.
pub fn flush(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.state.get() != State::Flushing {
        return Ok(());
    }
    let outcome = TLSCore::write_backlog(slf, &held).and_then(|()| TLSCore::send(slf, &held));
    if let Err(error) = outcome {
        return this.failed(slf.py(), error);
    }
    if flow.state.get() == State::Flushing && flow.backlog.borrow().is_empty() {
        flow.state.set(State::Shutdown);
        return shut_down(slf);
    }
    Ok(())
}

/// Tells the peer that nothing more comes, and ends when the peer has said so too. What else it sends is not read
/// any more: the connection ends with it.
pub fn shut_down(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.state.get() != State::Shutdown {
        return Ok(());
    }
    let outcome = match flow.below_ended.get() {
        true => Ok(Step::Done(())),
        false => this.session.shutdown(py),
    };
    if flow.state.get() != State::Shutdown {
        return Ok(());
    }
    match outcome {
        Ok(Step::Waits) => return TLSCore::send(slf, &held),
        Ok(Step::Done(())) => {
            if let Err(error) = tell_end(slf) {
                return this.failed(py, error);
            }
        }
        Err(error) if is_data_after_end(py, &error) => {}
        Err(error) => return this.failed(py, error),
    }
    // The transport below writes all of it before it closes.
    this.send_at_once(py)?;
    match this.below.get(py) {
        Some(below) => below.call_method0(intern!(py, "close")).map(drop),
        None => Ok(()),
    }
}

/// `abort()`, or the end after a failure.
pub fn force_close(slf: &Bound<'_, TLSCore>, exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    if flow.state.get() == State::New {
        flow.state.set(State::Closed);
        return lost(slf, exception);
    }
    flow.state.set(State::Closed);
    let Some(below) = this.below.get(py) else { return Ok(()) };
    let force = intern!(py, "_force_close");
    if below.hasattr(force)? {
        below.call_method1(force, (exception,)).map(drop)
    } else {
        below.call_method0(intern!(py, "abort")).map(drop)
    }
}

/// The transport below has come to its end. Returns whether it shall stay nevertheless.
pub fn below_ended(slf: &Bound<'_, TLSCore>) -> PyResult<bool> {
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    flow.below_ended.set(true);
    match flow.state.get() {
        State::New | State::Handshake => {
            let error = PyConnectionResetError::new_err("the peer has ended the TLS handshake");
            this.ask(slf.py(), "_handshake_failed", Some(error.value(slf.py())))?;
            Ok(false)
        }
        State::Open if flow.paused.get() => Ok(true),
        State::Open => TLSCore::read(slf).map(|()| flow.paused.get()),
        State::Flushing => flush(slf).map(|()| false),
        State::Shutdown => shut_down(slf).map(|()| false),
        State::Closed => Ok(false),
    }
}

/// The peer has ended, and all that it sent was read.
pub fn of_peer(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
    tell_end(slf)?;
    close(slf)
}

/// The transport below is lost.
pub fn lost(slf: &Bound<'_, TLSCore>, exception: Option<Bound<'_, PyAny>>) -> PyResult<()> {
    let py = slf.py();
    let this = slf.get();
    let held = this.hold()?;
    let flow = this.flow(&held);
    flow.state.set(State::Closed);
    flow.lost_writes.set(flow.lost_writes.get() + 1);
    let backlog = flow.backlog.take();
    flow.backlog_size.set(0);
    let told = flow.told.replace(Told::Lost);
    drop(held);
    drop(backlog);
    let (transport, protocol) = (this.transport.take(py), this.protocol.take(py));
    this.below.clear(py);
    this.stream.clear(py);
    let exception = exception.unwrap_or_else(|| py.None().into_bound(py));
    if let Some(protocol) = protocol
        && matches!(told, Told::Made | Told::End)
    {
        let lost = protocol.getattr(intern!(py, "connection_lost"))?;
        let scheduler = this.scheduler.bind(py);
        scheduler.call_method1(intern!(py, "call_soon"), (lost, &exception))?;
    }
    match transport {
        Some(transport) => transport.call_method1("_lost", (exception,)).map(drop),
        None => Ok(()),
    }
}
