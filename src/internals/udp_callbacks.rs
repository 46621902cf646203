//! `alloc_cb`, `recv_cb` and `send_queue_count` of a UDP (`uv__udp_io` in `unix/udp.c`).
//!
//! A socket with an error (and ICMP can bring one at any time) is reported readable even to a handle that only
//! waits to send. libuv then asserts that there is a receive callback, calls it with `UV_ENOBUFS` if there is no
//! memory to read into, and goes on to send. So a handle has callbacks from the start.

use libuv_sys2 as uv;

use super::pending;
use crate::r#loop::Held;
use crate::udp::UDP;

/// Gives a handle that does not receive its callbacks all the same.
///
/// # Safety
/// The handle is initialised and its loop the caller's; the callbacks may be called at any time.
pub(crate) unsafe fn set(udp: &UDP, alloc: uv::uv_alloc_cb, receive: uv::uv_udp_recv_cb) {
    // SAFETY: the caller says so. libuv sets these two fields itself when it starts to receive, and only reads
    // them while it reads.
    unsafe {
        let handle = udp.uv::<uv::uv_udp_t>();
        (*handle).alloc_cb = alloc;
        (*handle).recv_cb = receive;
    }
}

/// Has libuv try to send what is queued, though nobody tells it that it can.
///
/// # Safety
/// The handle is open, and its loop the caller's.
pub(crate) unsafe fn try_queued(udp: &UDP, held: &Held) {
    // SAFETY: the caller says so.
    unsafe {
        let handle = udp.uv::<uv::uv_udp_t>();
        if (*handle).send_queue_count > 0 {
            pending::feed(held, &raw mut (*handle).io_watcher);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Family, Loop};

    #[test]
    fn a_handle_has_callbacks_though_it_does_not_receive() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, Some(Family::V4), false).unwrap();
        // SAFETY: the handle is open, and its loop this thread's.
        unsafe {
            let handle = udp.uv::<uv::uv_udp_t>();
            assert!((*handle).alloc_cb.is_some() && (*handle).recv_cb.is_some());
            assert_eq!((*handle).send_queue_count, 0);
        }
    }
}
