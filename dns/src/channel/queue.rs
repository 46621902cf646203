//! The lookups of a channel that c-ares does not have: those that wait for it, and those that are
//! answered.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::ares::{Calling, no_panic};
use super::cache::Cache;
use super::lookup::{Answer, Callback, Done, Pending};
use super::server_state::ServerState;
use crate::error::{Code, Error, Result};
use crate::options::DEFAULT_MAX_IN_FLIGHT;

/// A lookup that c-ares has no room for yet.
pub(crate) struct Waiting {
    pub(crate) asked: Instant,
    pub(crate) lookup: Box<dyn Pending>,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    /// Who is calling c-ares.
    pub(crate) calling: Calling,
    /// c-ares is being given a query.
    pub(crate) asking: AtomicBool,
    /// Answers that c-ares need not be asked for.
    pub(crate) cache: Cache,
}

#[derive(Default)]
pub(crate) struct State {
    /// How many lookups c-ares is working on.
    pub(crate) in_flight: usize,
    /// How many queries at a time those make at most.
    pub(crate) load: usize,
    /// Answered, and not told yet.
    pub(crate) answered: VecDeque<Done>,
    pub(crate) waiting: VecDeque<Waiting>,
    /// What became of servers, for who asked to be told.
    pub(crate) servers: VecDeque<ServerState>,
    /// How many queries have been answered.
    pub(crate) served: usize,
    /// When c-ares last ended a lookup with anything but a timeout, while there were some waiting.
    pub(crate) progress: Option<Instant>,
}

impl State {
    /// How many lookups have not had their callback called.
    pub(crate) fn active(&self) -> usize {
        self.in_flight + self.waiting.len() + self.answered.len()
    }

    /// Whether c-ares may be given a lookup of this weight. One alone is never too many.
    ///
    /// More than [`DEFAULT_MAX_IN_FLIGHT`] come by and by, one more for each that is answered. All at
    /// once they run over the buffer of the server's socket, and c-ares, which knows nothing yet of how
    /// quick the server is, waits for those that are lost for as long as it does for a slow one.
    pub(crate) fn has_room(&self, weight: usize, max_in_flight: usize) -> bool {
        let most = max_in_flight.min(DEFAULT_MAX_IN_FLIGHT.saturating_add(self.served));
        self.load == 0 || self.load + weight <= most
    }
}

impl Queue {
    pub(crate) fn new(cache: Cache) -> Queue {
        Queue {
            state: Mutex::default(),
            calling: Calling::default(),
            asking: AtomicBool::new(false),
            cache,
        }
    }

    /// Locked only for as long as it takes to look or change: never while anybody's code runs.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lookup that c-ares is working on. Whatever becomes of it, its callback gets one answer.
pub(crate) struct InFlight<A: Answer> {
    queue: Arc<Queue>,
    weight: usize,
    callback: Option<Callback<A>>,
}

impl<A: Answer> InFlight<A> {
    pub(crate) fn new(queue: &Arc<Queue>, weight: usize, callback: Callback<A>) -> InFlight<A> {
        let mut state = queue.lock();
        state.in_flight += 1;
        state.load += weight;
        drop(state);
        InFlight { queue: queue.clone(), weight, callback: Some(callback) }
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// For the closure that c-ares calls: `copy` makes a value of our own of its answer. The
    /// callback is called later, by whoever empties the queue.
    pub(crate) fn answer(mut self, copy: impl FnOnce() -> Result<A>) {
        no_panic(move || {
            self.queue.calling.check();
            let result = copy();
            self.end(result);
        });
    }

    fn end(&mut self, result: Result<A>) {
        let Some(callback) = self.callback.take() else { return };
        let mut state = self.queue.lock();
        state.in_flight -= 1;
        state.load -= self.weight;
        let timed_out = matches!(&result, Err(Error::Ares { code: Code::ETIMEOUT, .. }));
        if !timed_out {
            state.served = state.served.saturating_add(self.weight);
            if !state.waiting.is_empty() {
                state.progress = Some(Instant::now());
            }
        }
        state.answered.push_back(A::done(callback, result));
    }
}

impl<A: Answer> Drop for InFlight<A> {
    /// c-ares forgot the lookup, or copying its answer failed: that is not supposed to happen, and
    /// must not be silence.
    fn drop(&mut self) {
        if self.callback.is_some() {
            self.end(Err(Code::EDESTRUCTION.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_usual_come_by_and_by() {
        let mut state = State { load: DEFAULT_MAX_IN_FLIGHT, ..State::default() };
        assert!(!state.has_room(1, 1000));
        state.served = 2;
        assert!(state.has_room(2, 1000) && !state.has_room(3, 1000));
        state.served = usize::MAX;
        assert!(state.has_room(1000 - DEFAULT_MAX_IN_FLIGHT, 1000));
        assert!(!state.has_room(1001 - DEFAULT_MAX_IN_FLIGHT, 1000));
        state.load = 0;
        assert!(state.has_room(2, 1));
    }
}
