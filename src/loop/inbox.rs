//! References given up by a thread that could not take the loop, on their way to its owner.

use std::cell::UnsafeCell;
use std::mem;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::LoopInner;
use crate::handle::Header;

/// A handle reference on its way to the loop's owner.
pub(crate) struct InboxEntry(pub(crate) NonNull<Header>);

// SAFETY: only the loop's owner looks behind the pointer.
unsafe impl Send for InboxEntry {}

/// What other threads have handed to the loop's owner.
pub(super) struct Inbox(UnsafeCell<Mutex<Vec<InboxEntry>>>);

impl Inbox {
    pub(super) fn new() -> Inbox {
        Inbox(UnsafeCell::new(Mutex::new(Vec::new())))
    }

    fn entries(&self) -> &Mutex<Vec<InboxEntry>> {
        // SAFETY: the mutex is replaced only by `renew`, when this is the only thread.
        unsafe { &*self.0.get() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<InboxEntry>> {
        self.entries().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks the inbox in a child process: the thread that had the lock stayed behind.
    ///
    /// # Safety
    /// This is the process's only thread.
    pub(super) unsafe fn renew(&self) {
        // If nobody had the lock, nothing is lost.
        let entries =
            self.entries().try_lock().map_or_else(|_| Vec::new(), |mut e| mem::take(&mut *e));
        // SAFETY: the caller vouches for nobody else using the mutex.
        unsafe { self.0.get().write(Mutex::new(entries)) };
    }
}

impl LoopInner {
    /// Hands a handle's reference to whoever owns the loop, who will drop it.
    pub(crate) fn send_to_owner(&self, entry: InboxEntry) {
        self.inbox.lock().push(entry);
        if self.owner.forked() {
            // The eventfd is the parent's too. `Loop::fork` is what makes this loop ours.
            return;
        }
        // SAFETY: the caller holds a reference, so the loop is not torn down; `wakeup` is closed
        // only then or by `close`, after which it is no longer sent to.
        unsafe {
            if !self.closed.get() {
                self.own_handles.wake();
            }
        }
        // The owner may have left just before the push.
        if let Ok(entered) = self.enter() {
            entered.empty_inbox();
        }
    }

    /// Drops what other threads handed over.
    pub(super) fn empty_inbox(&self) {
        let entries = mem::take(&mut *self.inbox.lock());
        for entry in entries {
            // SAFETY: the entry carries one reference of the handle's, and this thread owns the
            // loop.
            unsafe { Header::drop_reference(entry.0) };
        }
    }
}
