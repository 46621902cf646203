//! Tearing down a loop that nobody can run any more.

use std::mem;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use super::LoopInner;

/// Loops whose last reference went while a thread pool job still had to report to them.
static GRAVEYARD: Mutex<Vec<Grave>> = Mutex::new(Vec::new());

struct Grave(NonNull<LoopInner>);

// SAFETY: nobody else has the pointer.
unsafe impl Send for Grave {}

/// The last reference to a loop is gone: closes what is on it and frees it, now or, if the thread
/// pool is still at work for it, at a later `reap`.
pub(super) fn abandon(inner: NonNull<LoopInner>) {
    // SAFETY: there is no reference but this one, and the allocation is still whole.
    let this = unsafe { inner.as_ref() };
    if this.owner.forked() {
        // The epoll fd is shared with the parent: closing handles here would deregister the
        // parent's. The memory goes with the process.
        return;
    }
    // Nobody else can own the loop: an owner has a reference. (This may be the thread that owned
    // it just now, so ownership is taken whatever `take` says.)
    let _ = this.owner.take();
    if !this.closed.get() && this.check_backend().is_err() {
        // It cannot be polled, so nothing on it can be closed in order.
        return;
    }
    if !this.closed.get() {
        this.abandoned.set(true);
        this.empty_inbox();
        this.for_each_handle(|header| header.close_silently());
        this.requests.cancel_all();
        this.run_closing();
        if this.requests.len() != 0 {
            this.owner.give_back();
            GRAVEYARD.lock().unwrap_or_else(PoisonError::into_inner).push(Grave(inner));
            return;
        }
        this.tear_down();
    }
    // SAFETY: the loop is closed, no handle and no reference is left; it came from `Box::leak`.
    drop(unsafe { Box::from_raw(inner.as_ptr()) });
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
