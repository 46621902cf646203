//! `uv__async_notify` (`unix/async.c`), the part of `uv_async_send` that wakes the loop's thread. It is called
//! once per wakeup: sends before the loop has looked are told apart before it, and pay nothing here.
//!
//! It writes to the eventfd of the loop, and aborts where that fails. Somebody may have closed it; the number
//! may even be that of somebody's file by now. So the eventfd is asked for its mark first, and where it is
//! lost, nothing is written, and the loop is said to have lost it. Between the question and the write another
//! thread may close it and open a file: that moment is left, as it is for every write of a program that closes
//! descriptors which are not its own.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use super::own_fds::Own;
use crate::r#loop::LoopShared;

/// # Safety
/// The handle is initialised, and its loop is open until this has returned.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__async_notify(handle: *mut uv::uv_async_t) {
    // SAFETY: the caller vouches for the handle and its loop.
    let (shared, fd) = unsafe {
        let event_loop = (*handle).loop_;
        (LoopShared::known(event_loop), (*event_loop).async_io_watcher.fd)
    };
    if shared.is_some_and(|shared| !shared.own_fds().has(Own::Wakeup, fd)) {
        return;
    }
    if !write(fd)
        && let Some(shared) = shared
    {
        shared.own_fds().note_lost(Own::Wakeup);
    }
}

/// Adds 1 to the eventfd. Returns whether that is possible.
fn write(fd: c_int) -> bool {
    const LENGTH: usize = size_of::<u64>();
    let mut value: u64 = 1;
    loop {
        // SAFETY: both calls are given the value and its size.
        unsafe {
            if libc::write(fd, (&raw const value).cast(), LENGTH) == LENGTH as isize {
                return true;
            }
            match std::io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                // It is at its maximum: emptied, it takes the next one.
                Some(libc::EAGAIN) => {
                    libc::read(fd, (&raw mut value).cast(), LENGTH);
                    value = 1;
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::internals::own_fds::tests::loop_to_be_lost;
    use crate::{Async, RunMode};

    #[test]
    fn libuv_wakes_a_loop_by_what_is_looked_at_here() {
        let event_loop = loop_to_be_lost();
        let wake = Async::new(&event_loop, |_| ()).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's.
        let fd = unsafe { (*held.uv()).async_io_watcher.fd };
        assert!(held.own_fds.has(Own::Wakeup, fd));
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        // SAFETY: the number is that of this test's loop, and a socket's from now on; the handle is open.
        unsafe {
            libc::dup2(theirs.as_raw_fd(), fd);
            uv::uv_async_send(wake.uv());
        }
        // Nothing was written into what is somebody else's.
        assert_eq!(ours.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        assert!(held.check_own_fds().is_err());
        drop(held);
        drop((wake, event_loop));
        // SAFETY: the loop has left it alone.
        assert_eq!(unsafe { libc::close(fd) }, 0);
    }
}
