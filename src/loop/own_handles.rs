//! The handles that every loop has for itself: they wake it, and surround its poll phase.

use std::cell::UnsafeCell;
use std::mem;

use libuv_sys2 as uv;

use super::{LoopInner, RunMode};
use crate::error::{Error, Result};
use crate::internals::registration;
use crate::trampoline;

/// Handles of the loop's own. They are unreferenced and do not keep it alive.
pub(crate) struct OwnHandles {
    wakeup: UnsafeCell<uv::uv_async_t>,
    before_poll: UnsafeCell<uv::uv_prepare_t>,
    after_poll: UnsafeCell<uv::uv_check_t>,
}

impl OwnHandles {
    /// Before [`start`](OwnHandles::start).
    pub(super) fn new() -> OwnHandles {
        OwnHandles {
            // SAFETY: all-zero is a valid, if unusable, value of a C struct of integers and
            // pointers; `start` makes it a handle.
            wakeup: unsafe { mem::zeroed() },
            // SAFETY: as above.
            before_poll: unsafe { mem::zeroed() },
            // SAFETY: as above.
            after_poll: unsafe { mem::zeroed() },
        }
    }

    /// Starts the wakeup and the two handles around the poll phase.
    ///
    /// # Safety
    /// The loop is initialised and nobody else uses it; its allocation, which this is a part of,
    /// stays where it is until `close` has run its course. Called once.
    pub(super) unsafe fn start(&self, event_loop: *mut uv::uv_loop_t) -> Result<()> {
        // SAFETY: the caller vouches for loop and memory. The handles' `data` stays null, which
        // marks them as the loop's own.
        unsafe {
            Error::check(
                uv::uv_async_init(event_loop, self.wakeup.get(), Some(on_wakeup)),
                "uv_async_init",
            )?;
            // Started first, and therefore run last: libuv runs the newest prepare handle first.
            uv::uv_prepare_init(event_loop, self.before_poll.get());
            uv::uv_prepare_start(self.before_poll.get(), Some(on_before_poll));
            uv::uv_check_init(event_loop, self.after_poll.get());
            uv::uv_check_start(self.after_poll.get(), Some(on_after_poll));
            for handle in self.all() {
                uv::uv_unref(handle);
            }
        }
        Ok(())
    }

    /// Makes the loop's owner look around: at its inbox, at its jobs. May be called on any thread.
    ///
    /// # Safety
    /// The handles are started and not closed.
    pub(crate) unsafe fn wake(&self) {
        // SAFETY: the caller vouches for the handle.
        unsafe { uv::uv_async_send(self.wakeup.get()) };
    }

    /// # Safety
    /// The handles are started, not closed, and their loop is the caller's.
    pub(super) unsafe fn close(&self) {
        for handle in self.all() {
            // SAFETY: the caller vouches for the handle.
            unsafe { uv::uv_close(handle, None) };
        }
    }

    /// Has `on_after_poll` called before other check handles in this iteration: what starts last is
    /// called first.
    pub(crate) fn after_poll_first(&self) {
        // SAFETY: the handle is initialised with the loop, whose owner the caller is.
        unsafe {
            uv::uv_check_stop(self.after_poll.get());
            uv::uv_check_start(self.after_poll.get(), Some(on_after_poll));
        }
    }

    fn all(&self) -> [*mut uv::uv_handle_t; 3] {
        [self.wakeup.get().cast(), self.before_poll.get().cast(), self.after_poll.get().cast()]
    }
}

unsafe extern "C" fn on_wakeup(handle: *mut uv::uv_async_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || inner.empty_inbox());
}

unsafe extern "C" fn on_before_poll(handle: *mut uv::uv_prepare_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || {
        registration::register(inner);
        let may_block = inner.mode.get() != RunMode::NoWait
            && !inner.stopping.get()
            && inner.idles.get() == 0
            && inner.deferral.is_empty()
            && inner.closing.get() == 0;
        let may_block = !inner.jobs.before_poll(inner, may_block) && may_block;
        if let Some(hooks) = inner.hooks.get() {
            // SAFETY: `run_with` holds the borrow behind this pointer until it clears it.
            inner.asleep.set(unsafe { hooks.as_ref() }.before_poll(may_block));
        }
    });
}

unsafe extern "C" fn on_after_poll(handle: *mut uv::uv_check_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || {
        inner.hear_of_interruption();
        inner.jobs.after_poll(inner);
    });
}
