//! What the peer sends, in clear.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use super::{Flow, MOST_UNREAD, State, TLSCore, ends, pause_below};
use crate::asyncio::protocol::{Kind, data_received, reader};
use crate::fresh_bytes::FreshBytes;
use crate::once::intern;
use crate::tls::Step;

/// So many bytes are brought to a protocol at a time.
const MOST: usize = 256 * 1024;

/// Why there is nothing more to read now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// There may be more.
    More,
    /// The peer has to send more.
    Waits,
    /// The peer has said that there is no more.
    Ended,
}

impl TLSCore {
    /// Bytes have come from below.
    pub fn received(slf: &Bound<'_, TLSCore>, bytes: &[u8]) -> PyResult<()> {
        let this = slf.get();
        let held = this.hold()?;
        let state = this.flow(&held).state.get();
        if state == State::Closed {
            return Ok(());
        }
        let _lent = match this.session.feed(slf.py(), bytes) {
            Ok(lent) => lent,
            Err(error) => return this.failed(slf.py(), error),
        };
        match state {
            State::Open => TLSCore::read(slf),
            State::New | State::Handshake => ends::shake_hands(slf),
            State::Flushing => ends::flush(slf),
            State::Shutdown => ends::shut_down(slf),
            State::Closed => Ok(()),
        }
    }

    /// Brings to the protocol what can be read, as long as it wants it.
    pub(super) fn read(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        let outcome = TLSCore::read_all(slf);
        outcome.or_else(|error| slf.get().failed(slf.py(), error))
    }

    fn read_all(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let held = this.hold()?;
        let flow = this.flow(&held);
        let wants = || flow.state.get() == State::Open && !flow.paused.get();
        let mut then = Then::More;
        while then == Then::More && wants() {
            let Some(protocol) = this.protocol.get(py) else { return Ok(()) };
            then = if flow.kind.get() == Kind::Buffered {
                this.read_into(&protocol)?
            } else {
                this.read_once(flow, &protocol)?
            };
        }
        if !matches!(flow.state.get(), State::Open | State::Flushing) {
            return Ok(());
        }
        if then == Then::Ended {
            return ends::of_peer(slf);
        }
        // What the session answers by itself, and what waited for the peer.
        TLSCore::write_backlog(slf, &held)?;
        TLSCore::send(slf, &held)?;
        if flow.below_ended.get() && wants() {
            return ends::of_peer(slf);
        }
        this.control_reading(py, flow)
    }

    /// Brings the protocol what there is, at once.
    fn read_once(&self, flow: &Flow, protocol: &Bound<'_, PyAny>) -> PyResult<Then> {
        let py = protocol.py();
        let mut first: Option<Bound<'_, PyBytes>> = None;
        let mut more = Vec::new();
        let mut size = 0;
        let then = loop {
            let most = self.session.readable(py)?;
            if most == 0 {
                break Then::Waits;
            }
            if size >= MOST {
                break Then::More;
            }
            let data = match self.session.read(py, most) {
                Ok(Step::Done(data)) => data,
                Ok(Step::Waits) => break Then::Waits,
                // The next read fails in the same way, when what came before has been told.
                Err(_) if size > 0 => break Then::More,
                Err(error) => return Err(error),
            };
            if data.as_bytes().is_empty() {
                break Then::Ended;
            }
            size += data.as_bytes().len();
            match &first {
                None => first = Some(data),
                Some(_) => more.push(data),
            }
        };
        let Some(first) = first else { return Ok(then) };
        if flow.kind.get() == Kind::Reader {
            for data in std::iter::once(&first).chain(&more) {
                reader::feed(protocol, data.as_bytes())?;
            }
            return Ok(then);
        }
        if more.is_empty() {
            data_received(protocol, &first)?;
        } else {
            let parts: Vec<_> =
                std::iter::once(&first).chain(&more).map(|data| data.as_bytes()).collect();
            data_received(protocol, FreshBytes::of(py, &parts)?.as_any())?;
        }
        Ok(then)
    }

    /// Fills a buffer of the protocol's.
    fn read_into(&self, protocol: &Bound<'_, PyAny>) -> PyResult<Then> {
        let py = protocol.py();
        if self.session.readable(py)? == 0 {
            return Ok(Then::Waits);
        }
        let buffer = protocol.call_method1(intern!(py, "get_buffer"), (-1,))?;
        let room = buffer.len()?;
        if room == 0 {
            return Err(PyRuntimeError::new_err("get_buffer() returned an empty buffer"));
        }
        let mut filled = 0;
        let then = loop {
            let rest = if filled == 0 {
                buffer.clone()
            } else {
                PyMemoryView::from(&buffer)?.get_item(pyo3::types::PySlice::new(
                    py,
                    filled as isize,
                    room as isize,
                    1,
                ))?
            };
            match self.session.read_into(&rest, room - filled) {
                Ok(Step::Done(0)) => break Then::Ended,
                Ok(Step::Done(count)) => filled += count,
                Ok(Step::Waits) => break Then::Waits,
                Err(_) if filled > 0 => break Then::More,
                Err(error) => return Err(error),
            }
            if filled == room {
                break Then::More;
            }
            if self.session.readable(py)? == 0 {
                break Then::Waits;
            }
        };
        if filled > 0 {
            protocol.call_method1(intern!(py, "buffer_updated"), (filled,))?;
        }
        Ok(then)
    }

    /// Has the transport below pause when much is kept for a protocol that is paused.
    pub(super) fn control_reading(&self, py: Python<'_>, flow: &Flow) -> PyResult<()> {
        if !flow.paused.get() {
            return pause_below(self, py, flow, false);
        }
        if self.session.unread(py)? >= MOST_UNREAD {
            return pause_below(self, py, flow, true);
        }
        Ok(())
    }

    pub(super) fn pause_reading(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        let held = slf.get().hold()?;
        slf.get().flow(&held).paused.set(true);
        Ok(())
    }

    pub(super) fn resume_reading(slf: &Bound<'_, TLSCore>) -> PyResult<()> {
        let py = slf.py();
        let held = slf.get().hold()?;
        if !slf.get().flow(&held).paused.replace(false) {
            return Ok(());
        }
        let proceed = slf.getattr(intern!(py, "proceed"))?;
        let scheduler = slf.get().scheduler.bind(py);
        scheduler.call_method1(intern!(py, "call_soon"), (proceed,)).map(drop)
    }
}
