//! What a transport reads, for its protocol.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyuv::{Arrived, Buffer, Code, Held, Reader};

use super::{Flow, StreamCore, core_behind};
use crate::asyncio::context;
use crate::asyncio::protocol::{Kind, data_received, reader};
use crate::asyncio::tls::TLSCore;
use crate::buffer::{Buffers, Pieces, writable_pieces};
use crate::error::to_os_error;
use crate::fresh_bytes::{FreshBytes, SLACK};
use crate::message_size::MessageSize;
use crate::once::intern;

const DATA_FAILED: &str = "Fatal error: protocol.data_received() call failed.";
const BUFFER_FAILED: &str = "Fatal error: protocol.get_buffer() call failed.";
const UPDATED_FAILED: &str = "Fatal error: protocol.buffer_updated() call failed.";
const EOF_FAILED: &str = "Fatal error: protocol.eof_received() call failed.";
const READ_FAILED: &str = "Fatal read error on socket transport";

impl StreamCore {
    pub(super) fn set_protocol(
        slf: &Bound<'_, StreamCore>,
        protocol: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let this = slf.get();
        let kind = Kind::of(&protocol)?;
        let held = this.hold()?;
        let flow = this.flow(&held);
        let changed = flow.kind.replace(kind) != kind;
        if changed && flow.started.get() && !flow.lending.get() {
            flow.started.set(false);
            StreamCore::start_if_open(slf, &held)?;
        }
        drop(held);
        this.protocol.set(Some(protocol));
        Ok(())
    }

    /// Reads from now on, unless the transport is paused or closed.
    pub(super) fn start(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
        let held = slf.get().hold()?;
        StreamCore::start_if_open(slf, &held)
    }

    fn start_if_open(slf: &Bound<'_, StreamCore>, held: &Held) -> PyResult<()> {
        let this = slf.get();
        let flow = this.flow(held);
        if !this.wants_data(flow) || flow.lending.get() {
            return Ok(());
        }
        let stream = this.stream();
        let outcome = if flow.started.replace(true) {
            stream.resume_read()
        } else {
            stream.start_reader(Incoming::default())
        };
        if let Err(error) = outcome {
            StreamCore::failed(slf, to_os_error(error), READ_FAILED);
        }
        Ok(())
    }

    pub(super) fn pause_reading(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
        let this = slf.get();
        let held = this.hold()?;
        let flow = this.flow(&held);
        if this.is_closing() || flow.paused.replace(true) {
            return Ok(());
        }
        this.stop_reading(flow);
        Ok(())
    }

    pub(super) fn resume_reading(slf: &Bound<'_, StreamCore>) -> PyResult<()> {
        let held = slf.get().hold()?;
        let flow = slf.get().flow(&held);
        if slf.get().is_closing() || !flow.paused.replace(false) {
            return Ok(());
        }
        StreamCore::start_if_open(slf, &held)
    }

    fn wants_data(&self, flow: &Flow) -> bool {
        !flow.paused.get() && !self.is_closing() && !flow.ended.get()
    }

    /// Has the core read no more. Inside of `get_buffer` it is done after the read that goes on.
    pub(super) fn stop_reading(&self, flow: &Flow) {
        if !flow.lending.get() {
            // One that is closed does not read.
            let _ = self.stream().stop_read();
        }
    }
}

/// Brings what a stream reads to its protocol.
#[derive(Default)]
struct Incoming {
    size: MessageSize,
    lent: Option<Lent>,
}

/// What was lent for the read that is going on.
enum Lent {
    Bytes(FreshBytes),
    /// A protocol's own buffer.
    Theirs(Pieces),
}

impl Incoming {
    /// Memory of a buffered protocol's.
    fn ask(&mut self, slf: &Bound<'_, StreamCore>, held: &Held) -> Option<Buffer> {
        let py = slf.py();
        let this = slf.get();
        let flow = this.flow(held);
        let protocol = this.protocol.get(py)?;
        flow.lending.set(true);
        let outcome = context::within(this.context.bind(py), || {
            let buffer = protocol.call_method1(intern!(py, "get_buffer"), (-1,))?;
            let pieces = writable_pieces(&buffer)?;
            match pieces.memory() {
                Buffers::One([buffer]) if buffer.length() > 0 => Ok((pieces, buffer)),
                _ => Err(PyRuntimeError::new_err("get_buffer() returned an empty buffer")),
            }
        });
        // Until `read`, which is told what is read now, even if the transport was paused or closed.
        match outcome {
            Ok((pieces, buffer)) => {
                self.lent = Some(Lent::Theirs(pieces));
                Some(buffer)
            }
            Err(error) => {
                StreamCore::failed(slf, error, BUFFER_FAILED);
                None
            }
        }
    }
}

