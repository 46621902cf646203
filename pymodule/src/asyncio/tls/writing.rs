//! What goes to the peer, encrypted.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv::Held;

use super::{Flow, State, TLSCore};
use crate::asyncio::transport::{LOG_THRESHOLD, StreamCore, is_data};
use crate::excepthook::ends_the_program;
use crate::once::intern;
use crate::tls::{RECORD, Step, bytes_of};

impl TLSCore {
    /// `write(data)`
    #[inline]
    pub(super) fn write(slf: &Bound<'_, TLSCore>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        check(data)?;
        let this = slf.get();
        let held = this.hold()?;
        if data.len()? == 0 || !this.check_write(slf.py(), this.flow(&held))? {
            return Ok(());
        }
        TLSCore::write_all(slf, &held, std::slice::from_ref(data))
    }

    /// `writelines(list_of_data)`
    pub(super) fn write_lines(slf: &Bound<'_, TLSCore>, lines: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut pieces = Vec::new();
        let mut size = 0;
        for line in lines.try_iter()? {
            let line = line?;
            check(&line)?;
            size += line.len()?;
            pieces.push(line);
        }
        let held = this.hold()?;
        if size == 0 || !this.check_write(py, this.flow(&held))? {
            return Ok(());
        }
        // They become one record.
        if pieces.len() > 1 && size <= RECORD {
            let all = PyBytes::new(py, b"").call_method1(intern!(py, "join"), (pieces,))?;
            return TLSCore::write_all(slf, &held, &[all]);
        }
        pieces.retain(|piece| piece.len().is_ok_and(|length| length > 0));
        TLSCore::write_all(slf, &held, &pieces)
    }

    /// Whether data may be written; it goes nowhere after the connection was closed.
    fn check_write(&self, py: Python<'_>, flow: &Flow) -> PyResult<bool> {
        if matches!(flow.state.get(), State::New | State::Handshake | State::Open) {
            return Ok(true);
        }
        let lost = flow.lost_writes.get();
        if lost >= LOG_THRESHOLD {
            self.ask(py, "_warn_lost", None)?;
        }
        flow.lost_writes.set(lost + 1);
        Ok(false)
    }

    /// Encrypts and sends, as far as that goes.
    fn write_all(
        slf: &Bound<'_, TLSCore>,
        held: &Held,
        pieces: &[Bound<'_, PyAny>],
    ) -> PyResult<()> {
        let this = slf.get();
        let flow = this.flow(held);
        let mut waits = flow.state.get() != State::Open || !flow.backlog.borrow().is_empty();
        for piece in pieces {
            let outcome = if waits { Ok(0) } else { this.encrypt(piece) };
            let taken = match outcome {
                Ok(taken) => taken,
                Err(error) => return this.failed(slf.py(), error),
            };
            if taken < piece.len()? {
                waits = true;
                this.keep(flow, piece, taken)?;
            }
        }
        TLSCore::send(slf, held)
    }

    /// Gives the session data, and says how much it took.
    fn encrypt(&self, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        Ok(match self.session.write(data)? {
            Step::Done(taken) => taken,
            Step::Waits => 0,
        })
    }

    /// Keeps a copy of what was not taken.
    #[cold]
    fn keep(&self, flow: &Flow, data: &Bound<'_, PyAny>, taken: usize) -> PyResult<()> {
        let bytes = bytes_of(data)?;
        let rest = PyBytes::new(data.py(), &bytes.as_bytes()[taken..]);
        flow.backlog_size.set(flow.backlog_size.get() + rest.as_bytes().len());
        flow.backlog.borrow_mut().push_back(rest.unbind());
        Ok(())
    }

    /// Encrypts what could not be before.
    pub(super) fn write_backlog(slf: &Bound<'_, TLSCore>, held: &Held) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let flow = this.flow(held);
        loop {
            let Some(data) = flow.backlog.borrow_mut().pop_front() else { return Ok(()) };
            let (data, size) = (data.bind(py), data.as_bytes(py).len());
            flow.backlog_size.set(flow.backlog_size.get().saturating_sub(size));
            let taken = this.encrypt(data)?;
            if taken < size {
                let rest = PyBytes::new(py, &data.as_bytes()[taken..]);
                flow.backlog_size.set(flow.backlog_size.get() + size - taken);
                flow.backlog.borrow_mut().push_front(rest.unbind());
                return Ok(());
            }
        }
    }

    /// Sends what is encrypted, unless the transport below has enough.
    pub(super) fn send(slf: &Bound<'_, TLSCore>, held: &Held) -> PyResult<()> {
        let this = slf.get();
        if !this.flow(held).below_full.get() {
            this.send_at_once(slf.py())?;
        }
        TLSCore::control_writing(slf, held)
    }

    /// Sends what is encrypted.
    pub(super) fn send_at_once(&self, py: Python<'_>) -> PyResult<()> {
        self.session.output(py, |output| {
            if let Some(stream) = self.stream.get(py) {
                // Nobody else fills the slot: see `connect`.
                return StreamCore::write_slice(stream.cast_exact::<StreamCore>()?, output);
            }
            let Some(below) = self.below.get(py) else { return Ok(()) };
            below.call_method1(intern!(py, "write"), (PyBytes::new(py, output),)).map(drop)
        })
    }

    /// How many bytes wait to be written.
    pub(super) fn write_buffer_size(&self, py: Python<'_>, flow: &Flow) -> PyResult<usize> {
        // What the transport below does not wait for is gone.
        let unsent = if flow.below_full.get() { self.session.unsent(py)? } else { 0 };
        Ok(unsent + flow.backlog_size.get())
    }

    /// Asks the protocol to pause or to resume, where that is due.
    pub(super) fn control_writing(slf: &Bound<'_, TLSCore>, held: &Held) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let flow = this.flow(held);
        let size = this.write_buffer_size(py, flow)?;
        let paused = flow.protocol_paused.get();
        let (pauses, resumes) =
            (!paused && size > flow.high.get(), paused && size <= flow.low.get());
        if !pauses && !resumes {
            return Ok(());
        }
        flow.protocol_paused.set(pauses);
        let name =
            if pauses { intern!(py, "pause_writing") } else { intern!(py, "resume_writing") };
        let Some(protocol) = this.protocol.get(py) else { return Ok(()) };
        match protocol.call_method0(name) {
            Err(error) if ends_the_program(py, &error) => Err(error),
            Err(error) => match this.transport.get(py) {
                Some(transport) => transport
                    .call_method1(intern!(py, "_flow_failed"), (name, error.value(py)))
                    .map(drop),
                None => Ok(()),
            },
            Ok(_) => Ok(()),
        }
    }
}

fn check(data: &Bound<'_, PyAny>) -> PyResult<()> {
    if is_data(data) {
        return Ok(());
    }
    let name = data.get_type().name()?;
    Err(PyTypeError::new_err(format!("data: expecting a bytes-like instance, got {name}")))
}
