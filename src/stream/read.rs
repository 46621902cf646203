//! `uv_read_start`: what comes in.

use libuv_sys2 as uv;

use super::{Callback, Stream, View};
use crate::error::{Code, Error, Result};
use crate::handle::{Header, dispatch_to};
use crate::slab;

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
        let _entered = self.enter()?;
        self.refuse_while_listening("uv_read_start")?;
        self.check_foreign()?;
        // SAFETY: the handle is open, a stream, and its loop is ours.
        let status = unsafe { uv::uv_read_start(self.uv(), Some(slab::alloc), Some(on_read)) };
        if status != Code::EALREADY.0 {
            Error::check(status, "uv_read_start")?;
        }
        // SAFETY: streams have this type of closure, and the loop is ours.
        unsafe { self.header().set_callback(Callback::Read(Box::new(callback))) };
        Ok(())
    }

    /// Reads no more (`uv_read_stop`).
    pub fn stop_read(&self) -> Result<()> {
        let _entered = self.enter()?;
        if !self.state().listening.get() {
            // SAFETY: the handle is open, a stream, and its loop is ours.
            unsafe { uv::uv_read_stop(self.uv()) };
        }
        Ok(())
    }
}

pub(super) unsafe extern "C" fn on_read(
    stream: *mut uv::uv_stream_t,
    length: isize,
    buffer: *const uv::uv_buf_t,
) {
    if length == 0 {
        // Nothing was there after all.
        return;
    }
    // SAFETY: libuv gives the handle that was started, made by this crate.
    let header = unsafe { Header::from_uv(stream) };
    // SAFETY: it is a stream, and this is its callback.
    unsafe {
        dispatch_to::<Callback>(header, |callback, _| {
            let Callback::Read(callback) = callback else { return };
            let view = View::new(header);
            match usize::try_from(length) {
                Ok(length) => {
                    // SAFETY: libuv has just filled so much of the buffer it got from the slab.
                    header.inner().slab.show((*buffer).base, length, |bytes| {
                        callback(&view, Ok(bytes));
                    });
                }
                Err(_) => {
                    // libuv itself stops after the call, if the callback has not.
                    uv::uv_read_stop(stream);
                    callback(&view, Err(Error::from(Code(length as i32))));
                }
            }
        });
    }
}
