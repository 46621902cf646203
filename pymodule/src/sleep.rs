//! A loop's sleep: whether it is in one, and for how long it was. Any thread may ask.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::counter::Counter;

/// What the loop's owner says, before it waits and afterwards.
#[derive(Default)]
pub struct Sleep {
    goes_on: AtomicBool,
    is_measured: AtomicBool,
    /// In nanoseconds: when the last one began, and how long all were.
    began: Counter,
    total: Counter,
}

/// The system's clock, in nanoseconds: `uv_hrtime`'s, and that of Python's `time.monotonic`.
pub fn nanoseconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it fills the struct, and cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

impl Sleep {
    #[inline]
    pub fn begin(&self) {
        self.goes_on.store(true, Ordering::Relaxed);
        if self.is_measured() {
            self.began.set(nanoseconds());
        }
    }

    #[inline]
    pub fn end(&self) {
        self.goes_on.store(false, Ordering::Relaxed);
        if self.is_measured() {
            self.total.add(nanoseconds() - self.began.get());
        }
    }

    pub fn goes_on(&self) -> bool {
        self.goes_on.load(Ordering::Relaxed)
    }

    /// Has the time taken from the next sleep on. For the owner, who is awake.
    pub fn measure(&self) {
        self.is_measured.store(true, Ordering::Relaxed);
    }

    fn is_measured(&self) -> bool {
        self.is_measured.load(Ordering::Relaxed)
    }

    /// How long all that were measured took.
    pub fn nanoseconds(&self) -> u64 {
        self.total.get()
    }
}
