//! What comes first on a stream: a file that is being sent, or a connection to one of several addresses. What is
//! written, shut down or sent meanwhile waits until it is over, and then goes on in its order; where it failed, all of
//! that gets `UV_ECANCELED`.

use std::collections::VecDeque;
use std::sync::Arc;

use super::sendfile::Progress;
use super::written::Written;
use super::{Done, Stream, state};
use crate::error::{Code, Error};
use crate::handle::InFlight;
use crate::r#loop::Held;
use crate::tcp::race::Race;

/// What comes first.
pub(crate) struct Ahead {
    done: Done,
    pub(crate) stage: Stage,
    /// What waits for it, in order.
    later: VecDeque<Later>,
}

/// Who will tell how it goes on.
pub(crate) enum Stage {
    /// libuv, when a write of what is in the file has ended.
    Writing(Arc<Progress>),
    /// The pool.
    Working(Arc<Progress>),
    /// A Poll, when the system takes more of the file.
    Full(InFlight),
    /// Connections on their way, one of which is to be the stream's.
    Connecting(Race),
}

type Begin = Box<dyn FnOnce(&Stream, &Held, Done) -> std::result::Result<(), (Code, Done)> + Send>;

/// What was asked for meanwhile.
struct Later {
    /// How many bytes are to be written.
    length: usize,
    begin: Begin,
    done: Done,
}

impl Later {
    /// What is called when it cannot begin any more; what it kept is let go of there.
    fn failed(self) -> Done {
        let Later { begin, done, .. } = self;
        Box::new(move |stream, outcome| {
            drop(begin);
            done(stream, outcome);
        })
    }
}

impl Stream {
    /// Has everything wait from now on; `done` is called when that is over.
    pub(crate) fn go_ahead(&self, held: &Held, stage: Stage, done: Done) {
        let header = self.header(held);
        let ahead = Ahead { done, stage, later: VecDeque::new() };
        *state(header).ahead.borrow_mut() = Some(Box::new(ahead));
        state(header).waits.set(true);
        header.begin_request();
    }

    /// Undoes `go_ahead`, and gives `done` back.
    pub(crate) fn take_back(&self, held: &Held) -> Option<Done> {
        let header = self.header(held);
        let ahead = state(header).ahead.take()?;
        state(header).waits.set(false);
        header.finish_request();
        Some(ahead.done)
    }

    /// Has `begin` called when what comes first is over.
    pub(super) fn later(
        &self,
        held: &Held,
        length: usize,
        done: Done,
        begin: impl FnOnce(&Stream, &Held, Done) -> std::result::Result<(), (Code, Done)>
        + Send
        + 'static,
    ) {
        let header = self.header(held);
        if let Some(ahead) = &mut *state(header).ahead.borrow_mut() {
            header.begin_request();
            let state = state(header);
            state.later_bytes.set(state.later_bytes.get().saturating_add(length));
            ahead.later.push_back(Later { length, begin: Box::new(begin), done });
        }
    }

    pub(super) fn set_stage(&self, held: &Held, stage: Stage) {
        if let Some(ahead) = &mut *self.state(held).ahead.borrow_mut() {
            ahead.stage = stage;
        }
    }

    /// The connections on their way, if that is what comes first.
    pub(crate) fn with_race<T>(&self, held: &Held, f: impl FnOnce(&mut Race) -> T) -> Option<T> {
        match &mut self.state(held).ahead.borrow_mut().as_mut()?.stage {
            Stage::Connecting(race) => Some(f(race)),
            _ => None,
        }
    }

    /// It is over: lets go on what waited, and tells.
    pub(crate) fn ahead_ended(&self, held: &Held, outcome: std::result::Result<(), Code>) {
        // The callbacks of the writes before it come first.
        held.written.call_all(held);
        let header = self.header(held);
        let Some(ahead) = state(header).ahead.take() else { return };
        state(header).waits.set(false);
        header.finish_request();
        let Ahead { done, later, .. } = *ahead;
        match outcome {
            Ok(()) => self.begin_later(held, later),
            Err(_) => self.cancel_later(held, later),
        }
        done(self, outcome.map_err(Error::from));
    }

    fn begin_later(&self, held: &Held, mut later: VecDeque<Later>) {
        let header = self.header(held);
        let state = state(header);
        while let Some(next) = later.pop_front() {
            header.finish_request();
            state.later_bytes.set(state.later_bytes.get().saturating_sub(next.length));
            if let Err((code, done)) = (next.begin)(self, held, next.done) {
                Written::push(held, header, done, Err(code));
            }
            if let Some(ahead) = &mut *state.ahead.borrow_mut() {
                // A file, and the rest waits for that.
                ahead.later = later;
                return;
            }
        }
        state.ends.set(false);
    }

    fn cancel_later(&self, held: &Held, later: VecDeque<Later>) {
        let header = self.header(held);
        for next in later {
            header.finish_request();
            Written::push(held, header, next.failed(), Err(Code::ECANCELED));
        }
        state(header).later_bytes.set(0);
        state(header).ends.set(false);
    }

    /// Ends it with an error, in a later iteration of the loop.
    pub(crate) fn give_up(&self, held: &Held, code: Code) {
        let header = self.header(held);
        let Some(ahead) = state(header).ahead.take() else { return };
        state(header).waits.set(false);
        let Ahead { done, stage, later } = *ahead;
        header.finish_request();
        Written::push(held, header, done, Err(code));
        self.cancel_later(held, later);
        match stage {
            Stage::Writing(progress) | Stage::Working(progress) => progress.stop(),
            Stage::Full(poll) => poll.header().close_silently(),
            Stage::Connecting(race) => race.stop(),
        }
    }

    /// The stream was closed.
    pub(crate) fn cancel_ahead(&self, held: &Held) {
        let told_by_write = match &*self.state(held).ahead.borrow() {
            None => return,
            Some(ahead) => matches!(ahead.stage, Stage::Writing(_)),
        };
        // libuv tells of the end of its writes, in order, with those before it.
        if !told_by_write {
            self.give_up(held, Code::ECANCELED);
        }
    }
}

/// libuv's code for what ended it.
pub(crate) fn code_of(error: &Error) -> Code {
    error.code().unwrap_or(Code::ECANCELED)
}
