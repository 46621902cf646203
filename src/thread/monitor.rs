//! What every primitive is made of: a state and a queue of sleeping threads under one mutex.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;

/// What came of trying something that may have to wait.
#[must_use]
pub enum Attempt<'a, T> {
    /// It is done.
    Done(T),
    /// The thread has to sleep on this first.
    Wait(Ticket<'a>),
}

/// What to do when a thread leaves without having used its ticket.
#[derive(Clone, Copy)]
pub(super) enum Abandoned {
    /// Call another thread, if this one had been called.
    PassOn,
    /// Call all: others may have stood behind this one only.
    CallAll,
    /// Nobody else is concerned.
    Forget,
}

/// A state and the threads that sleep until it changes.
pub(super) struct Monitor<S> {
    inner: Mutex<Inner<S>>,
    abandoned: Abandoned,
}

struct Inner<S> {
    state: S,
    queue: Queue,
}

/// Sleeping threads, the first to be called first. One that stands here has not been called.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Arc<Sleeper>>);

struct Sleeper {
    called: Mutex<bool>,
    call: Condvar,
    /// The process that the thread is in: after a fork it is not in this one.
    process: u32,
    /// Wants the primitive for itself alone.
    exclusive: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these mutexes panics half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Calls the thread that has waited longest.
    pub fn call_one(&mut self) {
        self.forget_forked();
        if let Some(sleeper) = self.0.pop_front() {
            sleeper.call();
        }
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

    fn forget_forked(&mut self) {
        if !self.0.is_empty() {
            let process = std::process::id();
            self.0.retain(|sleeper| sleeper.process == process);
        }
    }
}

impl Sleeper {
    fn call(&self) {
        *lock(&self.called) = true;
        self.call.notify_one();
    }
}

impl<S: Send> Monitor<S> {
    pub const fn new(state: S, abandoned: Abandoned) -> Monitor<S> {
        let inner = Inner { state, queue: Queue(VecDeque::new()) };
        Monitor { inner: Mutex::new(inner), abandoned }
    }

    /// Looks at the state, or changes it.
    pub fn with<T>(&self, f: impl FnOnce(&mut S, &mut Queue) -> T) -> T {
        let inner = &mut *lock(&self.inner);
        f(&mut inner.state, &mut inner.queue)
    }

    /// Tries `f`; where it has no answer yet, puts this thread into the queue.
    pub fn attempt<T>(
        &self,
        exclusive: bool,
        f: impl FnOnce(&mut S, &mut Queue) -> Result<Option<T>>,
    ) -> Result<Attempt<'_, T>> {
        let inner = &mut *lock(&self.inner);
        if let Some(value) = f(&mut inner.state, &mut inner.queue)? {
            return Ok(Attempt::Done(value));
        }
        let sleeper = Arc::new(Sleeper {
            called: Mutex::new(false),
            call: Condvar::new(),
            process: std::process::id(),
            exclusive,
        });
        inner.queue.0.push_back(sleeper.clone());
        Ok(Attempt::Wait(Ticket { sleeper, monitor: self, used: AtomicBool::new(false) }))
    }
}

/// A monitor of any state, as a ticket sees it.
trait Leave: Sync {
    /// Takes a thread out of the queue; false if it had been called.
    fn leave(&self, sleeper: &Arc<Sleeper>) -> bool;
    /// The same for a thread that will not answer a call either.
    fn abandon(&self, sleeper: &Arc<Sleeper>);
}

impl<S: Send> Leave for Monitor<S> {
    fn leave(&self, sleeper: &Arc<Sleeper>) -> bool {
        lock(&self.inner).queue.remove(sleeper)
    }

    fn abandon(&self, sleeper: &Arc<Sleeper>) {
        let queue = &mut lock(&self.inner).queue;
        let called = !queue.remove(sleeper);
        match self.abandoned {
            Abandoned::PassOn if called => queue.call_one(),
            Abandoned::CallAll => queue.call_all(),
            Abandoned::PassOn | Abandoned::Forget => {}
        }
    }
}

impl Queue {
    fn remove(&mut self, sleeper: &Arc<Sleeper>) -> bool {
        let place = self.0.iter().position(|other| Arc::ptr_eq(other, sleeper));
        place.and_then(|place| self.0.remove(place)).is_some()
    }
}

/// A thread's place in the queue of a primitive.
#[must_use]
pub struct Ticket<'a> {
    sleeper: Arc<Sleeper>,
    monitor: &'a dyn Leave,
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

    /// Leaves the queue; says whether the thread was called before it could. As with
    /// [`wait`](Ticket::wait), true has to be acted on.
    pub fn give_up(self) -> bool {
        self.used.store(true, Ordering::Relaxed);
        !self.monitor.leave(&self.sleeper)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !*self.used.get_mut() {
            self.monitor.abandon(&self.sleeper);
        }
    }
}

/// Attempts until it is done.
pub(super) fn block<'a, T>(mut attempt: impl FnMut() -> Result<Attempt<'a, T>>) -> Result<T> {
    loop {
        match attempt()? {
            Attempt::Done(value) => return Ok(value),
            Attempt::Wait(ticket) => {
                ticket.wait(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket<S: Send>(monitor: &Monitor<S>, exclusive: bool) -> Ticket<'_> {
        match monitor.attempt(exclusive, |_, _| Ok(None::<()>)) {
            Ok(Attempt::Wait(ticket)) => ticket,
            _ => panic!("nothing to wait for"),
        }
    }

    const NOW: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn threads_are_called_in_order() {
        let monitor = Monitor::new((), Abandoned::PassOn);
        let (first, second) = (ticket(&monitor, false), ticket(&monitor, false));
        monitor.with(|(), queue| queue.call_one());
        assert!(!second.wait(NOW));
        assert!(first.wait(NOW));
    }

    #[test]
    fn a_call_that_nobody_answers_is_passed_on() {
        let monitor = Monitor::new((), Abandoned::PassOn);
        let (first, second) = (ticket(&monitor, false), ticket(&monitor, false));
        monitor.with(|(), queue| queue.call_one());
        drop(first);
        assert!(second.wait(NOW));
    }

    #[test]
    fn leaving_uncalled_calls_nobody() {
        let monitor = Monitor::new((), Abandoned::PassOn);
        let (first, second) = (ticket(&monitor, false), ticket(&monitor, false));
        drop(first);
        assert!(!second.wait(NOW));
        assert!(!second.give_up());
        assert_eq!(monitor.with(|(), queue| queue.len()), 0);
    }

    #[test]
    fn giving_up_after_the_call_says_so() {
        let monitor = Monitor::new((), Abandoned::PassOn);
        let first = ticket(&monitor, false);
        monitor.with(|(), queue| queue.call_all());
        assert!(first.give_up());
    }

    #[test]
    fn those_that_share_are_called_together() {
        let monitor = Monitor::new((), Abandoned::CallAll);
        let shared = [ticket(&monitor, false), ticket(&monitor, false)];
        let alone = ticket(&monitor, true);
        monitor.with(|(), queue| queue.call_sharing());
        assert!(shared.iter().all(|ticket| ticket.wait(NOW)));
        assert!(!alone.wait(NOW));
        assert!(monitor.with(|(), queue| queue.any_exclusive()));
    }
}
