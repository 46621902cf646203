//! An fd that an operation has opened.

use std::mem;

use libuv_sys2 as uv;

use crate::operation::{FromRequest, Operation};
use crate::table::close;

/// An fd that was opened, and is closed with this value unless it is taken out: so one that nobody
/// gets, because its loop is gone, does not stay open.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened(i32);

impl Opened {
    /// The fd, which stays this value's.
    pub fn fd(&self) -> i32 {
        self.0
    }

    /// The fd, which is the caller's to close from now on.
    pub fn into_fd(self) -> i32 {
        let fd = self.0;
        mem::forget(self);
        fd
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // It is closed whatever this says.
        let _ = close(self.0).run();
    }
}

impl FromRequest for Opened {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> Opened {
        // SAFETY: the request is finished and is one that opens, so the caller: the result is the
        // fd, which is this value's from now on.
        unsafe { Opened(mem::replace(&mut (*request).result, -1) as i32) }
    }
}

/// Closes the fd that a request has opened and nobody has read off it.
///
/// # Safety
/// The request is finished, and not cleaned up yet.
pub(crate) unsafe fn close_unclaimed(request: *mut uv::uv_fs_t) {
    // SAFETY: as the caller says. Once it was read off, the result is negative.
    unsafe {
        let opens =
            matches!((*request).fs_type, uv::uv_fs_type_UV_FS_OPEN | uv::uv_fs_type_UV_FS_MKSTEMP);
        if opens && (*request).result >= 0 {
            drop(Opened::from_request(request));
        }
    }
}
