//! The fd that the loop polls, which anybody can close.

#[cfg(unix)]
use std::cell::Cell;

#[cfg(unix)]
use libuv_sys2 as uv;

use super::LoopInner;
use crate::error::Result;
#[cfg(unix)]
use crate::error::{Code, Error};

/// What is behind a number, as the system names it: device and inode.
#[cfg(unix)]
type Identity = Option<(libc::dev_t, libc::ino_t)>;

/// What is known of the fd.
#[derive(Default)]
pub(super) struct Backend {
    #[cfg(unix)]
    identity: Cell<Identity>,
    /// Once it was lost, the number is somebody else's, whatever is behind it.
    #[cfg(unix)]
    lost: Cell<bool>,
}

#[cfg(unix)]
impl LoopInner {
    /// For the owner, when the loop has a new fd.
    pub(super) fn note_backend(&self) {
        self.backend.identity.set(identity_of(self.backend_fd()));
        self.backend.lost.set(false);
    }

    /// For the owner: fails with `UV_EBADF` where somebody has closed the loop's fd, or has put
    /// something else in its place (another such fd cannot be told from it). libuv aborts where it
    /// cannot poll.
    pub(super) fn check_backend(&self) -> Result<()> {
        let (backend, fd) = (&self.backend, self.backend_fd());
        let identity = identity_of(fd);
        if backend.lost.get() || identity.is_none() || identity != backend.identity.get() {
            backend.lost.set(true);
            return Err(Error::new(Code::EBADF, format!("somebody closed the loop's fd {fd}")));
        }
        Ok(())
    }

    fn backend_fd(&self) -> i32 {
        // SAFETY: the loop is open and the caller's.
        unsafe { uv::uv_backend_fd(self.uv()) }
    }
}

#[cfg(unix)]
fn identity_of(fd: i32) -> Identity {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the struct, or says that it did not.
    unsafe {
        (libc::fstat(fd, stat.as_mut_ptr()) == 0).then(|| {
            let stat = stat.assume_init();
            (stat.st_dev, stat.st_ino)
        })
    }
}

#[cfg(not(unix))]
impl LoopInner {
    pub(super) fn note_backend(&self) {}

    pub(super) fn check_backend(&self) -> Result<()> {
        Ok(())
    }
}
