//! The one rule about threads: a loop and its handles belong to the thread that is using them.
//!
//! Each entry point of the crate takes the loop's [`Owner`]: a compare-and-swap when the loop is
//! idle, one load when the same thread is already inside, as every callback is. Everything else
//! in this crate that is not atomic (`Cell`, `UnsafeCell`, libuv itself) relies on holding it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::forks;

/// A number that no other living thread has: the address of a thread-local.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

/// Which thread is using a loop.
pub(crate) struct Owner {
    /// The owner's `this_thread`, or 0.
    thread: AtomicUsize,
    /// The value of [`forks::count`] in the process that the loop was made for.
    forks: AtomicUsize,
}

impl Owner {
    pub(crate) fn new() -> Owner {
        forks::watch();
        Owner { thread: AtomicUsize::new(0), forks: AtomicUsize::new(forks::count()) }
    }

    /// Takes the loop for this thread. `Ok(true)` says that the caller is to give it back;
    /// `Ok(false)` that the thread had it already.
    #[inline]
    pub(crate) fn take(&self) -> Result<bool> {
        if self.forked() {
            return Err(Error::Forked);
        }
        let me = this_thread();
        if self.thread.load(Ordering::Relaxed) == me {
            return Ok(false);
        }
        match self.thread.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(true),
            Err(_) => Err(Error::WrongThread),
        }
    }

    /// Gives the loop back after a `take` that returned `Ok(true)`.
    #[inline]
    pub(crate) fn give_back(&self) {
        self.thread.store(0, Ordering::Release);
    }

    /// Whether this thread has the loop; so it has in a process that it forked meanwhile.
    pub(crate) fn is_this_thread(&self) -> bool {
        self.thread.load(Ordering::Relaxed) == this_thread()
    }

    /// Whether this process is a fork of the one that the loop belongs to.
    #[inline]
    pub(crate) fn forked(&self) -> bool {
        self.forks.load(Ordering::Relaxed) != forks::count()
    }

    /// Makes the loop this process's own, idle unless this very thread was using it when it
    /// forked: every other thread stayed behind.
    pub(crate) fn adopt(&self) {
        if self.thread.load(Ordering::Relaxed) != this_thread() {
            self.thread.store(0, Ordering::Relaxed);
        }
        self.forks.store(forks::count(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time() {
        let owner = Owner::new();
        assert_eq!(owner.take(), Ok(true));
        assert_eq!(owner.take(), Ok(false));
        std::thread::scope(|scope| {
            let other = scope.spawn(|| owner.take());
            assert_eq!(other.join().unwrap(), Err(Error::WrongThread));
        });
        owner.give_back();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(owner.take(), Ok(true));
                owner.give_back();
            });
        });
        assert_eq!(owner.take(), Ok(true));
    }
}
