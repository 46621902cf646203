//! `uv_read_start`: what comes in, into the loop's slab or into memory of the reader's.

use std::os::raw::c_char;

use libuv_sys2 as uv;

use super::{Callback, Stream, View, state};
use crate::buffer::Buffer;
use crate::error::{Code, Error, Result};
use crate::handle::{Header, dispatch_to};
use crate::r#loop::Held;
use crate::trampoline;

/// Who hears of what a stream reads, and may have it read into memory of its own.
///
/// To copy a large message out of the slab costs as much as the rest of what is done for it. A
/// reader that expects one lends memory for it, and has it there.
///
/// # Safety
/// The memory lent may be written, and is used by nobody else, until `read` is called or the
/// reader is dropped. `lend` calls nothing of this crate's but [`Handle::data`](crate::Handle::data).
pub unsafe trait Reader: Send + 'static {
    /// Memory for the read that follows at once; `None` is for the loop's slab. A read that
    /// fills it is followed by another.
    fn lend(&mut self, stream: &Stream, held: &Held) -> Option<Buffer>;

    /// Tells what was read, or why nothing more is: see [`Stream::start_read`]. The memory lent is
    /// the reader's again. Returns whether `lend` is to be asked before the next read; before the
    /// first it is.
    fn read(&mut self, stream: &Stream, held: &Held, outcome: Result<Arrived<'_>>) -> bool;
}

/// What a stream has read.
pub enum Arrived<'a> {
    /// Bytes in the loop's slab.
    InSlab(&'a [u8]),
    /// So many bytes at the beginning of what was lent; none where nothing was there after all.
    AsLent(usize),
}

/// Reads by a closure, from the slab.
struct FromSlab<F>(F);

// SAFETY: it lends nothing.
unsafe impl<F: FnMut(&Stream, Result<&[u8]>) + Send + 'static> Reader for FromSlab<F> {
    fn lend(&mut self, _stream: &Stream, _held: &Held) -> Option<Buffer> {
        None
    }

    fn read(&mut self, stream: &Stream, _held: &Held, outcome: Result<Arrived<'_>>) -> bool {
        (self.0)(
            stream,
            outcome.map(|arrived| match arrived {
                Arrived::InSlab(bytes) => bytes,
                Arrived::AsLent(_) => &[],
            }),
        );
        false
    }
}

impl Stream {
    /// Has `callback` called with what arrives (`uv_read_start`). On a stream that reads already
    /// this replaces the callback.
    ///
    /// The slice is part of the loop's slab and ends with the call; it is never empty. At the end
    /// of the stream the callback gets `UV_EOF`, on failure another code such as
    /// `UV_ECONNRESET`; the stream has stopped reading then.
    ///
    /// Fails with `UV_ENOTCONN` before the stream is connected.
    pub fn start_read(
        &self,
        callback: impl FnMut(&Stream, Result<&[u8]>) + Send + 'static,
    ) -> Result<()> {
        self.start_reader(FromSlab(callback))
    }

    /// [`start_read`](Stream::start_read) by a [`Reader`], which may lend memory.
    pub fn start_reader(&self, reader: impl Reader) -> Result<()> {
        let entered = self.enter()?;
        self.begin_read(&entered)?;
        // Before the old reader goes, which may do anything.
        self.state(&entered).lends.set(true);
        // SAFETY: streams have this type of closure.
        unsafe { self.header(&entered).set_callback(Callback::Read(Box::new(reader))) };
        Ok(())
    }

    /// Reads again, by the reader that it had before [`stop_read`](Stream::stop_read).
    pub fn resume_read(&self) -> Result<()> {
        let entered = self.enter()?;
        self.begin_read(&entered)
    }

    /// `uv_read_start`, by whoever has the callback.
    fn begin_read(&self, held: &Held) -> Result<()> {
        self.refuse_while_listening(held, "uv_read_start")?;
        self.check_foreign(held)?;
        // SAFETY: the handle is open, a stream, and its loop is ours.
        let status = unsafe { uv::uv_read_start(self.uv(), Some(alloc), Some(on_read)) };
        if status != Code::EALREADY.0 {
            Error::check(status, "uv_read_start")?;
        }
        Ok(())
    }

    /// Reads no more (`uv_read_stop`).
    pub fn stop_read(&self) -> Result<()> {
        let entered = self.enter()?;
        if !self.state(&entered).listening.get() {
            // SAFETY: the handle is open, a stream, and its loop is ours.
            unsafe { uv::uv_read_stop(self.uv()) };
        }
        Ok(())
    }
}

/// `uv_alloc_cb`: memory of the reader's, or the slab.
pub(super) unsafe extern "C" fn alloc(
    handle: *mut uv::uv_handle_t,
    _suggested: usize,
    buffer: *mut uv::uv_buf_t,
) {
    // SAFETY: libuv gives the handle that was started, made by this crate.
    let header = unsafe { Header::from_uv(handle) };
    let lent = if state(header).lends.get() { lend(header) } else { None };
    let memory = lent.map_or_else(|| header.held().slab.lend(), Buffer::raw);
    // SAFETY: libuv wants the buffer filled.
    unsafe { *buffer = memory };
}

fn lend(header: &Header) -> Option<Buffer> {
    let mut lent = None;
    trampoline::enter(header.held(), || {
        // SAFETY: it is a stream; a reader's `lend` calls nothing that could touch its closure.
        let asked = unsafe {
            header.peek::<Callback, _>(|callback| match callback {
                Callback::Read(reader) => reader.lend(&View::new(header), header.held()),
                Callback::Connection(_) => None,
            })
        };
        lent = asked.flatten();
    });
    lent
}

pub(super) unsafe extern "C" fn on_read(
    stream: *mut uv::uv_stream_t,
    length: isize,
    buffer: *const uv::uv_buf_t,
) {
    // SAFETY: libuv gives the handle that was started, made by this crate.
    let header = unsafe { Header::from_uv(stream) };
    let held = header.held();
    let slab = &held.slab;
    // SAFETY: libuv gives the buffer that it got from `alloc`.
    let start: *const c_char = unsafe { (*buffer).base };
    if length == 0 && slab.is_at(start) {
        // Nothing was there after all.
        return;
    }
    // SAFETY: it is a stream, and this is its callback.
    unsafe {
        dispatch_to::<Callback>(header, |callback, _| {
            let Callback::Read(reader) = callback else { return };
            let view = View::new(header);
            // The callback may set another reader, which is asked first.
            state(header).lends.set(false);
            let lends = match usize::try_from(length) {
                // SAFETY: libuv has just filled so much of the buffer it got from the slab.
                Ok(length) if slab.is_at(start) => slab.show(start, length, |bytes| {
                    reader.read(&view, held, Ok(Arrived::InSlab(bytes)))
                }),
                Ok(length) => reader.read(&view, held, Ok(Arrived::AsLent(length))),
                Err(_) => {
                    // libuv itself stops after the call, if the reader has not.
                    uv::uv_read_stop(stream);
                    reader.read(&view, held, Err(Error::from(Code(length as i32))))
                }
            };
            if lends {
                state(header).lends.set(true);
            }
        });
    }
}
