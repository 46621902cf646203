//! The first loop of a process. libuv makes a pipe for all signals then, and aborts the process where
//! there are no fds for it: so whether there are is tried first.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error, Result};

/// How many fds a loop takes: epoll, its ring, the pipe of all signals and its lock, an eventfd.
const FDS: usize = 7;

static MADE: AtomicBool = AtomicBool::new(false);

/// Fails with `UV_EMFILE` or `UV_ENFILE` where no loop was made yet and there are no fds for one.
pub(super) fn check_fds() -> Result<()> {
    if MADE.load(Ordering::Relaxed) {
        return Ok(());
    }
    let fds: io::Result<Vec<_>> = (0..FDS).map(|_| UnixDatagram::unbound()).collect();
    match fds.err().and_then(|error| error.raw_os_error()) {
        Some(errno @ (libc::EMFILE | libc::ENFILE)) => {
            Err(Error::new(Code(-errno), "uv_loop_init"))
        }
        _ => Ok(()),
    }
}

/// A loop was made.
pub(super) fn made() {
    MADE.store(true, Ordering::Relaxed);
}