// SAFETY: what is lent is kept in `lent`, and nobody else writes to it: a `bytes` that nobody knows, or a
// buffer that its protocol has given for this. While `lend` calls the protocol, `flow.lending` keeps the
// transport's methods from touching the core's reading; what else a protocol calls of the core is not
// this stream's, whose handle the transport hides.
unsafe impl Reader for Incoming {
    #[inline]
    fn lend(&mut self, stream: &pyuv::Stream, held: &Held) -> Option<Buffer> {
        // SAFETY: the core runs callbacks attached.
        let slf = unsafe { core_behind(stream) }?;
        let this = slf.get();
        let flow = this.flow(held);
        if flow.kind.get() == Kind::Buffered {
            if !this.wants_data(flow) {
                return None;
            }
            return self.ask(&slf, held);
        }
        if matches!(flow.kind.get(), Kind::Reader | Kind::Tls) {
            // It has a buffer of its own, which is filled from the slab.
            return None;
        }
        let length = self.size.expected()? + SLACK;
        let event_loop = this.scheduler(slf.py()).get().event_loop(slf.py()).ok()?;
        // For want of memory the slab does.
        let fresh = event_loop.get().spare.get(held).take(slf.py(), length).ok()?;
        let buffer = fresh.buffer(length);
        self.lent = Some(Lent::Bytes(fresh));
        Some(buffer)
    }

    fn read(
        &mut self,
        stream: &pyuv::Stream,
        held: &Held,
        outcome: pyuv::Result<Arrived<'_>>,
    ) -> bool {
        let lent = self.lent.take();
        // SAFETY: as above.
        let Some(slf) = (unsafe { core_behind(stream) }) else { return false };
        let this = slf.get();
        let flow = this.flow(held);
        let was_lending = flow.lending.replace(false);
        this.metrics().arrivals.add(1);
        match outcome {
            Err(error) if error.code() == Some(Code::EOF) => ended(&slf, held),
            Err(error) => StreamCore::failed(&slf, to_os_error(error), READ_FAILED),
            Ok(arrived) => self.arrived(&slf, held, arrived, lent),
        }
        if was_lending && !this.wants_data(flow) {
            this.stop_reading(flow);
        }
        flow.kind.get() == Kind::Buffered || self.size.expected().is_some()
    }
}

impl Incoming {
    #[inline]
    fn arrived(
        &mut self,
        slf: &Bound<'_, StreamCore>,
        held: &Held,
        arrived: Arrived<'_>,
        lent: Option<Lent>,
    ) {
        let py = slf.py();
        let this = slf.get();
        let (Some(protocol), Ok(event_loop)) =
            (this.protocol.get(py), this.scheduler(py).get().event_loop(py))
        else {
            return;
        };
        let spare = event_loop.get().spare.get(held);
        let context = this.context.bind(py);
        let count = match &arrived {
            Arrived::AsLent(length) => *length,
            Arrived::InSlab(bytes) => bytes.len(),
        };
        this.metrics().bytes_read.add(count as u64);
        let (fresh, length) = match (arrived, lent) {
            (Arrived::AsLent(0), _) => return,
            (Arrived::AsLent(length), Some(Lent::Theirs(pieces))) => {
                drop(pieces);
                let name = intern!(py, "buffer_updated");
                let told =
                    context::within(context, || protocol.call_method1(name, (length,)).map(drop));
                if let Err(error) = told {
                    StreamCore::failed(slf, error, UPDATED_FAILED);
                }
                return;
            }
            (Arrived::AsLent(length), Some(Lent::Bytes(fresh))) => (fresh, length),
            (Arrived::AsLent(_), None) => return,
            (Arrived::InSlab(bytes), _) => {
                match this.flow(held).kind.get() {
                    // get_buffer() has failed, and the connection is ending.
                    Kind::Buffered => return,
                    Kind::Reader => {
                        if let Err(error) = reader::feed(&protocol, bytes) {
                            StreamCore::failed(slf, error, DATA_FAILED);
                        }
                        return;
                    }
                    Kind::Tls => {
                        let Ok(core) = protocol.cast_exact::<TLSCore>() else { return };
                        let told = context::within(context, || TLSCore::received(core, bytes));
                        if let Err(error) = told {
                            StreamCore::failed(slf, error, DATA_FAILED);
                        }
                        return;
                    }
                    Kind::Data => {}
                }
                match spare.copy(py, bytes) {
                    Ok(fresh) => (fresh, bytes.len()),
                    Err(error) => return StreamCore::failed(slf, error, READ_FAILED),
                }
            }
        };
        self.size.note(length);
        let told = context::within(context, || {
            spare.show(py, fresh, length, |data| data_received(&protocol, data))
        });
        if let Err(error) = told {
            StreamCore::failed(slf, error, DATA_FAILED);
        }
    }
}

/// The peer has sent its end.
fn ended(slf: &Bound<'_, StreamCore>, held: &Held) {
    let py = slf.py();
    let this = slf.get();
    let flow = this.flow(held);
    flow.ended.set(true);
    let Some(protocol) = this.protocol.get(py) else { return };
    let kept = context::within(this.context.bind(py), || {
        protocol.call_method0(intern!(py, "eof_received"))?.is_truthy()
    });
    match kept {
        Ok(true) => {}
        Ok(false) => {
            if let Err(error) = super::closing::close(slf) {
                StreamCore::failed(slf, error, EOF_FAILED);
            }
        }
        Err(error) => StreamCore::failed(slf, error, EOF_FAILED),
    }
}
