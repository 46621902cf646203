//! The lookups of a channel that c-ares does not have: those that wait for it, and those that are
//! answered.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use pyuv::{Held, Loop, Owned};

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
    state: Owned<RefCell<State>>,
    /// What [`State::active`] says, for anybody to look at.
    active: AtomicUsize,
    /// Who is calling c-ares.
    pub(crate) calling: Calling,
    /// c-ares is being given a query.
    pub(crate) asking: AtomicBool,
    /// Answers that c-ares need not be asked for.
    cache: Owned<Cache>,
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
    pub(crate) fn new(event_loop: &Loop, cache: Cache) -> Queue {
        Queue {
            state: Owned::new(event_loop, RefCell::default()),
            active: AtomicUsize::new(0),
            calling: Calling::new(event_loop),
            asking: AtomicBool::new(false),
            cache: Owned::new(event_loop, cache),
        }
    }

    /// Borrowed only for as long as it takes to look or change: never while anybody's code runs.
    pub(crate) fn state<'a>(&'a self, held: &'a Held) -> Borrowed<'a> {
        Borrowed { state: self.state.get(held).borrow_mut(), active: &self.active }
    }

    pub(crate) fn cache<'a>(&'a self, held: &'a Held) -> &'a Cache {
        self.cache.get(held)
    }

    /// How many lookups have not had their callback called. Any thread may ask.
    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }
}

/// The state, borrowed to be changed.
pub(crate) struct Borrowed<'a> {
    state: RefMut<'a, State>,
    active: &'a AtomicUsize,
}

impl Deref for Borrowed<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Borrowed<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.active.store(self.state.active(), Ordering::Relaxed);
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
        queue.calling.held(|held| {
            let mut state = queue.state(held);
            state.in_flight += 1;
            state.load += weight;
        });
        InFlight { queue: queue.clone(), weight, callback: Some(callback) }
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// For the closure that c-ares calls: `copy` makes a value of our own of its answer. The
    /// callback is called later, by whoever empties the queue.
    pub(crate) fn answer(mut self, copy: impl FnOnce(&Held) -> Result<A>) {
        no_panic(move || {
            let queue = self.queue.clone();
            queue.calling.held(|held| {
                let result = copy(held);
                self.end(held, result);
            });
        });
    }

    fn end(&mut self, held: &Held, result: Result<A>) {
        let Some(callback) = self.callback.take() else { return };
        let mut state = self.queue.state(held);
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
            let queue = self.queue.clone();
            no_panic(|| queue.calling.held(|held| self.end(held, Err(Code::EDESTRUCTION.into()))));
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
