//! Waiting, with a mutex, for something to become true.

use std::time::Duration;

use super::monitor::{Abandoned, Attempt, Monitor, block};
use super::mutex::Mutex;
use super::sleeper::Ticket;
use crate::Result;

/// A condition variable (`uv_cond_t`).
///
/// A thread that waits has unlocked its mutex and holds it again afterwards. Nobody wakes without
/// a signal, but what was signalled may have changed again by then: wait in a loop.
pub struct Condition {
    monitor: Monitor<()>,
}

/// A mutex that a thread let go of to wait, and has to lock again.
#[must_use]
pub struct Released<'a> {
    mutex: &'a Mutex,
    depth: u32,
}

impl Released<'_> {
    /// The attempt to hold the mutex as before.
    pub fn attempt(&self) -> Result<Attempt<'_, ()>> {
        self.mutex.attempt_depth(self.depth)
    }
}

impl Default for Condition {
    fn default() -> Condition {
        Condition::new()
    }
}

impl Condition {
    /// A condition that nobody waits for (`uv_cond_init`).
    pub const fn new() -> Condition {
        Condition { monitor: Monitor::new((), Abandoned::PassOn) }
    }

    /// Wakes the thread that has waited longest (`uv_cond_signal`).
    pub fn signal(&self) {
        self.monitor.with(|(), queue| {
            queue.call_one();
        });
    }

    /// Wakes all threads that wait (`uv_cond_broadcast`).
    pub fn broadcast(&self) {
        self.monitor.with(|(), queue| queue.call_all());
    }

    /// Unlocks `mutex`, however often it was locked, waits for a signal and locks it again
    /// (`uv_cond_wait`). `UV_EPERM` if this thread does not hold it.
    pub fn wait(&self, mutex: &Mutex) -> Result<()> {
        let (ticket, released) = self.begin(mutex)?;
        ticket.wait(None);
        block(|| released.attempt())
    }

    /// The same, for `limit` at most (`uv_cond_timedwait`); says whether there was a signal.
    pub fn wait_for(&self, mutex: &Mutex, limit: Duration) -> Result<bool> {
        let (ticket, released) = self.begin(mutex)?;
        let signalled = ticket.wait(Some(limit)) || ticket.give_up();
        block(|| released.attempt())?;
        Ok(signalled)
    }

    /// The first half of [`wait`](Condition::wait): stands in the queue, the mutex unlocked.
    pub fn begin<'a>(&'a self, mutex: &'a Mutex) -> Result<(Ticket<'a>, Released<'a>)> {
        mutex.check_held("wait")?;
        match self.monitor.attempt(false, |(), _| Ok(None::<()>))? {
            Attempt::Done(()) => unreachable!("a wait always has to wait"),
            Attempt::Wait(ticket) => Ok((ticket, Released { mutex, depth: mutex.release() })),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::Code;

    #[test]
    fn a_wait_ends_with_a_signal_and_holds_the_mutex() {
        let (condition, mutex, value) = (Condition::new(), Mutex::new(true), AtomicUsize::new(0));
        thread::scope(|scope| {
            mutex.lock().unwrap();
            mutex.lock().unwrap();
            scope.spawn(|| {
                mutex.lock().unwrap();
                value.store(1, Ordering::Relaxed);
                condition.signal();
                mutex.unlock().unwrap();
            });
            while value.load(Ordering::Relaxed) == 0 {
                condition.wait(&mutex).unwrap();
            }
            mutex.unlock().unwrap();
            mutex.unlock().unwrap();
        });
    }

    #[test]
    fn a_wait_without_a_signal_times_out() {
        let (condition, mutex) = (Condition::new(), Mutex::new(false));
        mutex.lock().unwrap();
        assert_eq!(condition.wait_for(&mutex, Duration::from_millis(1)), Ok(false));
        assert_eq!(condition.wait_for(&mutex, Duration::ZERO), Ok(false));
        mutex.unlock().unwrap();
    }

    #[test]
    fn waiting_without_the_mutex_is_an_error() {
        let error = Condition::new().wait(&Mutex::new(false)).unwrap_err();
        assert_eq!(error.code(), Some(Code::EPERM));
    }
}
