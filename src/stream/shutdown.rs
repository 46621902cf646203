//! `uv_shutdown`: the end of what goes out.

use std::mem;
use std::os::raw::c_int;
use std::ptr::NonNull;

use libuv_sys2 as uv;

use super::{Done, Stream, View, is_writable};
use crate::error::{Code, Error, Result};
use crate::handle::Header;
use crate::r#loop::Held;
use crate::trampoline;

/// A shutdown in flight. libuv's until its callback.
#[repr(C)]
pub(crate) struct Shutdown {
    uv: uv::uv_shutdown_t,
    header: NonNull<Header>,
    done: Done,
}

impl Shutdown {
    fn new(header: &Header, done: Done) -> Box<Shutdown> {
        Box::new(Shutdown {
            // SAFETY: all-zero is a valid value of a C struct of integers and pointers.
            uv: unsafe { mem::zeroed() },
            header: header.whole(),
            done,
        })
    }
}

impl Stream {
    /// Ends what goes out, after all that is queued (`uv_shutdown`): the peer then reads the end
    /// of the stream. What comes in is still read. `done` is called when that has happened.
    ///
    /// On a stream that is still connecting it waits for that. Fails with `UV_ENOTCONN` on a
    /// stream that is not connected, or was shut down.
    pub fn shutdown(&self, done: impl FnOnce(&Stream, Result<()>) + Send + 'static) -> Result<()> {
        let entered = self.enter()?;
        let header = self.header(&entered);
        self.refuse_while_listening(&entered, "uv_shutdown")?;
        if self.state(&entered).waits.get() {
            return self.shut_down_after_all(&entered, Box::new(done));
        }
        let request = Shutdown::new(header, Box::new(done));
        let begun = if self.connecting(&entered) {
            self.shut_down_after_connect(&entered, request).map_err(|_| Code::ENOTCONN)
        } else {
            self.shut_down(request).map_err(|(_, code)| code)
        };
        begun.map_err(|code| Error::new(code, "uv_shutdown"))?;
        header.begin_request();
        Ok(())
    }

    /// Shuts down when what comes first is over.
    fn shut_down_after_all(&self, held: &Held, done: Done) -> Result<()> {
        if !is_writable(self.header(held)) || self.state(held).ends.replace(true) {
            return Err(Error::new(Code::ENOTCONN, "uv_shutdown"));
        }
        self.later(held, 0, done, |stream, held, done| {
            let header = stream.header(held);
            let request = Shutdown::new(header, done);
            match stream.shut_down(request) {
                Ok(()) => {
                    header.begin_request();
                    Ok(())
                }
                Err((request, code)) => Err((code, request.done)),
            }
        });
        Ok(())
    }

    /// `uv_shutdown`. Gives the request back where libuv refuses.
    fn shut_down(&self, request: Box<Shutdown>) -> std::result::Result<(), (Box<Shutdown>, Code)> {
        let request = Box::into_raw(request);
        // SAFETY: the handle is open, a stream, and its loop is ours; the request stays where it
        // is until its callback.
        let status = unsafe { uv::uv_shutdown(request.cast(), self.uv(), Some(on_shutdown)) };
        match Code::check(status) {
            Ok(_) => Ok(()),
            // SAFETY: libuv refused, so the request is ours again.
            Err(code) => Err((unsafe { Box::from_raw(request) }, code)),
        }
    }

    /// The shutdown that waited for a connect, which has ended with `connected`.
    pub(super) fn shut_down_late(
        &self,
        held: &Held,
        request: Box<Shutdown>,
        connected: std::result::Result<(), Code>,
    ) {
        let refused = match connected {
            Ok(()) if self.header(held).is_open() => self.shut_down(request),
            Ok(()) => Err((request, Code::ECANCELED)),
            Err(_) => Err((request, Code::ENOTCONN)),
        };
        if let Err((request, code)) = refused {
            // SAFETY: a callback of libuv's is running, and the request is nobody else's.
            unsafe { on_shutdown(Box::into_raw(request).cast(), code.0) };
        }
    }
}

unsafe extern "C" fn on_shutdown(request: *mut uv::uv_shutdown_t, status: c_int) {
    // SAFETY: the request is the first field of a Box that `shut_down` gave away.
    let request = unsafe { Box::from_raw(request.cast::<Shutdown>()) };
    // SAFETY: libuv calls back before the close callback, which keeps the handle alive.
    let header = unsafe { request.header.as_ref() };
    let inner = header.held();
    inner.written.call_all(inner);
    header.finish_request();
    trampoline::enter(inner, || {
        if !inner.is_abandoned() {
            (request.done)(&View::new(header), Code::check(status).map(drop).map_err(Error::from));
        }
    });
    header.close_if_lost();
}
