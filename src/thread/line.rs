//! Threads that wait for one kind of thing to be there: items, or room for them.

use std::sync::Arc;

use super::sleeper::{Leave, Sleeper, Sleepers, Ticket};
use crate::forks;

/// How many called threads may be on their way at once.
///
/// A called thread needs a while to come: it is scheduled, and may have to get the GIL first.
/// Whoever adds to the queue meanwhile need not call one more for each item, since those that
/// are called call the next when they come and leave something behind. A few at a time, so
/// that threads which do their work without the GIL need not start one by one.
const AT_ONCE: usize = 4;

/// Sleepers, and how many of those that were called have not come yet.
///
/// Between two changes it holds: where something is there to have and a thread sleeps for it,
/// another one is on its way.
pub(super) struct Line {
    sleepers: Sleepers,
    coming: usize,
    /// The value of [`forks::count`] where `coming` was counted.
    forks: usize,
}

impl Line {
    pub const fn new() -> Line {
        Line { sleepers: Sleepers::new(), coming: 0, forks: 0 }
    }

    /// Puts this thread to the end.
    pub fn join<'a>(&mut self, place: &'a dyn Leave) -> Ticket<'a> {
        self.sleepers.join(false, place)
    }

    /// Calls threads for `ready` things that are there.
    #[inline]
    pub fn call_for(&mut self, ready: usize) {
        if !self.sleepers.is_empty() {
            self.call_some(ready.min(AT_ONCE));
        }
    }

    #[cold]
    fn call_some(&mut self, wanted: usize) {
        if self.forks != forks::count() {
            self.forks = forks::count();
            self.coming = 0;
        }
        while self.coming < wanted && self.sleepers.call_one() {
            self.coming += 1;
        }
    }

    /// A thread that was called has come.
    pub fn come(&mut self) {
        self.coming = self.coming.saturating_sub(1);
    }

    /// One of the called threads may never come. To take that for all of them does no harm: too
    /// many are called then, and find nothing.
    pub fn expect_nobody(&mut self) {
        self.coming = 0;
    }

    /// Calls every thread, for a change after which none sleeps any more.
    pub fn call_all(&mut self) {
        self.sleepers.call_all();
        self.coming = 0;
    }

    /// Takes a thread out; false if it was not there.
    pub fn remove(&mut self, sleeper: &Arc<Sleeper>) -> bool {
        self.sleepers.remove(sleeper)
    }
}
