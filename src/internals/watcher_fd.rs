//! `io_watcher.fd`, the number of a UDP's or a stream's descriptor, which libuv closes with the handle.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::stream::Stream;
use crate::udp::UDP;

/// Gives a UDP another number, -1 for none.
///
/// # Safety
/// The handle is open, its loop the caller's, and libuv waits for nothing of it.
pub(crate) unsafe fn set_of_udp(udp: &UDP, fd: c_int) {
    // SAFETY: the caller says so.
    unsafe { (*udp.uv::<uv::uv_udp_t>()).io_watcher.fd = fd };
}

/// Leaves a stream without a descriptor.
///
/// # Safety
/// As for `set_of_udp`.
pub(crate) unsafe fn take_from_stream(stream: &Stream) {
    // SAFETY: the caller says so.
    unsafe { (*stream.uv::<uv::uv_stream_t>()).io_watcher.fd = -1 };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Family, Loop};

    #[test]
    fn it_is_what_fileno_says() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, Some(Family::V4), false).unwrap();
        let fd = udp.fileno().unwrap();
        // SAFETY: the handle is open, inactive, and its loop this thread's.
        unsafe {
            assert_eq!((*udp.uv::<uv::uv_udp_t>()).io_watcher.fd, fd);
            set_of_udp(&udp, -1);
            assert!(udp.fileno().is_err());
            set_of_udp(&udp, fd);
        }
    }
}
