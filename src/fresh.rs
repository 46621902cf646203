//! Handles whose fd somebody else can close, checked just before libuv meets it.
//!
//! libuv registers an fd when the loop next polls, and aborts the process if that fails. So an fd
//! that is not this crate's alone is tried first: such handles are put on a list when something
//! about them has changed, and the list is gone through before each poll phase.

use std::ptr::NonNull;

use crate::error::{Code, Error, Result};
use crate::handle::Header;
use crate::r#loop::LoopInner;
use crate::poll::Fd;

impl Header {
    /// Has the fd checked before libuv polls.
    pub(crate) fn remember_fresh(&self) {
        if !self.fresh.replace(true) {
            let list = &self.inner().fresh;
            let mut fresh = list.take();
            fresh.push(NonNull::from(self));
            list.set(fresh);
        }
    }

    /// Takes the handle off the list, before it is closed.
    pub(crate) fn forget_fresh(&self) {
        if self.fresh.replace(false) {
            let list = &self.inner().fresh;
            let mut fresh = list.take();
            let this = NonNull::from(self);
            fresh.retain(|header| *header != this);
            list.set(fresh);
        }
    }
}

/// Has every handle checked before the next poll phase, after a fork.
pub(crate) fn recheck_all(inner: &LoopInner) {
    inner.for_each_handle(|header| {
        if header.is_open() {
            header.remember_fresh();
        }
    });
}

/// Called just before libuv polls: has each handle on the list check its fd.
pub(crate) fn check_fresh(inner: &LoopInner) {
    loop {
        let mut fresh = inner.fresh.take();
        let Some(header) = fresh.pop() else {
            inner.fresh.set(fresh);
            return;
        };
        inner.fresh.set(fresh);
        // SAFETY: a handle leaves the list before it is closed, so it is alive and open. What the
        // check calls may give up every other reference.
        let handle = unsafe { header.as_ref() }.to_handle();
        handle.header().fresh.set(false);
        handle.header().check_fd();
    }
}

/// Fails with `UV_EBADF` for what is not open.
#[cfg(unix)]
pub(crate) fn check_open(fd: Fd) -> Result<()> {
    // SAFETY: F_GETFD only asks.
    let closed = unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1;
    Error::check(if closed { Code::EBADF.0 } else { 0 }, format!("fd {fd}"))?;
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn check_open(_fd: Fd) -> Result<()> {
    Ok(())
}

/// Whether libuv's `EPOLL_CTL_ADD` is going to work. It takes `EEXIST` for an answer.
#[cfg(target_os = "linux")]
pub(crate) fn can_register(inner: &LoopInner, fd: Fd) -> std::result::Result<(), Code> {
    let mut event = libc::epoll_event { events: 0, u64: u64::MAX };
    // SAFETY: the loop is open and ours; the event is a valid one.
    let status = unsafe {
        let backend = libuv_sys2::uv_backend_fd(inner.uv());
        libc::epoll_ctl(backend, libc::EPOLL_CTL_ADD, fd, &raw mut event)
    };
    let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    if status == 0 || error == libc::EEXIST { Ok(()) } else { Err(Code(-error)) }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn can_register(_inner: &LoopInner, fd: Fd) -> std::result::Result<(), Code> {
    check_open(fd).map_err(|error| error.code().unwrap_or(Code::EBADF))
}
