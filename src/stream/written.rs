//! Writes that went out at once, and whose callbacks are due.
//!
//! `uv_try_write` reports from inside the call, but a callback never runs there: it comes in the
//! next iteration of the loop, from an idle handle that is active while any is due, so that the
//! loop neither ends nor sleeps before. Callbacks of a stream keep the order of its writes: those
//! that are due come before that of a write that was queued, and before the close callback.

use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::ptr::NonNull;

use libuv_sys2 as uv;

use super::{Done, View};
use crate::error::{Code, Error};
use crate::handle::Header;
use crate::r#loop::LoopInner;
use crate::trampoline;

/// The writes of a loop whose callbacks are due.
pub(crate) struct Written {
    due: Cell<Vec<Due>>,
    count: Cell<usize>,
    idle: UnsafeCell<uv::uv_idle_t>,
}

struct Due {
    /// Alive: its close callback comes after this.
    header: NonNull<Header>,
    done: Done,
    outcome: Result<(), Code>,
}

impl Written {
    pub(crate) fn new() -> Written {
        Written {
            due: Cell::new(Vec::new()),
            count: Cell::new(0),
            // SAFETY: all-zero is a valid, if unusable, value of the struct; `init` fills it.
            idle: UnsafeCell::new(unsafe { mem::zeroed() }),
        }
    }

    /// Makes the idle handle, which is the loop's own.
    ///
    /// # Safety
    /// `event_loop` is the initialised loop that this is a part of, and stays where it is; called
    /// once.
    pub(crate) unsafe fn init(&self, event_loop: *mut uv::uv_loop_t) {
        // SAFETY: as the caller says; the memory is part of the loop's allocation.
        unsafe { uv::uv_idle_init(event_loop, self.idle.get()) };
    }

    pub(crate) fn handle(&self) -> *mut uv::uv_handle_t {
        self.idle.get().cast()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    /// Has `done` called in the next iteration. The stream counts a request until then.
    pub(super) fn push(&self, header: &Header, done: Done, outcome: Result<(), Code>) {
        header.begin_request();
        let mut due = self.due.take();
        due.push(Due { header: NonNull::from(header), done, outcome });
        self.due.set(due);
        if self.count.replace(self.count.get() + 1) == 0 {
            // SAFETY: the handle was initialised with the loop, which is the caller's.
            unsafe { uv::uv_idle_start(self.idle.get(), Some(on_idle)) };
        }
    }

    /// Calls what is due now. For callbacks of libuv's.
    #[inline]
    pub(crate) fn call_all(&self, inner: &LoopInner) {
        if !self.is_empty() {
            self.call_some(inner);
        }
    }

    fn call_some(&self, inner: &LoopInner) {
        let mut now = self.due.take();
        for Due { header, done, outcome } in now.drain(..) {
            self.count.set(self.count.get() - 1);
            // SAFETY: it is alive as long as it is due.
            let header = unsafe { header.as_ref() };
            header.finish_request();
            trampoline::enter(inner, || {
                if !inner.is_abandoned() {
                    done(&View::new(header), outcome.map_err(Error::from));
                }
            });
            header.close_if_lost();
        }
        if self.is_empty() {
            // The vector is used again.
            self.due.set(now);
            // SAFETY: as in `push`.
            unsafe { uv::uv_idle_stop(self.idle.get()) };
        }
    }
}

unsafe extern "C" fn on_idle(handle: *mut uv::uv_idle_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    inner.written.call_all(inner);
}
