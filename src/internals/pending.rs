//! `pending_queue`: having a watcher's callback run though nothing is ready (`uv__io_feed` in `unix/core.c`).

use libuv_sys2 as uv;

use crate::r#loop::Held;

/// Has libuv run the watcher's callback in the next iteration, as for one that is writable
/// (`uv__io_feed`).
///
/// # Safety
/// The caller owns the loop, and the watcher is one of an open handle on it.
pub(crate) unsafe fn feed(held: &Held, watcher: *mut uv::uv__io_t) {
    // SAFETY: the caller says so; an entry linked to itself is in no queue.
    unsafe {
        let head = &raw mut (*held.uv()).pending_queue;
        let entry = &raw mut (*watcher).pending_queue;
        if (*entry).next == entry {
            (*entry).next = head;
            (*entry).prev = (*head).prev;
            (*(*entry).prev).next = entry;
            (*head).prev = entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Loop, RunMode, UDP};

    use super::*;

    #[test]
    fn a_watcher_is_called_in_the_next_iteration_and_once() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let held = event_loop.hold().unwrap();
        // SAFETY: the handle is open, and its loop this thread's.
        unsafe {
            let watcher = &raw mut (*udp.uv::<uv::uv_udp_t>()).io_watcher;
            let head = &raw mut (*held.uv()).pending_queue;
            feed(&held, watcher);
            feed(&held, watcher);
            assert_eq!((*head).next, &raw mut (*watcher).pending_queue);
            assert_eq!((*head).prev, (*head).next);
            event_loop.run(RunMode::NoWait).unwrap();
            assert_eq!((*head).next, head);
        }
    }
}
