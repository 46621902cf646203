//! Many names, each asked for once: lines of names in, lines of JSON out.
//!
//! A [`Bulk`] keeps so many questions in flight on a [`Channel`], asks failures again after a pause, and
//! passes over what is answered already. It reads no file and writes none: whoever has the loop
//! gives it names when it [wants](Bulk::wants_names) some and takes the lines that it has, in a
//! `Check` handle's callback for instance, once in each turn of the loop.
//!
//! A line has `name`, as it stood in the list, `type` and `status` ([`Code::word`]); with `NOERROR`
//! the `answer` section as [`json`](crate::json) has it, else the `reason` in words. A name that
//! cannot be asked for and a type that does not exist are results too, `BADNAME`.
//!
//! # Example
//! `examples/bulk.rs` is a whole program.

mod answered;
mod lines;
mod results;

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use pyuv::{Loop, Timer};

pub use self::answered::Answered;
use self::lines::Lines;
use self::results::Results;
use crate::channel::{Channel, Core};
use crate::error::{Code, Error, Result};
use crate::message::Message;
use crate::name;
use crate::registry::{RecordClass, RecordType};

/// How a [`Bulk`] asks.
pub struct BulkOptions {
    /// The type to ask for where a line names none.
    pub record_type: RecordType,
    /// How many questions are in flight, those that wait to be asked again included. The channel's
    /// own `max_in_flight` holds too.
    pub concurrency: usize,
    /// How often a failure is asked again.
    pub retries: u32,
    /// How long it waits before.
    pub retry_pause: Duration,
    /// Makes ASCII of a name that is none. Without it such a name is `BADNAME`.
    pub encode: Option<fn(&str) -> Result<String>>,
    /// What is not asked for.
    pub answered: Answered,
}

impl Default for BulkOptions {
    fn default() -> BulkOptions {
        BulkOptions {
            record_type: RecordType::A,
            concurrency: 500,
            retries: 1,
            retry_pause: Duration::from_millis(500),
            encode: None,
            answered: Answered::default(),
        }
    }
}

/// One question for each of many names; see the [module](self).
///
/// Dropped with questions in flight it forgets them. It belongs to the thread that has the loop.
pub struct Bulk {
    run: Arc<Run>,
    event_loop: Loop,
}

/// What the handle that waits for a failure's turn is part of.
const PART_OF: &str = "a bulk of DNS queries";

/// Names are wanted when less text than this is left.
const LOW: usize = 1 << 15;

struct Run {
    /// The channel has the callbacks that hold this.
    core: Weak<Core>,
    /// For the failures that wait.
    timer: Timer,
    record_type: RecordType,
    concurrency: usize,
    retries: u32,
    retry_pause: Duration,
    encode: Option<fn(&str) -> Result<String>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: Lines,
    results: Results,
    answered: Answered,
    /// How many questions have no result yet, of those that were begun.
    busy: usize,
    again: VecDeque<Failure>,
    retried: u64,
    stopped: bool,
}

/// A question that was begun.
struct Question {
    /// As it stood in the list.
    name: Box<[u8]>,
    record_type: RecordType,
    retries: u32,
}

/// One that failed and is asked again.
struct Failure {
    due: Instant,
    question: Question,
    code: Code,
}

impl Bulk {
    /// A run that has no names yet.
    pub fn new(channel: &Channel, options: BulkOptions) -> Result<Bulk> {
        if options.concurrency == 0 {
            return Err(Error::Invalid("concurrency 0 asks nothing".to_owned()));
        }
        let event_loop = channel.event_loop().clone();
        let timer = Timer::new(&event_loop)?;
        timer.hide(PART_OF)?;
        let state = State { answered: options.answered, ..State::default() };
        let run = Run {
            core: channel.weak_core(),
            timer,
            record_type: options.record_type,
            concurrency: options.concurrency,
            retries: options.retries,
            retry_pause: options.retry_pause,
            encode: options.encode,
            state: Mutex::new(state),
        };
        Ok(Bulk { run: Arc::new(run), event_loop })
    }

    /// Takes more of the list: lines of `NAME [TYPE]`, in pieces that may end anywhere. Empty lines
    /// and those that begin with `#` are passed over.
    pub fn push(&self, names: &[u8]) -> Result<()> {
        let _held = self.event_loop.hold()?;
        self.run.lock().lines.push(names);
        self.run.fill();
        Ok(())
    }

    /// Says that the list ends here.
    pub fn end(&self) -> Result<()> {
        let _held = self.event_loop.hold()?;
        self.run.lock().lines.end();
        self.run.fill();
        Ok(())
    }

