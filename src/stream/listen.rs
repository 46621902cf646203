//! `uv_listen` and `uv_accept`: connections that come in.

use std::net::SocketAddr;
use std::os::raw::c_int;

use libuv_sys2 as uv;

use super::read::{alloc, on_read};
use super::{Callback, Stream, View, state};
use crate::error::{Code, Error, Result};
use crate::handle::{Handle, Header, dispatch_to};
use crate::r#loop::Held;
use crate::pipe::Pipe;
use crate::util;

impl Stream {
    /// Has `callback` called when a connection has come in (`uv_listen`); it is for
    /// [`accept`](Stream::accept) then. `backlog` is how many connections the system keeps
    /// waiting. On a stream that listens already this replaces the callback.
    ///
    /// While a connection waits for `accept`, no other is announced.
    ///
    /// Fails with `UV_EADDRINUSE`, found by `bind` and reported here, and with `UV_EINVAL` on a
    /// stream that is connected or connecting, or on a pipe for handles.
    pub fn listen(
        &self,
        backlog: i32,
        callback: impl FnMut(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        let state = self.state(&entered);
        if !state.listening.get() && self.in_use(&entered) {
            return Err(Error::new(Code::EINVAL, "the stream is in use for something else"));
        }
        self.check_foreign(&entered)?;
        // While a connection waits, libuv has stopped polling and must not begin anew.
        if !state.waiting.get() {
            // SAFETY: the handle is open, a stream, and its loop is ours.
            let status = unsafe { uv::uv_listen(self.uv(), backlog, Some(on_connection)) };
            Code::check(status).map_err(|code| self.not_listening(&entered, code))?;
        }
        state.listening.set(true);
        #[cfg(unix)]
        entered.reserve.watch(&entered);
        // SAFETY: streams have this type of closure.
        unsafe { self.header(&entered).set_callback(Callback::Connection(Box::new(callback))) };
        Ok(())
    }

    /// An address that is in use is found by `bind`, and told here.
    fn not_listening(&self, held: &Held, code: Code) -> Error {
        let Some(address) = self.state(held).bound.get() else {
            return Error::new(code, "uv_listen");
        };
        let call = if code == Code::EADDRINUSE { "bind" } else { "listen" };
        Error::new(code, address.to_string()).in_call(call)
    }

    pub(crate) fn remember_bound(&self, held: &Held, address: SocketAddr) {
        self.state(held).bound.set(Some(address));
    }

    /// Makes `client`, a handle of the right type that has no fd yet, the connection that came in
    /// (`uv_accept`), or the handle that a pipe received.
    ///
    /// Fails with `UV_EAGAIN` where none waits, and with `UV_EINVAL` for a client of the wrong
    /// type, on another loop, or in use; the connection goes on waiting then.
    pub fn accept(&self, client: &Handle) -> Result<()> {
        let entered = self.enter()?;
        let _open = client.enter()?;
        if !client.is_on(&entered) {
            return Err(Error::new(Code::EINVAL, "the client is on another loop"));
        }
        let connecting = |stream: &Stream| stream.connecting(&entered);
        if client.header(&entered).has_fd() || client.as_stream().is_some_and(connecting) {
            return Err(Error::new(Code::EINVAL, "the client is in use"));
        }
        let given = client.handle_type().name();
        match self.incoming(&entered)? {
            Some("file") => {
                // No handle can take it, and it stands before others.
                let taker = Pipe::new(&self.event_loop(), false)?;
                // SAFETY: as below; an fd is all that the new handle gets, and closes.
                unsafe { uv::uv_accept(self.uv(), taker.uv()) };
                return Err(Error::new(Code::EINVAL, "a file came in; it was closed"));
            }
            Some(incoming) if incoming != given => {
                let what = format!("a {incoming} came in, not a {given}");
                return Err(Error::new(Code::EINVAL, what));
            }
            _ => {}
        }
        // SAFETY: both handles are open, on the same loop, which is ours, and libuv knows what to
        // do with the client's type.
        let status = unsafe { uv::uv_accept(self.uv(), client.uv()) };
        Error::check(status, "uv_accept")?;
        self.state(&entered).waiting.set(false);
        self.stop_if_not_reading(&entered);
        Ok(())
    }

    /// After `uv_accept`, which polls for more: a pipe that received handles and reads no more
    /// would keep the loop busy.
    fn stop_if_not_reading(&self, held: &Held) {
        if !self.state(held).listening.get() && !self.header(held).is_active() {
            // SAFETY: the handle is open, a stream, and its loop is ours. The first call makes the
            // second one do its work.
            unsafe {
                uv::uv_read_start(self.uv(), Some(alloc), Some(on_read));
                uv::uv_read_stop(self.uv());
            }
        }
    }

    /// Whether the stream reads, writes or connects.
    fn in_use(&self, held: &Held) -> bool {
        let header = self.header(held);
        header.is_active() || header.requests() != 0
    }

    /// The name of the type that fits what waits for `accept`, if anything does.
    fn incoming(&self, held: &Held) -> Result<Option<&'static str>> {
        let Some(pipe) = self.downcast_ref::<Pipe>().filter(|pipe| pipe.is_ipc()) else {
            return Ok(self.state(held).waiting.get().then_some(self.handle_type().name()));
        };
        if pipe.pending_count()? == 0 {
            return Ok(None);
        }
        Ok(Some(match pipe.pending_type()? {
            util::HandleType::Tcp => "TCP",
            util::HandleType::NamedPipe => "Pipe",
            util::HandleType::Udp => "UDP",
            _ => "file",
        }))
    }
}

/// Begins to look whether connections come in on a stream.
#[cfg(target_os = "linux")]
pub(crate) fn connections_before(header: &Header) {
    state(header).announced.set(false);
}

/// Whether one has come in.
#[cfg(target_os = "linux")]
pub(crate) fn connections_since(header: &Header) -> bool {
    state(header).announced.get()
}

unsafe extern "C" fn on_connection(stream: *mut uv::uv_stream_t, status: c_int) {
    // SAFETY: libuv gives the handle that listens, made by this crate.
    let header = unsafe { Header::from_uv(stream) };
    state(header).waiting.set(status == 0);
    state(header).announced.set(true);
    #[cfg(unix)]
    header.held().reserve.watch(header.held());
    report(header, Code::check(status).map(drop));
}

/// Connections may have been lost for want of fds: says so, if the handle listens.
#[cfg(unix)]
pub(super) fn report_failure(header: &Header) {
    if header.is_open() && header.view().as_stream().is_some() && state(header).listening.get() {
        report(header, Err(Code::EMFILE));
    }
}

fn report(header: &Header, outcome: std::result::Result<(), Code>) {
    // SAFETY: it is a stream, and a callback of libuv's is running.
    unsafe {
        dispatch_to::<Callback>(header, |callback, _| {
            if let Callback::Connection(callback) = callback {
                callback(&View::new(header), outcome.map_err(Error::from));
            }
        });
    }
}
