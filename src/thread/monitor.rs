//! What every primitive is made of: a state and a queue of sleeping threads under one mutex.

use std::sync::{Arc, Mutex};

use super::sleeper::{Leave, Sleeper, Sleepers, Ticket, lock};
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
    queue: Sleepers,
}

impl<S: Send> Monitor<S> {
    pub const fn new(state: S, abandoned: Abandoned) -> Monitor<S> {
        let inner = Inner { state, queue: Sleepers::new() };
        Monitor { inner: Mutex::new(inner), abandoned }
    }

    /// Looks at the state, or changes it.
    pub fn with<T>(&self, f: impl FnOnce(&mut S, &mut Sleepers) -> T) -> T {
        let inner = &mut *lock(&self.inner);
        f(&mut inner.state, &mut inner.queue)
    }

    /// Tries `f`; where it has no answer yet, puts this thread into the queue.
    pub fn attempt<T>(
        &self,
        exclusive: bool,
        f: impl FnOnce(&mut S, &mut Sleepers) -> Result<Option<T>>,
    ) -> Result<Attempt<'_, T>> {
        let inner = &mut *lock(&self.inner);
        if let Some(value) = f(&mut inner.state, &mut inner.queue)? {
            return Ok(Attempt::Done(value));
        }
        Ok(Attempt::Wait(inner.queue.join(exclusive, self)))
    }
}

impl<S: Send> Leave for Monitor<S> {
    fn leave(&self, sleeper: &Arc<Sleeper>) -> bool {
        lock(&self.inner).queue.remove(sleeper)
    }

    fn abandon(&self, sleeper: &Arc<Sleeper>) {
        let queue = &mut lock(&self.inner).queue;
        let called = !queue.remove(sleeper);
        match self.abandoned {
            Abandoned::PassOn if called => {
                queue.call_one();
            }
            Abandoned::CallAll => queue.call_all(),
            Abandoned::PassOn | Abandoned::Forget => {}
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
    use std::time::Duration;

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
        assert!(monitor.with(|(), queue| queue.call_one()));
        assert!(!second.wait(NOW));
        assert!(first.wait(NOW));
    }

    #[test]
    fn a_call_that_nobody_answers_is_passed_on() {
        let monitor = Monitor::new((), Abandoned::PassOn);
        let (first, second) = (ticket(&monitor, false), ticket(&monitor, false));
        assert!(monitor.with(|(), queue| queue.call_one()));
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
