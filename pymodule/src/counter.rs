//! Numbers that one thread at a time writes, and any may read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Such a number. A change is a load and a store, since nobody else makes one meanwhile.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    #[inline]
    pub fn add(&self, number: u64) {
        self.set(self.get().wrapping_add(number));
    }

    /// Makes it that large, if it is smaller.
    #[inline]
    pub fn at_least(&self, number: u64) {
        if number > self.get() {
            self.set(number);
        }
    }
}
