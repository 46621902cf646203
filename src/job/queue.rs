//! What the loop and the drainers share: jobs that wait, and jobs that are over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;

use super::JobRef;

/// How long a wait spins before it lets others have the processor in between. The other side may be
/// one of them: where both have come to share one, each would only ever run while the other sleeps,
/// and the scheduler, which sees one thread run at a time, has no reason to part them.
const SPIN: Duration = Duration::from_micros(3);

/// Waits awake until `condition` holds, for `limit` at most. Returns whether it does.
pub(super) fn wait_awake(limit: Duration, condition: impl Fn() -> bool) -> bool {
    // Reading the clock costs more than the condition.
    const LOOKS: u32 = 32;
    let begin = Instant::now();
    loop {
        for _ in 0..LOOKS {
            if condition() {
                return true;
            }
            std::hint::spin_loop();
        }
        let waited = begin.elapsed();
        if waited > limit {
            return false;
        }
        if waited > SPIN {
            std::thread::yield_now();
        }
    }
}

pub(super) struct Queue {
    pub(super) waiting: SegQueue<JobRef>,
    pub(super) over: SegQueue<JobRef>,
    /// The loop sleeps, or is not running: whoever ends a job wakes it.
    pub(super) sleeps: AtomicBool,
    /// The loop is being closed: drainers end when nothing waits.
    pub(super) closing: AtomicBool,
    /// How many jobs have been run, to see whether they get on.
    pub(super) ran: AtomicUsize,
    /// The last job to end took long.
    pub(super) slow: AtomicBool,
}

impl Queue {
    pub(super) fn new() -> Queue {
        Queue {
            waiting: SegQueue::new(),
            over: SegQueue::new(),
            sleeps: AtomicBool::new(true),
            closing: AtomicBool::new(false),
            ran: AtomicUsize::new(0),
            slow: AtomicBool::new(false),
        }
    }

    /// The loop's half of the agreement on sleep: it says that it is about to, then looks once
    /// more for what is over. Returns whether there is anything.
    pub(super) fn fall_asleep(&self) -> bool {
        self.sleeps.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        !self.over.is_empty()
    }

    /// The other half: what is over is there to be seen before anybody asks whether the loop
    /// sleeps. Returns whether the caller has to wake it.
    pub(super) fn hand_over(&self, job: JobRef) -> bool {
        self.over.push(job);
        fence(Ordering::SeqCst);
        self.sleeps.load(Ordering::SeqCst) && self.sleeps.swap(false, Ordering::SeqCst)
    }
}
