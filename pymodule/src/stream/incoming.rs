//! What a stream reads, as `bytes`.
//!
//! Small messages are copied out of the loop's slab. For large ones the copy is what costs; but
//! to read into an object it has to be known how long the message will be. Often it is as long as
//! the one before: after two that were, the next is read into an object of that size.

use pyuv::{Arrived, Buffer, Held, Reader};

use crate::call::{call, error_argument};
use crate::fresh_bytes::{FreshBytes, SLACK};
use crate::handle::Handle;
use crate::life::back::object_of;
use crate::stream::Stream;

/// From what length on it is worth it.
const LARGE: usize = 4096;

/// Makes `bytes` of what a stream reads, for the callback of its Python object.
#[derive(Default)]
pub struct Incoming {
    /// How long the last message was.
    last: usize,
    /// Whether the one before it was as long.
    steady: bool,
    /// What was lent for the read that is going on.
    lent: Option<FreshBytes>,
}

impl Incoming {
    fn arrived(&mut self, length: usize) {
        self.steady = length == self.last;
        self.last = length;
    }

    /// Whether the next message is to be read into an object of its own.
    fn expects_large(&self) -> bool {
        self.steady && self.last >= LARGE
    }
}

// SAFETY: the bytes object is kept in `lent`, and nobody else knows it, until `read` takes it out.
unsafe impl Reader for Incoming {
    #[inline]
    fn lend(&mut self, stream: &pyuv::Stream, held: &Held) -> Option<Buffer> {
        if !self.expects_large() {
            return None;
        }
        // SAFETY: the core runs callbacks attached (see `GilHooks`).
        let slf = unsafe { object_of(stream) }?;
        let event_loop = slf.get().event_loop(slf.py())?;
        // libuv reads again when a read has filled its memory.
        let length = self.last + SLACK;
        // For want of memory the slab does.
        let fresh = event_loop.get().spare.get(held).take(slf.py(), length).ok()?;
        let buffer = fresh.buffer(length);
        self.lent = Some(fresh);
        Some(buffer)
    }

    fn read(
        &mut self,
        stream: &pyuv::Stream,
        held: &Held,
        outcome: pyuv::Result<Arrived<'_>>,
    ) -> bool {
        let lent = self.lent.take();
        Handle::dispatch(stream, "read", |slf, callback| {
            let py = slf.py();
            let arrived = match outcome {
                Ok(arrived) => arrived,
                Err(error) => {
                    // SAFETY: the core reads from streams alone.
                    Stream::settle(unsafe { slf.cast_unchecked::<Stream>() }, stream);
                    let code = error_argument(py, error.code().map(|code| code.0));
                    return call(&callback, [slf.as_any(), &py.None().into_bound(py), &code]);
                }
            };
            // Where the collector has taken the loop away there is nobody to tell.
            let Some(event_loop) = slf.get().event_loop(py) else { return Ok(()) };
            let spare = event_loop.get().spare.get(held);
            let (fresh, length) = match (arrived, lent) {
                (Arrived::InSlab(bytes), _) => (spare.copy(py, bytes)?, bytes.len()),
                (Arrived::AsLent(0), _) | (Arrived::AsLent(_), None) => return Ok(()),
                (Arrived::AsLent(length), Some(lent)) => (lent, length),
            };
            self.arrived(length);
            spare.show(py, fresh, length, |data| {
                call(&callback, [slf.as_any(), data, &error_argument(py, None)])
            })
        });
        self.expects_large()
    }
}
