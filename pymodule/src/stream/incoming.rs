//! What a stream reads, as `bytes`: out of the loop's slab, or read into an object of its own, where it
//! is known how long the message will be (`message_size.rs`).

use pyuv::{Arrived, Buffer, Held, Reader};

use crate::call::{call, error_argument};
use crate::fresh_bytes::{FreshBytes, SLACK};
use crate::handle::Handle;
use crate::life::back::object_of;
use crate::message_size::MessageSize;
use crate::stream::Stream;

/// Makes `bytes` of what a stream reads, for the callback of its Python object.
#[derive(Default)]
pub struct Incoming {
    size: MessageSize,
    /// What was lent for the read that is going on.
    lent: Option<FreshBytes>,
}

// SAFETY: the bytes object is kept in `lent`, and nobody else knows it, until `read` takes it out.
unsafe impl Reader for Incoming {
    #[inline]
    fn lend(&mut self, stream: &pyuv::Stream, held: &Held) -> Option<Buffer> {
        let expected = self.size.expected()?;
        // SAFETY: the core runs callbacks attached (see `GilHooks`).
        let slf = unsafe { object_of(stream) }?;
        let event_loop = slf.get().event_loop(slf.py())?;
        // libuv reads again when a read has filled its memory.
        let length = expected + SLACK;
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
            self.size.note(length);
            spare.show(py, fresh, length, |data| {
                call(&callback, [slf.as_any(), data, &error_argument(py, None)])
            })
        });
        self.size.expected().is_some()
    }
}
