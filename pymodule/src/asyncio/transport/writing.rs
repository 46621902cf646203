//! What a transport writes: at once as far as the system takes it, the rest by the core's queue, with
//! asyncio's flow control.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};
use pyuv::buffer::{Buffer, Source};
use pyuv::{Code, Held};

use super::{Flow, StreamCore, closing, core_behind};
use crate::asyncio::context;
use crate::buffer::{Pieces, pieces};
use crate::error::to_os_error;
use crate::once::intern;

const WRITE_FAILED: &str = "Fatal write error on socket transport";

/// So many calls of `write` go unsaid after the connection was lost (`asyncio.constants`).
pub const LOG_THRESHOLD: usize = 5;

/// Pieces without what was written already.
struct Rest {
    pieces: Pieces,
    skip: usize,
}

// SAFETY: the pieces are such a source; what is left of them is the same memory.
unsafe impl Source for Rest {
    fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<> {
        let mut skip = self.skip;
        let mut left = Vec::new();
        for buffer in self.pieces.memory().as_ref() {
            if skip >= buffer.length() && buffer.length() > 0 {
                skip -= buffer.length();
            } else {
                left.push(buffer.skip(std::mem::take(&mut skip)));
            }
        }
        left
    }
}

/// Whether it is what asyncio lets be written.
pub fn is_data(data: &Bound<'_, PyAny>) -> bool {
    data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyByteArray>()
        || data.is_instance_of::<PyMemoryView>()
}

impl Flow {
    /// Whether data may be written; it goes nowhere after the connection was lost.
    fn check_write(&self, slf: &Bound<'_, StreamCore>, method: &str) -> PyResult<bool> {
        if self.eof.get() {
            let fault = format!("Cannot call {method}() after write_eof()");
            return Err(PyRuntimeError::new_err(fault));
        }
        if self.sending.get() {
            let fault = format!("unable to {method}; sendfile is in progress");
            return Err(PyRuntimeError::new_err(fault));
        }
        let lost = self.conn_lost.get();
        if lost > 0 {
            if lost >= LOG_THRESHOLD
                && let Some(transport) = slf.get().transport.get(slf.py())
            {
                transport.call_method0(intern!(slf.py(), "_warn_lost"))?;
            }
            self.conn_lost.set(lost + 1);
        }
        Ok(lost == 0)
    }
}

impl StreamCore {
    /// `write(data)`
    #[inline]
    pub(super) fn write(slf: &Bound<'_, StreamCore>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        let held = this.hold()?;
        let flow = this.flow(&held);
        if let Ok(bytes) = data.cast_exact::<PyBytes>() {
            if !flow.check_write(slf, "write")? || bytes.as_bytes().is_empty() {
                return Ok(());
            }
            this.metrics().bytes_written.add(bytes.as_bytes().len() as u64);
            let tried = this.stream().try_write_slice(bytes.as_bytes());
            if tried.as_ref() == Ok(&bytes.as_bytes().len()) {
                return Ok(());
            }
            return StreamCore::keep(slf, &held, tried, |written| {
                let pieces = Pieces::of_bytes(bytes, written);
                Rest { pieces, skip: 0 }
            });
        }
        if !is_data(data) {
            return Err(PyTypeError::new_err(format!(
                "data argument must be a bytes-like object, not '{}'",
                data.get_type().name()?
            )));
        }
        if !flow.check_write(slf, "write")? {
            return Ok(());
        }
        let pieces = pieces(data)?;
        StreamCore::write_pieces(slf, &held, pieces)
    }

    /// The same with memory of Rust's.
    pub fn write_slice(slf: &Bound<'_, StreamCore>, data: &[u8]) -> PyResult<()> {
        let this = slf.get();
        let held = this.hold()?;
        if !this.flow(&held).check_write(slf, "write")? {
            return Ok(());
        }
        this.metrics().bytes_written.add(data.len() as u64);
        let tried = this.stream().try_write_slice(data);
        if tried.as_ref() == Ok(&data.len()) {
            return Ok(());
        }
        StreamCore::keep(slf, &held, tried, |written| {
            let pieces = Pieces::of_bytes(&PyBytes::new(slf.py(), data), written);
            Rest { pieces, skip: 0 }
        })
    }

    /// `writelines(list_of_data)`
    pub(super) fn write_lines(
        slf: &Bound<'_, StreamCore>,
        lines: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let this = slf.get();
        let held = this.hold()?;
        if !this.flow(&held).check_write(slf, "writelines")? {
            return Ok(());
        }
        let lines: Vec<_> = lines.try_iter()?.collect::<PyResult<_>>()?;
        if lines.is_empty() {
            return Ok(());
        }
        let pieces = pieces(pyo3::types::PyList::new(slf.py(), lines)?.as_any())?;
        StreamCore::write_pieces(slf, &held, pieces)
    }

    fn write_pieces(slf: &Bound<'_, StreamCore>, held: &Held, pieces: Pieces) -> PyResult<()> {
        let length: usize = pieces.memory().as_ref().iter().map(Buffer::length).sum();
        if length == 0 {
            return Ok(());
        }
        slf.get().metrics().bytes_written.add(length as u64);
        let tried = slf.get().stream().try_write(&pieces);
        if tried == Ok(length) {
            return Ok(());
        }
        StreamCore::keep(slf, held, tried, |skip| Rest { pieces, skip })
    }

