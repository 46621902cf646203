//! The one rule about threads: a loop and its handles belong to the thread that is using them.
//!
//! Each entry point of the crate takes the loop's [`Owner`]: a compare-and-swap when the loop is
//! idle, one load and a count when the same thread is already inside, as every callback is. The
//! last to leave gives the loop back. Everything in this crate that is not atomic (`Cell`,
//! `UnsafeCell`, libuv itself) is reached through what proves that: a [`Held`](crate::Held), which
//! an [`Entered`](crate::Entered) leads to, or that run() below a callback on the stack vouches
//! for.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::forks;

/// A number that no other living thread has: the address of a thread-local.
#[cfg(not(all(
    target_os = "linux",
    target_arch = "x86_64",
    target_pointer_width = "64",
    not(miri)
)))]
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

/// A number that no other living thread has: the address of what the system keeps of the thread. In a
/// shared library a thread-local would be found by a call, which every way into a loop would pay.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
#[inline]
fn this_thread() -> usize {
    let address;
    // SAFETY: the x86-64 ABI has the thread's control block begin with its own address, at fs:0;
    // it is only read, and stays what it is as long as the thread.
    unsafe {
        std::arch::asm!(
            "mov {}, qword ptr fs:[0]",
            out(reg) address,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    address
}

/// Which thread is using a loop.
pub(crate) struct Owner {
    /// The owner's `this_thread`, or 0.
    thread: AtomicUsize,
    /// How many times the owner has taken the loop and not given it back. The owner's.
    depth: Cell<usize>,
    /// The value of [`forks::count`] in the process that the loop was made for.
    forks: AtomicUsize,
}

// SAFETY: `depth` is touched only by the thread that `thread` names, after it has become that by an
// acquiring exchange and before it ceases to be by a releasing store.
unsafe impl Sync for Owner {}

impl Owner {
    pub(crate) fn new() -> Owner {
        forks::watch();
        Owner {
            thread: AtomicUsize::new(0),
            depth: Cell::new(0),
            forks: AtomicUsize::new(forks::count()),
        }
    }

    /// Takes the loop for this thread, which may have it already, until as many
    /// [`give_back`](Owner::give_back)s.
    #[inline]
    pub(crate) fn take(&self) -> Result<()> {
        if self.forked() {
            return Err(Error::Forked);
        }
        let me = this_thread();
        if self.thread.load(Ordering::Relaxed) != me
            && self.thread.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return Err(Error::WrongThread);
        }
        self.depth.set(self.depth.get() + 1);
        Ok(())
    }

    /// [`take`](Owner::take) for a thread that has the loop already, also in a process that it
    /// forked meanwhile. Returns whether it has.
    pub(crate) fn take_again(&self) -> bool {
        let mine = self.thread.load(Ordering::Relaxed) == this_thread();
        if mine {
            self.depth.set(self.depth.get() + 1);
        }
        mine
    }

    /// Ends what a `take` began; the last one gives the loop back.
    ///
    /// # Safety
    /// This thread has taken the loop once more often than it has ended that.
    #[inline]
    pub(crate) unsafe fn give_back(&self) {
        let depth = self.depth.get() - 1;
        self.depth.set(depth);
        if depth == 0 {
            self.thread.store(0, Ordering::Release);
        }
    }

    /// Whether this process is a fork of the one that the loop belongs to.
    #[inline]
    pub(crate) fn forked(&self) -> bool {
        self.forks.load(Ordering::Relaxed) != forks::count()
    }

    /// In a forked child: whether another thread than this was using the loop, which stayed behind.
    pub(crate) fn was_another_threads(&self) -> bool {
        let thread = self.thread.load(Ordering::Relaxed);
        thread != 0 && thread != this_thread()
    }

    /// Makes the loop this process's own. Nobody was using it, or this very thread.
    ///
    /// # Safety
    /// This is the process's only thread.
    pub(crate) unsafe fn adopt(&self) {
        self.forks.store(forks::count(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(owner: &Owner) -> Result<()> {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                owner.take()?;
                // SAFETY: it was taken just now.
                unsafe { owner.give_back() };
                Ok(())
            });
            other.join().unwrap()
        })
    }

    #[test]
    fn one_thread_at_a_time() {
        let owner = Owner::new();
        assert_eq!(owner.take(), Ok(()));
        assert_eq!(elsewhere(&owner), Err(Error::WrongThread));
        // SAFETY: it was taken once.
        unsafe { owner.give_back() };
        assert_eq!(elsewhere(&owner), Ok(()));
        assert_eq!(owner.take(), Ok(()));
    }

    #[test]
    fn it_is_given_back_by_the_last_in_whatever_order_they_go() {
        let owner = Owner::new();
        assert!(!owner.take_again());
        assert_eq!(owner.take(), Ok(()));
        assert!(owner.take_again());
        assert_eq!(owner.take(), Ok(()));
        for _ in 0..2 {
            // SAFETY: it was taken three times.
            unsafe { owner.give_back() };
            assert_eq!(elsewhere(&owner), Err(Error::WrongThread));
        }
        // SAFETY: as above.
        unsafe { owner.give_back() };
        assert_eq!(elsewhere(&owner), Ok(()));
    }
}
