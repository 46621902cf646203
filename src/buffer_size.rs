//! `uv_send_buffer_size` and `uv_recv_buffer_size`: the system's buffers of a socket.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::handle::Handle;

type Function = unsafe extern "C" fn(*mut uv::uv_handle_t, *mut c_int) -> c_int;

/// Reads the size where `value` is 0, and sets it otherwise.
fn access(handle: &Handle, function: Function, value: c_int, what: &'static str) -> Result<c_int> {
    let _entered = handle.enter()?;
    let mut value = value;
    // SAFETY: the handle is open and its loop is ours; libuv looks at its type.
    Error::check(unsafe { function(handle.uv(), &raw mut value) }, what)?;
    Ok(value)
}

impl Handle {
    /// The size in bytes of the system's buffer for what goes out (`uv_send_buffer_size`); Linux
    /// says twice what was set.
    ///
    /// Fails with `UV_EBADF` before there is a socket, `UV_EINVAL` or `UV_ENOTSUP` for a handle
    /// that has none.
    pub fn send_buffer_size(&self) -> Result<i32> {
        access(self, uv::uv_send_buffer_size, 0, "uv_send_buffer_size")
    }

    /// Sets it. 0 changes nothing.
    pub fn set_send_buffer_size(&self, size: i32) -> Result<()> {
        access(self, uv::uv_send_buffer_size, size, "uv_send_buffer_size").map(drop)
    }

    /// The size in bytes of the system's buffer for what comes in (`uv_recv_buffer_size`).
    pub fn receive_buffer_size(&self) -> Result<i32> {
        access(self, uv::uv_recv_buffer_size, 0, "uv_recv_buffer_size")
    }

    /// Sets it. 0 changes nothing.
    pub fn set_receive_buffer_size(&self, size: i32) -> Result<()> {
        access(self, uv::uv_recv_buffer_size, size, "uv_recv_buffer_size").map(drop)
    }
}