    /// Queues what the system has not taken.
    #[cold]
    fn keep(
        slf: &Bound<'_, StreamCore>,
        held: &Held,
        tried: pyuv::Result<usize>,
        rest: impl FnOnce(usize) -> Rest,
    ) -> PyResult<()> {
        let written = match tried {
            Ok(written) => written,
            Err(error) if error.code() == Some(Code::EAGAIN) => 0,
            Err(error) => {
                StreamCore::failed(slf, to_os_error(error), WRITE_FAILED);
                return Ok(());
            }
        };
        let done = |stream: &pyuv::Stream, outcome: pyuv::Result<()>| {
            // SAFETY: the core runs callbacks attached.
            if let Some(slf) = unsafe { core_behind(stream) } {
                StreamCore::written(&slf, outcome);
            }
        };
        if let Err(error) = slf.get().stream().write_rest(rest(written), done) {
            StreamCore::failed(slf, to_os_error(error), WRITE_FAILED);
            return Ok(());
        }
        StreamCore::maybe_pause(slf, held)
    }

    /// How many bytes wait to be written.
    pub(super) fn write_buffer_size(&self, flow: &Flow) -> usize {
        if flow.conn_lost.get() > 0 {
            return 0;
        }
        self.stream().write_queue_size().unwrap_or(0)
    }

    /// A write that had to wait has ended.
    fn written(slf: &Bound<'_, StreamCore>, outcome: pyuv::Result<()>) {
        let py = slf.py();
        let this = slf.get();
        let Ok(held) = this.hold() else { return };
        let flow = this.flow(&held);
        if flow.conn_lost.get() > 0 {
            return;
        }
        if let Err(error) = outcome {
            let error = to_os_error(error);
            if let Some(waiter) = this.empty_waiter.get(py) {
                let _ = waiter.call_method1(intern!(py, "set_exception"), (error.value(py),));
            }
            return StreamCore::failed(slf, error, WRITE_FAILED);
        }
        if flow.protocol_paused.get() && this.write_buffer_size(flow) <= flow.low.get() {
            flow.protocol_paused.set(false);
            StreamCore::tell_flow(slf, intern!(py, "resume_writing"));
        }
        if this.write_buffer_size(flow) > 0 || flow.conn_lost.get() > 0 {
            return;
        }
        if let Some(waiter) = this.empty_waiter.get(py)
            && !waiter
                .call_method0(intern!(py, "done"))
                .is_ok_and(|done| done.is_truthy().unwrap_or(true))
        {
            let _ = waiter.call_method1(intern!(py, "set_result"), (py.None(),));
        }
        if this.is_closing()
            && let Err(error) = closing::lose(slf, &held, None)
        {
            StreamCore::failed(slf, error, WRITE_FAILED);
        }
    }

    /// Asks the protocol to pause, where the queue is long.
    pub(super) fn maybe_pause(slf: &Bound<'_, StreamCore>, held: &Held) -> PyResult<()> {
        let flow = slf.get().flow(held);
        if flow.protocol_paused.get() || slf.get().write_buffer_size(flow) <= flow.high.get() {
            return Ok(());
        }
        flow.protocol_paused.set(true);
        StreamCore::tell_flow(slf, intern!(slf.py(), "pause_writing"));
        Ok(())
    }

    /// Calls `pause_writing` or `resume_writing`; what it raises goes to the exception handler.
    fn tell_flow(slf: &Bound<'_, StreamCore>, method: &Bound<'_, pyo3::types::PyString>) {
        let py = slf.py();
        let this = slf.get();
        let Some(protocol) = this.protocol.get(py) else { return };
        let resumes = method.to_str().is_ok_and(|name| name == "resume_writing");
        let call = || protocol.call_method0(method).map(drop);
        // Paused is what somebody does who writes, in a context of theirs.
        let told = if resumes { context::within(this.context.bind(py), call) } else { call() };
        let Err(error) = told else { return };
        let report = || -> PyResult<()> {
            if crate::excepthook::ends_the_program(py, &error) {
                return Err(error);
            }
            let Some(transport) = this.transport.get(py) else { return Ok(()) };
            let name = intern!(py, "_flow_failed");
            transport.call_method1(name, (method, error.value(py))).map(drop)
        };
        if let Err(error) = report()
            && let Ok(event_loop) = this.scheduler(py).get().event_loop(py)
        {
            crate::r#loop::Loop::handle_exception(event_loop, error, None);
        }
    }

    /// `write_eof()`
    pub(super) fn write_eof(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
        let this = slf.get();
        let held = this.hold()?;
        let flow = this.flow(&held);
        if this.is_closing() || flow.eof.replace(true) {
            return Ok(());
        }
        if this.write_buffer_size(flow) > 0 {
            return this.stream().shutdown(|_, _| ()).map_err(to_os_error);
        }
        // The peer learns of it at once, as of what is written; libuv would wait for its next turn.
        // SAFETY: the descriptor is open, and the transport's.
        if unsafe { libc::shutdown(this.fd, libc::SHUT_WR) } != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(())
    }
}
