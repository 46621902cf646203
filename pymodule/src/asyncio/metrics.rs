//! What an event loop has done so far, and for how long its turns kept others waiting. Its owner counts, any
//! thread may read.
//!
//! Times are taken from the turn after the first look on: two readings of the clock for each sleep, and none for a callback.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::counter::Counter;
use crate::sleep::{Sleep, nanoseconds};

/// How many turns took up to 1, 2, 4, ... microseconds, the last one longer ones too.
const BUCKETS: usize = 26;

#[derive(Default)]
pub struct Metrics {
    pub turns: Counter,
    pub callbacks: Counter,
    /// Times that data or its end came.
    pub arrivals: Counter,
    /// How many callbacks were ready at once: the last time, and at most.
    pub ready: Counter,
    pub most_ready: Counter,
    pub bytes_read: Counter,
    pub bytes_written: Counter,
    pub connections_made: Counter,
    pub connections_lost: Counter,
    is_wanted: AtomicBool,
    busy: Counter,
    lag: [Counter; BUCKETS],
    /// When the turn began, in nanoseconds; 0 where no times are taken. And what the sleeps had come to.
    began: Counter,
    slept: Counter,
}

impl Metrics {
    /// Has times taken from the next turn on: another thread may ask while the loop sleeps.
    pub fn measure(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    /// The event loop has begun to run. What was before that was not its time.
    pub fn run_begins(&self, sleep: &Sleep) {
        if self.is_wanted.load(Ordering::Relaxed) {
            sleep.measure();
            self.turn_begins(sleep, nanoseconds());
        }
    }

    fn turn_begins(&self, sleep: &Sleep, now: u64) {
        self.slept.set(sleep.nanoseconds());
        self.began.set(now);
    }

    /// Another turn is over, and the next one begins. Its time is that in which it did not sleep: so long has the
    /// last of those waited who were ready at its beginning.
    #[inline]
    pub fn turn_ends(&self, sleep: &Sleep, now: u64) {
        self.turns.add(1);
        let began = self.began.get();
        if began == 0 {
            if self.is_wanted.load(Ordering::Relaxed) {
                sleep.measure();
                self.turn_begins(sleep, now);
            }
            return;
        }
        let slept = sleep.nanoseconds();
        let took = now.saturating_sub(began).saturating_sub(slept - self.slept.get());
        self.busy.add(took);
        let bucket = took.div_ceil(1000).next_power_of_two().trailing_zeros();
        self.lag[(bucket as usize).min(BUCKETS - 1)].add(1);
        self.turn_begins(sleep, now);
    }

    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy.get())
    }

    /// The numbers of turns by how long they took, shortest first.
    pub fn lag(&self) -> [u64; BUCKETS] {
        self.lag.each_ref().map(Counter::get)
    }

    /// Another number after each thing that is done.
    pub fn progress(&self) -> u64 {
        self.turns.get() + self.callbacks.get() + self.arrivals.get()
    }

    /// So many callbacks are called in this round.
    #[inline]
    pub fn round(&self, ready: usize) {
        self.ready.set(ready as u64);
        self.most_ready.at_least(ready as u64);
    }
}
