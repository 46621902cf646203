//! Threads that sleep until somebody calls them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::forks;

/// A thread that sleeps, or is about to.
pub(super) struct Sleeper {
    called: Mutex<bool>,
    call: Condvar,
    /// The value of [`forks::count`] where the thread is: after a fork it is not in this process.
    forks: usize,
    /// Wants the primitive for itself alone.
    exclusive: bool,
}

/// Sleeping threads, the first to be called first. One that stands here has not been called.
#[derive(Default)]
pub(super) struct Sleepers(VecDeque<Arc<Sleeper>>);

/// What threads sleep on, as a ticket sees it.
pub(super) trait Leave: Sync {
    /// Takes a thread out of the sleepers; false if it had been called.
    fn leave(&self, sleeper: &Arc<Sleeper>) -> bool;
    /// The same for a thread that will not answer a call either.
    fn abandon(&self, sleeper: &Arc<Sleeper>);
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these mutexes panics half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sleeper {
    fn call(&self) {
        *lock(&self.called) = true;
        self.call.notify_one();
    }
}

impl Sleepers {
    pub const fn new() -> Sleepers {
        Sleepers(VecDeque::new())
    }

    /// Puts this thread behind the others; `place` is where they are.
    pub fn join<'a>(&mut self, exclusive: bool, place: &'a dyn Leave) -> Ticket<'a> {
        forks::watch();
        let sleeper = Arc::new(Sleeper {
            called: Mutex::new(false),
            call: Condvar::new(),
            forks: forks::count(),
            exclusive,
        });
        self.0.push_back(sleeper.clone());
        Ticket { sleeper, place, used: AtomicBool::new(false) }
    }

    /// Whether nobody sleeps, gone processes included.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls the thread that has waited longest; false if there is none.
    pub fn call_one(&mut self) -> bool {
        self.forget_forked();
        let first = self.0.pop_front();
        first.inspect(|sleeper| sleeper.call()).is_some()
    }

    /// Calls every thread.
    pub fn call_all(&mut self) {
        self.forget_forked();
        self.0.drain(..).for_each(|sleeper| sleeper.call());
    }

    /// Calls the first thread and, if it can share with others, those behind it that can too.
    pub fn call_sharing(&mut self) {
        self.forget_forked();
        let Some(first) = self.0.pop_front() else { return };
        first.call();
        while !first.exclusive && self.0.front().is_some_and(|next| !next.exclusive) {
            self.call_one();
        }
    }

    /// How many threads sleep.
    pub fn len(&mut self) -> usize {
        self.forget_forked();
        self.0.len()
    }

    /// Whether a thread sleeps that wants the primitive for itself.
    pub fn any_exclusive(&mut self) -> bool {
        self.forget_forked();
        self.0.iter().any(|sleeper| sleeper.exclusive)
    }

    /// Takes a thread out; false if it was not there.
    pub fn remove(&mut self, sleeper: &Arc<Sleeper>) -> bool {
        let place = self.0.iter().position(|other| Arc::ptr_eq(other, sleeper));
        place.and_then(|place| self.0.remove(place)).is_some()
    }

    fn forget_forked(&mut self) {
        if !self.0.is_empty() {
            let forks = forks::count();
            self.0.retain(|sleeper| sleeper.forks == forks);
        }
    }
}

/// A thread's place among those that sleep.
#[must_use]
pub struct Ticket<'a> {
    sleeper: Arc<Sleeper>,
    place: &'a dyn Leave,
    used: AtomicBool,
}

impl Ticket<'_> {
    /// Sleeps until the thread is called, or for `limit`; says whether it was called.
    ///
    /// A caller who gets true has to act on it: the call is not passed on any more.
    pub fn wait(&self, limit: Option<Duration>) -> bool {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut called = lock(&self.sleeper.called);
        while !*called {
            let Some(deadline) = deadline else {
                called = self.sleeper.call.wait(called).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let outcome = self.sleeper.call.wait_timeout(called, left);
            called = outcome.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.used.store(true, Ordering::Relaxed);
        true
    }

    /// Stops waiting; says whether the thread was called before it could. As with
    /// [`wait`](Ticket::wait), true has to be acted on.
    pub fn give_up(self) -> bool {
        self.used.store(true, Ordering::Relaxed);
        !self.place.leave(&self.sleeper)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !*self.used.get_mut() {
            self.place.abandon(&self.sleeper);
        }
    }
}
