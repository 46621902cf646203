//! A place that is filled once, by the thread that made it.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const FILLING: u8 = 1;
const FULL: u8 = 2;

/// A `OnceLock` that nobody waits for: a third of the cost, for what there is one of in each
/// request. All zeroes is an empty one, as the collector may see it (see `ActiveTable`).
pub struct Once<T> {
    state: AtomicU8,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written by whoever made the step from EMPTY, and shared after that from FULL
// alone; it may be moved out and dropped by another thread than its maker's.
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    pub const fn new() -> Once<T> {
        Once { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(None) }
    }

    /// Fills it, unless somebody has begun to before.
    pub fn set(&self, value: T) {
        let begun =
            self.state.compare_exchange(EMPTY, FILLING, Ordering::Acquire, Ordering::Relaxed);
        if begun.is_ok() {
            // SAFETY: the step above is made once, and nobody looks before the one below.
            unsafe { *self.value.get() = Some(value) };
            self.state.store(FULL, Ordering::Release);
        }
    }

    /// What is in it, if it is full.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) != FULL {
            return None;
        }
        // SAFETY: it is full, and nobody writes to it again.
        unsafe { &*self.value.get() }.as_ref()
    }
}
