//! `inotify_fd`, by which a loop hears of files, and `uv__inotify_read` (`unix/linux.c`), which reads from it.
//!
//! libuv opens it for the first handle that watches a path, and asserts that it can be read when the kernel
//! says so. Where somebody has closed it, the kernel may say so all the same, for a child process has it still.

use std::os::raw::{c_int, c_uint};

use libuv_sys2 as uv;

use super::linked;
use super::own_fds::Own;
use crate::error::Result;
use crate::r#loop::{Held, LoopShared};

/// # Safety
/// As for `uv__inotify_read`: the loop is open, and this thread's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__inotify_read(
    event_loop: *mut uv::uv_loop_t,
    watcher: *mut uv::uv__io_t,
    events: c_uint,
) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let fd = (*event_loop).inotify_fd;
        if LoopShared::known(event_loop).is_some_and(|shared| !shared.own_fds().has(Own::Files, fd))
        {
            Held::from_raw(event_loop).stop();
            return;
        }
        linked::inotify_read()(event_loop, watcher, events);
    }
}

/// Has `start` call `uv_fs_event_start`. Fails with `UV_EBADF` where the loop has lost what it hears by.
///
/// # Safety
/// The loop is open, one of this crate's, and the caller's.
pub unsafe fn starting<T>(event_loop: *mut uv::uv_loop_t, start: impl FnOnce() -> T) -> Result<T> {
    // SAFETY: the caller says so.
    unsafe {
        let fds = &Held::from_raw(event_loop).own_fds;
        let before = (*event_loop).inotify_fd;
        if before >= 0 && !fds.has(Own::Files, before) {
            fds.check_known(event_loop)?;
        }
        let result = start();
        if before < 0 && (*event_loop).inotify_fd >= 0 {
            fds.mark_files((*event_loop).inotify_fd);
        }
        Ok(result)
    }
}

/// Has `stop` call `uv_fs_event_stop`, which takes a watch off by number: not off what is somebody else's by
/// now. In a forked child, where it is the parent's too, `always` keeps it out of reach.
///
/// # Safety
/// The loop is open, one of this crate's, and the caller's.
pub unsafe fn stopping(event_loop: *mut uv::uv_loop_t, always: bool, stop: impl FnOnce() -> c_int) {
    // SAFETY: the caller says so.
    unsafe {
        let fds = &Held::from_raw(event_loop).own_fds;
        let fd = (*event_loop).inotify_fd;
        let apart = always || (fd >= 0 && !fds.has(Own::Files, fd));
        if apart {
            (*event_loop).inotify_fd = -1;
        }
        stop();
        if apart {
            (*event_loop).inotify_fd = fd;
        }
    }
}
