//! `pending_queue`: having a watcher's callback run though nothing is ready (`uv__io_feed` in `unix/core.c`).
//!
//! libuv calls what is in that queue at the beginning of an iteration, and up to eight times more right after the
//! poll. As long as the queue is not empty the loop is alive and does not sleep.

use std::cell::UnsafeCell;
use std::mem;
use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::r#loop::Held;

/// `UV__POLL_IO` in `unix/internal.h`: whose callback a watcher's is, in the lowest four of its bits.
const POLL_IO: usize = 6;

/// A function that a loop calls soon: of a `uv_poll_t` no more than its watcher, which is fed and never polled.
pub(crate) struct Pending(UnsafeCell<uv::uv_poll_t>);

impl Pending {
    pub(crate) fn new() -> Pending {
        // SAFETY: all-zero is a valid, if unusable, value of a C struct of integers and pointers; `init` fills it.
        Pending(UnsafeCell::new(unsafe { mem::zeroed() }))
    }

    /// Fixes what is called, on the loop.
    ///
    /// # Safety
    /// `event_loop` is a loop of this crate's that is initialised and the caller's; this is a part of its
    /// allocation, which stays where it is. Called once.
    pub(crate) unsafe fn init(&self, event_loop: *mut uv::uv_loop_t, call: unsafe fn(&Held)) {
        let poll = self.0.get();
        // SAFETY: the memory is ours. `data` is free for whose handle it is, and is none of libuv's.
        unsafe {
            (*poll).loop_ = event_loop;
            (*poll).data = call as *mut _;
            (*poll).poll_cb = Some(on_pending);
            (*poll).io_watcher.bits = POLL_IO as _;
            (*poll).io_watcher.fd = -1;
            let entry = &raw mut (*poll).io_watcher.pending_queue;
            (*entry).next = entry;
            (*entry).prev = entry;
        }
    }

    /// Has it called soon, once.
    #[inline]
    pub(crate) fn feed(&self, held: &Held) {
        // SAFETY: the caller owns the loop, and the watcher is a part of its allocation.
        unsafe { feed(held, &raw mut (*self.0.get()).io_watcher) };
    }
}

unsafe extern "C" fn on_pending(poll: *mut uv::uv_poll_t, _status: c_int, _events: c_int) {
    // SAFETY: `init` has put both there; this is a callback of the loop's.
    unsafe {
        let call = mem::transmute::<*mut std::os::raw::c_void, unsafe fn(&Held)>((*poll).data);
        call(Held::from_raw((*poll).loop_));
    }
}

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
    use std::cell::Cell;

    use crate::{Loop, RunMode, UDP};

    use super::*;

    thread_local! {
        static CALLS: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn a_function_is_called_once_and_keeps_the_loop_alive_until_then() {
        unsafe fn count(_held: &Held) {
            CALLS.set(CALLS.get() + 1);
        }
        let event_loop = Loop::new().unwrap();
        let held = event_loop.hold().unwrap();
        let pending = Box::new(Pending::new());
        // SAFETY: it lives longer than the loop runs, and the loop is this thread's.
        unsafe { pending.init(held.uv(), count) };
        assert_eq!(event_loop.is_alive(), Ok(false));
        pending.feed(&held);
        pending.feed(&held);
        assert_eq!(event_loop.is_alive(), Ok(true));
        // SAFETY: the loop is open and ours.
        assert_eq!(unsafe { uv::uv_backend_timeout(held.uv()) }, 0);
        assert_eq!(event_loop.run(RunMode::Once), Ok(false));
        assert_eq!(CALLS.get(), 1);
        assert_eq!(event_loop.run(RunMode::Once), Ok(false));
        assert_eq!(CALLS.get(), 1);
    }

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
