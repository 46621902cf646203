//! The queries of a channel that c-ares does not have: those that wait for it, and those that are
//! answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{Code, Error, Result};
use crate::message::Message;
use crate::registry::RecordType;

/// Who asked.
pub(crate) type Callback = Box<dyn FnOnce(Result<Message>) + Send>;

/// A query that c-ares has no room for yet.
pub(crate) struct Waiting {
    pub(crate) name: Box<str>,
    pub(crate) record_type: RecordType,
    pub(crate) asked: Instant,
    pub(crate) callback: Callback,
}

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    /// How many c-ares is working on.
    pub(crate) in_flight: usize,
    /// Answered, and not told yet.
    pub(crate) answered: VecDeque<(Callback, Result<Message>)>,
    pub(crate) waiting: VecDeque<Waiting>,
    /// When c-ares last ended a query with anything but a timeout, while there were some waiting.
    pub(crate) progress: Option<Instant>,
}

impl Queue {
    /// Locked only for as long as it takes to look or change: never while anybody's code runs.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query that c-ares is working on. Whatever becomes of it, its callback gets one answer.
pub(crate) struct InFlight {
    queue: Arc<Queue>,
    callback: Option<Callback>,
}

impl InFlight {
    pub(crate) fn new(queue: &Arc<Queue>, callback: Callback) -> InFlight {
        queue.lock().in_flight += 1;
        InFlight { queue: queue.clone(), callback: Some(callback) }
    }

    /// c-ares has the answer. The callback is called later, by whoever empties the queue.
    pub(crate) fn answer(mut self, result: Result<Message>) {
        self.end(result);
    }

    fn end(&mut self, result: Result<Message>) {
        let Some(callback) = self.callback.take() else { return };
        let mut state = self.queue.lock();
        state.in_flight -= 1;
        let timed_out = matches!(&result, Err(Error::Ares { code: Code::ETIMEOUT, .. }));
        if !timed_out && !state.waiting.is_empty() {
            state.progress = Some(Instant::now());
        }
        state.answered.push_back((callback, result));
    }
}

impl Drop for InFlight {
    /// c-ares forgot the query: that is not supposed to happen, and must not be silence.
    fn drop(&mut self) {
        if self.callback.is_some() {
            self.end(Err(Code::EDESTRUCTION.into()));
        }
    }
}
