//! What of a loop any thread may reach, and the way from there to being its owner.

use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{Ordering, fence};

use libuv_sys2 as uv;

use super::inbox::Inbox;
use super::{Held, abandon};
use crate::error::{Error, Result};
#[cfg(unix)]
use crate::internals::own_fds::OwnFds;
use crate::owner::Owner;

/// A loop as anybody sees it: the same allocation as the [`Held`] inside, which only this file
/// gets at.
#[repr(transparent)]
pub(crate) struct LoopShared(Held);

// SAFETY: what the methods below reach of the loop is atomic or behind a mutex; all else is reached
// through a `&Held`, which `enter` gives to the owner alone.
unsafe impl Sync for LoopShared {}

impl LoopShared {
    /// Makes this thread the owner, or says why it cannot be.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Entered<'_>> {
        let entered = self.enter_even_closed()?;
        if entered.closed.get() {
            return Err(Error::LoopClosed);
        }
        Ok(entered)
    }

    /// [`enter`](LoopShared::enter) that a closed loop does not refuse: for what is kept of it.
    #[inline]
    pub(crate) fn enter_even_closed(&self) -> Result<Entered<'_>> {
        self.0.owner.take()?;
        Ok(Entered { held: &self.0 })
    }

    /// [`enter`](LoopShared::enter) for a thread that is the owner already, also in a process that
    /// it forked meanwhile.
    pub(crate) fn enter_again(&self) -> Option<Entered<'_>> {
        self.0.owner.take_again().then(|| Entered { held: &self.0 })
    }

    /// The loop, on the word of the caller.
    ///
    /// # Safety
    /// This thread owns the loop, or nobody else can, as long as the reference is there.
    pub(crate) unsafe fn held(&self) -> &Held {
        &self.0
    }

    /// The loop that a `uv_loop_t` is, on whichever thread; `None` where another crate has made it.
    ///
    /// # Safety
    /// `raw` is a live loop.
    #[cfg(target_os = "linux")]
    pub(crate) unsafe fn known<'a>(raw: *mut uv::uv_loop_t) -> Option<&'a LoopShared> {
        // SAFETY: the caller vouches for the loop; nobody else puts the loop's own address there.
        unsafe { ((*raw).data == raw.cast()).then(|| Held::from_raw(raw).shared()) }
    }

    #[cfg(unix)]
    pub(crate) fn own_fds(&self) -> &OwnFds {
        &self.0.own_fds
    }

    /// Fails with `UV_EBADF` where the loop is known to have lost a descriptor of its own.
    ///
    /// # Safety
    /// The loop is not closed, nor being closed.
    pub(crate) unsafe fn check_own_fds(&self) -> Result<()> {
        #[cfg(unix)]
        // SAFETY: the caller says so.
        unsafe {
            self.0.own_fds.check_known(self.0.uv())?;
        }
        Ok(())
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.0.owner
    }

    pub(super) fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    /// Makes the loop's owner look around: at its inbox, at its jobs. May be called on any thread.
    ///
    /// # Safety
    /// The loop is not closed, nor being closed.
    pub(crate) unsafe fn wake(&self) {
        // SAFETY: the caller vouches for the handles.
        unsafe { self.0.own_handles.wake() };
    }

    /// Whether this process is a fork of the one that the loop belongs to.
    pub(crate) fn is_forked(&self) -> bool {
        self.0.owner.forked()
    }

    pub(crate) fn add_reference(&self) {
        self.0.references.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives up one reference; the last one tears the loop down.
    ///
    /// # Safety
    /// The caller owns one of the references counted, and does not use it again.
    pub(crate) unsafe fn release(shared: NonNull<LoopShared>) {
        // SAFETY: the caller's reference keeps the allocation alive up to here.
        let this = unsafe { shared.as_ref() };
        if this.0.references.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            abandon::abandon(shared);
        }
    }
}

impl Held {
    /// The loop as anybody sees it.
    pub(crate) fn shared(&self) -> &LoopShared {
        // SAFETY: `LoopShared` is repr(transparent) over this type.
        unsafe { &*ptr::from_ref(self).cast::<LoopShared>() }
    }
}

/// Ownership of a loop: this thread has it until the value is dropped, and longer if it had it
/// before. See [`Loop::hold`](crate::Loop::hold).
//
// It does not leave the thread: `Held` is not Sync.
pub struct Entered<'a> {
    held: &'a Held,
}

impl Entered<'_> {
    pub(crate) fn uv(&self) -> *mut uv::uv_loop_t {
        self.held.uv()
    }
}

impl Deref for Entered<'_> {
    type Target = Held;
    fn deref(&self) -> &Held {
        self.held
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the loop was taken for this value, which does not leave its thread.
        unsafe { self.held.owner.give_back() };
    }
}

impl std::fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entered({:?})", self.held)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Error, Loop};

    fn elsewhere(event_loop: &Loop) -> Result<u64, Error> {
        std::thread::scope(|scope| scope.spawn(|| event_loop.now()).join().unwrap())
    }

    #[test]
    fn a_loop_is_held_until_the_last_hold_ends() {
        let event_loop = Loop::new().unwrap();
        let first = event_loop.hold().unwrap();
        let second = event_loop.hold().unwrap();
        drop(first);
        assert_eq!(elsewhere(&event_loop), Err(Error::WrongThread));
        drop(second);
        assert!(elsewhere(&event_loop).is_ok());
    }

    #[test]
    fn a_closed_loop_can_still_be_held() {
        let event_loop = Loop::new().unwrap();
        event_loop.close().unwrap();
        assert_eq!(event_loop.hold().unwrap_err(), Error::LoopClosed);
        let held = event_loop.hold_even_closed().unwrap();
        assert_eq!(elsewhere(&event_loop), Err(Error::WrongThread));
        drop(held);
        assert_eq!(elsewhere(&event_loop), Err(Error::LoopClosed));
    }
}
