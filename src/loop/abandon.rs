//! Tearing down a loop that nobody can run any more.

use std::mem;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use super::LoopShared;
use crate::trampoline;

/// Loops whose last reference went while a thread pool job still had to report to them.
static GRAVEYARD: Mutex<Vec<Grave>> = Mutex::new(Vec::new());

struct Grave(NonNull<LoopShared>);

// SAFETY: nobody else has the pointer.
unsafe impl Send for Grave {}

/// The last reference to a loop is gone: closes what is on it and frees it, now or, if the thread
/// pool is still at work for it, at a later `reap`.
pub(super) fn abandon(shared: NonNull<LoopShared>) {
    // SAFETY: there is no reference but this one, and the allocation is still whole.
    let this = unsafe { shared.as_ref() };
    if this.is_forked() {
        // The epoll fd is shared with the parent: closing handles here would deregister the
        // parent's. The memory goes with the process.
        return;
    }
    // Nobody else can own the loop: an owner has a reference.
    let taken = this.owner().take();
    debug_assert_eq!(taken, Ok(()), "somebody owns a loop without a reference to it");
    // SAFETY: as was just said.
    let this = unsafe { this.held() };
    if !this.closed.get() && this.check_own_fds().is_err() {
        // It cannot be polled, so nothing on it can be closed in order.
        return;
    }
    if !this.closed.get() {
        this.abandoned.set(true);
        trampoline::guard(this, || this.empty_inbox());
        this.for_each_handle(|header| trampoline::guard(this, || header.close_silently()));
        this.requests.cancel_all(this);
        this.run_closing();
        if this.requests.len() != 0 {
            // SAFETY: it was taken above.
            unsafe { this.owner.give_back() };
            GRAVEYARD.lock().unwrap_or_else(PoisonError::into_inner).push(Grave(shared));
            return;
        }
        this.tear_down();
    }
    // SAFETY: the loop is closed, no handle and no reference is left; it came from a Box.
    drop(unsafe { Box::from_raw(this.whole.as_ptr()) });
}

/// Frees abandoned loops whose last request has ended.
pub(super) fn reap() {
    let Ok(mut graves) = GRAVEYARD.try_lock() else { return };
    let waiting = mem::take(&mut *graves);
    drop(graves);
    for grave in waiting {
        abandon(grave.0);
    }
}
