//! `uv_connect_t`: a connection on its way.

use std::mem;
use std::net::SocketAddr;
use std::os::raw::c_int;
use std::ptr::{self, NonNull};

use libuv_sys2 as uv;

use super::shutdown::Shutdown;
use super::{Done, Stream, View, state};
use crate::error::{Code, Error, Result};
use crate::handle::Header;
use crate::r#loop::Held;
use crate::trampoline;

/// A connect in flight. libuv's until its callback.
#[repr(C)]
pub(crate) struct Connect {
    uv: uv::uv_connect_t,
    header: NonNull<Header>,
    done: Option<Done>,
    /// What was asked for before the stream is connected: libuv would take the feed that starts
    /// it for the connect's own end.
    pub(super) then_shutdown: Option<Box<Shutdown>>,
}

impl Stream {
    /// Has `start` begin a connect; `what` names the address.
    ///
    /// Fails with `UV_EALREADY` while one is in flight, `UV_EINVAL` on a stream that listens.
    pub(crate) fn begin_connect(
        &self,
        done: Done,
        what: impl FnOnce() -> String,
        start: impl FnOnce(*mut uv::uv_connect_t) -> c_int,
    ) -> Result<()> {
        let entered = self.enter()?;
        let header = self.header(&entered);
        self.check_connectable(&entered)?;
        self.check_foreign(&entered)?;
        let request = Box::into_raw(Box::new(Connect {
            // SAFETY: all-zero is a valid value of a C struct of integers and pointers.
            uv: unsafe { mem::zeroed() },
            header: header.whole(),
            done: Some(done),
            then_shutdown: None,
        }));
        // The request stays where it is until its callback.
        let status = start(request.cast());
        if let Err(code) = Code::check(status) {
            // SAFETY: libuv refused, so the request is ours again.
            drop(unsafe { Box::from_raw(request) });
            return Err(Error::new(code, what()));
        }
        state(header).connect.set(request);
        header.begin_request();
        Ok(())
    }

    /// Before a connect: none is in flight, and nobody listens.
    pub(crate) fn check_connectable(&self, held: &Held) -> Result<()> {
        if self.connecting(held) {
            return Err(Error::new(Code::EALREADY, "the stream is connecting"));
        }
        if self.state(held).listening.get() {
            return Err(Error::new(Code::EINVAL, "the stream is listening"));
        }
        Ok(())
    }

    /// The number of the connect that begins now, of which no address has failed yet.
    pub(crate) fn next_race(&self, held: &Held) -> u64 {
        let state = self.state(held);
        state.failures.borrow_mut().clear();
        state.races.set(state.races.get() + 1);
        state.races.get()
    }

    pub(crate) fn add_failure(&self, held: &Held, address: SocketAddr, code: Code) {
        self.state(held).failures.borrow_mut().push((address, code));
    }

    pub(crate) fn failures(&self, held: &Held) -> Vec<(SocketAddr, Code)> {
        self.state(held).failures.borrow().clone()
    }

    /// Has `shutdown` wait for the connect in flight; gives it back where there is none, or
    /// where that has one.
    pub(super) fn shut_down_after_connect(
        &self,
        held: &Held,
        shutdown: Box<Shutdown>,
    ) -> std::result::Result<(), Box<Shutdown>> {
        // SAFETY: the pointer is reset when the request ends; the loop is ours.
        match unsafe { self.state(held).connect.get().as_mut() } {
            Some(connect) if connect.then_shutdown.is_none() => {
                connect.then_shutdown = Some(shutdown);
                Ok(())
            }
            _ => Err(shutdown),
        }
    }
}

pub(crate) unsafe extern "C" fn on_connect(request: *mut uv::uv_connect_t, status: c_int) {
    // SAFETY: the request is the first field of a Box that `begin_connect` gave away.
    let request = unsafe { Box::from_raw(request.cast::<Connect>()) };
    // SAFETY: libuv calls back before the close callback, which keeps the handle alive.
    let header = unsafe { request.header.as_ref() };
    let inner = header.held();
    let stream = View::new(header);
    state(header).connect.set(ptr::null_mut());
    let outcome = Code::check(status).map(drop);
    let Connect { done, then_shutdown, .. } = *request;
    header.finish_request();
    trampoline::enter(inner, || {
        if let Some(done) = done
            && !inner.is_abandoned()
        {
            done(&stream, outcome.map_err(Error::from));
        }
    });
    if let Some(shutdown) = then_shutdown {
        stream.shut_down_late(inner, shutdown, outcome);
    }
    header.close_if_lost();
}
