//! The questions of a bulk run: which are in flight, and which wait to be asked again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use pyuv::{Held, Timer};

use super::answered::Answered;
use super::lines::Lines;
use super::results::Results;
use crate::channel::Core;
use crate::error::{Code, Error, Result};
use crate::idna;
use crate::message::Message;
use crate::registry::{RecordClass, RecordType};

pub(super) struct Run {
    /// The channel has the callbacks that hold this.
    pub(super) core: Weak<Core>,
    /// For the failures that wait.
    pub(super) timer: Timer,
    pub(super) record_type: RecordType,
    pub(super) concurrency: usize,
    pub(super) retries: u32,
    pub(super) retry_pause: Duration,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) lines: Lines,
    pub(super) results: Results,
    pub(super) answered: Answered,
    /// How many questions have no result yet, of those that were begun.
    pub(super) busy: usize,
    pub(super) again: VecDeque<Failure>,
    pub(super) retried: u64,
    pub(super) stopped: bool,
}

/// A question that was begun.
pub(super) struct Question {
    /// As it stood in the list.
    pub(super) name: Box<[u8]>,
    pub(super) record_type: RecordType,
    pub(super) retries: u32,
}

/// One that failed and is asked again.
pub(super) struct Failure {
    pub(super) due: Instant,
    pub(super) question: Question,
    pub(super) error: Error,
}

impl Run {
    /// Locked only for as long as it takes to look or change.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the next names, as many as there is room for.
    pub(super) fn fill(self: &Arc<Self>, held: &Held) {
        while let Some((question, name)) = self.next() {
            self.ask(held, question, &name);
        }
    }

    /// Begins the next question: what it is known by, and the name to ask for.
    fn next(&self) -> Option<(Question, String)> {
        let mut guard = self.lock();
        let state = &mut *guard;
        while !state.stopped && state.busy < self.concurrency {
            let line = state.lines.next()?;
            let word = line.record_type.map(String::from_utf8_lossy);
            let record_type = match &word {
                None => Ok(self.record_type),
                Some(word) => word.parse(),
            };
            let shown = match (&record_type, &word) {
                (Err(_), Some(word)) => word.clone(),
                (record_type, _) => record_type.as_ref().unwrap_or(&self.record_type).shown(),
            };
            if state.answered.contains(line.name, &shown) {
                continue;
            }
            let begun =
                record_type.and_then(|record_type| Ok((record_type, self.name_to_ask(line.name)?)));
            match begun {
                Ok((record_type, name)) => {
                    state.busy += 1;
                    let question =
                        Question { name: line.name.into(), record_type, retries: self.retries };
                    return Some((question, name));
                }
                Err(error) => state.results.bad_name(line.name, &shown, &error.to_string()),
            }
        }
        None
    }

    /// The name that c-ares is to be given for one in the list.
    fn name_to_ask(&self, name: &[u8]) -> Result<String> {
        let text = str::from_utf8(name).map_err(|_| {
            Error::Invalid(format!("bad domain name \"{}\": it is not UTF-8", name.escape_ascii()))
        })?;
        idna::to_ask(text).map(std::borrow::Cow::into_owned)
    }

    /// Gives a question that was begun to the channel.
    fn ask(self: &Arc<Self>, held: &Held, question: Question, name: &str) {
        let record_type = question.record_type;
        let mut asked = Asked { run: self.clone(), question: Some(question) };
        if let Some(core) = self.core.upgrade() {
            // Dropped for a channel that is closed, `asked` is a result all the same.
            let callback = Box::new(move |held: &Held, answer| asked.answered(held, answer));
            let _ = core.query(held, name, record_type, RecordClass::IN, callback);
        }
    }

    fn answered(self: &Arc<Self>, held: &Held, question: Question, answer: Result<Message>) {
        let mut state = self.lock();
        match answer {
            Ok(message) => {
                let record_type = question.record_type.shown();
                state.results.answer(&question.name, &record_type, &message);
            }
            Err(error) => {
                let code = error.code().unwrap_or(Code::EBADRESP);
                if question.retries > 0 && !state.stopped && may_change(code) {
                    self.put_back(&mut state, question, error);
                    return;
                }
                state.failure(&question, &error);
            }
        }
        state.busy -= 1;
        drop(state);
        self.fill(held);
    }

    /// A failure is asked again after a pause. It stays among the busy.
    fn put_back(self: &Arc<Self>, state: &mut State, question: Question, error: Error) {
        let due = Instant::now() + self.retry_pause;
        if state.again.is_empty() {
            self.wait(self.retry_pause);
        }
        state.again.push_back(Failure { due, question, error });
    }

    /// Has the failures looked at after a time.
    fn wait(self: &Arc<Self>, pause: Duration) {
        let run = Arc::downgrade(self);
        // It fails on a loop that is closed alone, where nothing is called any more.
        let _ = self.timer.start(pause, Duration::ZERO, move |timer| {
            if let (Some(run), Ok(held)) = (run.upgrade(), timer.hold_even_closed()) {
                run.ask_again(&held);
            }
        });
    }

    /// Asks again for the failures whose time has come.
    fn ask_again(self: &Arc<Self>, held: &Held) {
        let now = Instant::now();
        loop {
            let mut state = self.lock();
            match state.again.front() {
                None => return,
                Some(next) if next.due > now => {
                    return self.wait(next.due - now);
                }
                Some(_) => {}
            }
            let Some(Failure { mut question, .. }) = state.again.pop_front() else { return };
            state.retried += 1;
            drop(state);
            question.retries -= 1;
            match self.name_to_ask(&question.name) {
                Ok(name) => self.ask(held, question, &name),
                // It could be asked for before.
                Err(_) => self.answered(held, question, Err(Code::EBADNAME.into())),
            }
        }
    }
}

impl State {
    pub(super) fn failure(&mut self, question: &Question, error: &Error) {
        self.results.failure(&question.name, &question.record_type.shown(), error);
    }
}

/// Whether asking again could have another outcome.
fn may_change(code: Code) -> bool {
    let ends =
        [Code::ENOTFOUND, Code::ENODATA, Code::EBADNAME, Code::ECANCELLED, Code::EDESTRUCTION];
    !ends.contains(&code)
}

/// A question that the channel has. Whatever becomes of it, it gets one result.
struct Asked {
    run: Arc<Run>,
    question: Option<Question>,
}

impl Asked {
    fn answered(&mut self, held: &Held, answer: Result<Message>) {
        if let Some(question) = self.question.take() {
            self.run.answered(held, question, answer);
        }
    }
}

impl Drop for Asked {
    /// The channel was closed before, or is gone.
    fn drop(&mut self) {
        if let Some(question) = self.question.take() {
            let mut state = self.run.lock();
            state.failure(&question, &Code::EDESTRUCTION.into());
            state.busy -= 1;
        }
    }
}
