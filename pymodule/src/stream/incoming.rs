//! What a stream reads, as `bytes`.
//!
//! Small messages are copied out of the loop's slab. For large ones the copy is what costs; but
//! to read into a new object it has to be known how long the message will be. Often it is as long
//! as the one before: after two that were, the next is read into an object of that size.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv::{Arrived, Buffer, Reader};

use crate::call::{call, error_argument};
use crate::fresh_bytes::FreshBytes;
use crate::handle::Handle;
use crate::stream::Stream;

/// From what length on it is worth it.
const LARGE: usize = 4096;

/// How much more than the expected message there is room for: libuv reads again when a read has
/// filled its memory. So little that the allocator leaves the object where it is when it is cut.
const SLACK: usize = 16;

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
}

// SAFETY: the bytes object is kept in `lent`, and nobody else knows it, until `read` takes it out.
unsafe impl Reader for Incoming {
    #[inline]
    fn lend(&mut self) -> Option<Buffer> {
        if !self.steady || self.last < LARGE {
            return None;
        }
        // SAFETY: the core's callbacks run attached (see `GilHooks`).
        let py = unsafe { Python::assume_attached() };
        let length = self.last + SLACK;
        // For want of memory the slab does.
        let fresh = FreshBytes::new(py, length).ok()?;
        let buffer = fresh.buffer(length);
        self.lent = Some(fresh);
        Some(buffer)
    }

    fn read(&mut self, stream: &pyuv::Stream, outcome: pyuv::Result<Arrived<'_>>) {
        let lent = self.lent.take();
        Handle::dispatch(stream, |slf, callback| {
            let py = slf.py();
            let data = match outcome {
                Ok(Arrived::AsLent(0)) => return Ok(()),
                Ok(Arrived::InSlab(bytes)) => {
                    self.arrived(bytes.len());
                    PyBytes::new(py, bytes).into_any()
                }
                Ok(Arrived::AsLent(length)) => {
                    self.arrived(length);
                    let Some(lent) = lent else { return Ok(()) };
                    lent.cut(py, length)?.into_any()
                }
                Err(error) => {
                    // SAFETY: the core reads from streams alone.
                    Stream::settle(unsafe { slf.cast_unchecked::<Stream>() }, stream);
                    let code = error_argument(py, error.code().map(|code| code.0));
                    return call(&callback, [slf.as_any(), &py.None().into_bound(py), &code]);
                }
            };
            call(&callback, [slf.as_any(), &data, &error_argument(py, None)])
        });
    }
}