    /// Asks for nothing more. Failures that wait are results now; what is in flight goes on.
    pub fn stop(&self) -> Result<()> {
        let _held = self.event_loop.hold()?;
        self.run.timer.stop()?;
        let mut state = self.run.lock();
        state.stopped = true;
        for failure in mem::take(&mut state.again) {
            state.busy -= 1;
            state.failure(&failure.question, failure.code);
        }
        Ok(())
    }

    /// Whether it is time for more names.
    pub fn wants_names(&self) -> bool {
        let state = self.run.lock();
        !state.stopped && !state.lines.is_ended() && state.lines.left() < LOW
    }

    /// Whether every question has its result: the list has ended, or it was stopped.
    pub fn is_done(&self) -> bool {
        let state = self.run.lock();
        state.busy == 0 && (state.stopped || state.lines.is_over())
    }

    /// How many bytes of results there are to take.
    pub fn ready(&self) -> usize {
        self.run.lock().results.lines().len()
    }

    /// The results that were not taken yet, whole lines.
    pub fn take(&self) -> String {
        self.run.lock().results.take()
    }

    /// How many questions have no result yet, of those that were begun.
    pub fn busy(&self) -> usize {
        self.run.lock().busy
    }

    /// How many failures were asked again.
    pub fn retried(&self) -> u64 {
        self.run.lock().retried
    }

    /// How many results there are of each status.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.run.lock().results.counts()
    }
}

impl Run {
    /// Locked only for as long as it takes to look or change.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the next names, as many as there is room for. The caller owns the loop.
    fn fill(self: &Arc<Self>) {
        while let Some((question, name)) = self.next() {
            self.ask(question, &name);
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
        let asked = match self.encode {
            Some(encode) if !text.is_ascii() => encode(text)?,
            _ => text.to_owned(),
        };
        name::validate(&asked)?;
        Ok(asked)
    }

    /// Gives a question that was begun to the channel. The caller owns the loop.
    fn ask(self: &Arc<Self>, question: Question, name: &str) {
        let record_type = question.record_type;
        let mut asked = Asked { run: self.clone(), question: Some(question) };
        if let Some(core) = self.core.upgrade() {
            // Dropped for a channel that is closed, `asked` is a result all the same.
            let callback = Box::new(move |answer| asked.answered(answer));
            let _ = core.query(name, record_type, RecordClass::IN, callback);
        }
    }

    fn answered(self: &Arc<Self>, question: Question, answer: Result<Message>) {
        let mut state = self.lock();
        match answer {
            Ok(message) => {
                let record_type = question.record_type.shown();
                state.results.answer(&question.name, &record_type, &message);
            }
            Err(error) => {
                let code = error.code().unwrap_or(Code::EBADRESP);
                if question.retries > 0 && !state.stopped && may_change(code) {
                    self.put_back(&mut state, question, code);
                    return;
                }
                state.failure(&question, code);
            }
        }
        state.busy -= 1;
        drop(state);
        self.fill();
    }

    /// A failure is asked again after a pause. It stays among the busy.
    fn put_back(self: &Arc<Self>, state: &mut State, question: Question, code: Code) {
        let due = Instant::now() + self.retry_pause;
        if state.again.is_empty() {
            self.wait(self.retry_pause);
        }
        state.again.push_back(Failure { due, question, code });
    }

    /// Has the failures looked at after a time.
    fn wait(self: &Arc<Self>, pause: Duration) {
        let run = Arc::downgrade(self);
        // It fails on a loop that is closed alone, where nothing is called any more.
        let _ = self.timer.start(pause, Duration::ZERO, move |_| {
            if let Some(run) = run.upgrade() {
                run.ask_again();
            }
        });
    }

    /// Asks again for the failures whose time has come.
    fn ask_again(self: &Arc<Self>) {
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
                Ok(name) => self.ask(question, &name),
                // It could be asked for before, so that is another answer of `encode`'s.
                Err(_) => self.answered(question, Err(Code::EBADNAME.into())),
            }
        }
    }
}

impl State {
    fn failure(&mut self, question: &Question, code: Code) {
        self.results.failure(&question.name, &question.record_type.shown(), code);
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
    fn answered(&mut self, answer: Result<Message>) {
        if let Some(question) = self.question.take() {
            self.run.answered(question, answer);
        }
    }
}

impl Drop for Asked {
    /// The channel was closed before, or is gone.
    fn drop(&mut self) {
        if let Some(question) = self.question.take() {
            let mut state = self.run.lock();
            state.failure(&question, Code::EDESTRUCTION);
            state.busy -= 1;
        }
    }
}
