//! Several threads that share a pile of tasks.
//!
//! Each takes the task that was put there last, which keeps the pile low, and puts what comes of
//! it on the pile. The job is over when nobody has a task and none is left. A worker knows of time:
//! it returns when its turn is up, or when it has found nothing to do for a moment, so that it does
//! not keep a thread of the pool from others.

use std::collections::TryReserveError;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyuv::{Code, Error};

use crate::tree::report::{Ended, OnError, Progress, Report};

/// What is to be done with a tree, or with many files.
pub trait Work: Send + Sync + 'static {
    /// A piece of it.
    type Task: Send + 'static;
    /// What it tells as it goes.
    type Batch: Send + 'static;
    /// What it gives at the end.
    type Output: Send + 'static;

    /// Finds the first tasks.
    fn begin(&self, hands: &mut Hands<'_, Self::Task>);

    /// Does a task, or a part of it and puts back the rest.
    fn perform(&self, task: Self::Task, hands: &mut Hands<'_, Self::Task>);

    /// Whether to wait with further tasks until somebody has taken the batches.
    fn is_full(&self) -> bool {
        false
    }

    /// What was found since the last time.
    fn take_batch(&self) -> Option<Self::Batch> {
        None
    }

    /// What the work gives. Called once, when it is over.
    fn output(&self, progress: Progress) -> Self::Output;
}

/// How a worker's turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There is nothing left to do.
    Over,
    /// Time is up.
    Late,
    /// There was nothing to do, but there may be.
    Idle,
}

/// How long a worker waits for a task.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1);

/// What a worker keeps between its turns.
#[derive(Default)]
pub(crate) struct Scratch {
    /// For the system to write entries of folders to.
    entries: Vec<MaybeUninit<u8>>,
    /// For content on its way from one file to another.
    content: Vec<u8>,
}

const ENTRIES: usize = 32 << 10;
const CONTENT: usize = 128 << 10;

/// What a task has at hand.
pub struct Hands<'a, T> {
    pile: &'a Pile<T>,
    pub(crate) report: &'a Report,
    fresh: Vec<T>,
    scratch: &'a mut Scratch,
    until: Option<Instant>,
}

impl<T> Hands<'_, T> {
    /// Puts a task on the pile, when this one has been done.
    pub(crate) fn push(&mut self, task: T) {
        self.fresh.push(task);
    }

    /// Puts a task on the pile at once.
    pub(crate) fn offer(&self, task: T) {
        self.pile.lock().waiting.push(task);
        self.pile.changed.notify_one();
    }

    pub(crate) fn stopped(&self) -> bool {
        self.report.stopped()
    }

    /// Whether to put back what is left of a task.
    pub(crate) fn late(&self) -> bool {
        self.stopped() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    pub(crate) fn entries_buffer(&mut self) -> &mut [MaybeUninit<u8>] {
        self.scratch.entries.resize(ENTRIES, MaybeUninit::uninit());
        &mut self.scratch.entries
    }

    pub(crate) fn content_buffer(&mut self) -> Result<&mut [u8], TryReserveError> {
        self.scratch.content.try_reserve_exact(CONTENT)?;
        self.scratch.content.resize(CONTENT, 0);
        Ok(&mut self.scratch.content)
    }
}

struct Pile<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: Vec<T>,
    begun: bool,
    busy: usize,
}

impl<T> State<T> {
    fn is_over(&self) -> bool {
        self.begun && self.busy == 0 && self.waiting.is_empty()
    }
}

impl<T> Pile<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job: its work, its pile, and what it tells.
pub(crate) struct Crew<W: Work> {
    pub(crate) work: W,
    /// The path or paths, for people.
    what: String,
    pub(crate) report: Report,
    pile: Pile<W::Task>,
    process: u32,
}

enum Next<T> {
    Begin,
    Task(T),
    None(Turn),
}

impl<W: Work> Crew<W> {
    pub(crate) fn new(work: W, what: String, on_error: OnError) -> Crew<W> {
        Crew {
            work,
            what,
            report: Report::new(on_error),
            pile: Pile {
                state: Mutex::new(State { waiting: Vec::new(), begun: false, busy: 0 }),
                changed: Condvar::new(),
            },
            process: std::process::id(),
        }
    }

    /// Whether this is a forked child, where the locks may be held by threads that are not there.
    pub(crate) fn is_lost(&self) -> bool {
        self.process != std::process::id()
    }

    /// Has the job end with `UV_ECANCELED`. Returns whether it was still going on.
    pub(crate) fn cancel(&self) -> bool {
        if self.is_lost() {
            return false;
        }
        let going_on = !self.pile.lock().is_over() && !self.report.stopped();
        if going_on {
            self.report.end(self.cancelled());
            self.pile.changed.notify_all();
        }
        going_on
    }

    pub(crate) fn cancelled(&self) -> Error {
        Error::new(Code::ECANCELED, self.what.clone())
    }

    /// How many tasks nobody has taken.
    pub(crate) fn waiting(&self) -> usize {
        let state = self.pile.lock();
        if self.report.stopped() { 0 } else { state.waiting.len() + usize::from(!state.begun) }
    }

    /// Works until the work is over, `until`, or nothing was to be done for as long as `patience`.
    pub(crate) fn turn(
        &self,
        scratch: &mut Scratch,
        until: Option<Instant>,
        patience: Duration,
    ) -> Turn {
        let mut hands =
            Hands { pile: &self.pile, report: &self.report, fresh: Vec::new(), scratch, until };
        let mut state = self.pile.lock();
        loop {
            let next;
            (next, state) = self.next(state, until, patience);
            let task = match next {
                Next::Begin => None,
                Next::Task(task) => Some(task),
                Next::None(turn) => return turn,
            };
            drop(state);
            let performed = catch_unwind(AssertUnwindSafe(|| match task {
                None => self.work.begin(&mut hands),
                Some(task) => self.work.perform(task, &mut hands),
            }));
            if let Err(payload) = performed {
                self.report.end(Error::panicked(panic_message(payload.as_ref())));
            }
            state = self.pile.lock();
            state.busy -= 1;
            let fresh = hands.fresh.len();
            state.waiting.append(&mut hands.fresh);
            // This worker takes one of them itself.
            if fresh > 1 || (state.busy == 0 && state.waiting.is_empty()) || self.report.stopped() {
                self.pile.changed.notify_all();
            }
        }
    }

    fn next<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<W::Task>>,
        until: Option<Instant>,
        patience: Duration,
    ) -> (Next<W::Task>, MutexGuard<'a, State<W::Task>>) {
        let mut give_up = None;
        loop {
            if self.report.stopped() || state.is_over() {
                return (Next::None(Turn::Over), state);
            }
            let now = Instant::now();
            if until.is_some_and(|until| now >= until) {
                return (Next::None(Turn::Late), state);
            }
            if !self.work.is_full() {
                if !state.begun {
                    state.begun = true;
                    state.busy += 1;
                    return (Next::Begin, state);
                }
                if let Some(task) = state.waiting.pop() {
                    state.busy += 1;
                    return (Next::Task(task), state);
                }
            }
            let give_up = *give_up.get_or_insert(now + patience);
            if now >= give_up {
                return (Next::None(Turn::Idle), state);
            }
            state = self
                .pile
                .changed
                .wait_timeout(state, give_up - now)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Whether no task is left and none under way.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.pile.lock();
        if self.report.stopped() { state.busy == 0 } else { state.is_over() }
    }

    /// Waits for a change, for `limit` at most, unless all is over.
    pub(crate) fn wait(&self, limit: Duration) {
        let state = self.pile.lock();
        if state.busy > 0 {
            drop(self.pile.changed.wait_timeout(state, limit));
        }
    }

    /// There is room for batches again.
    pub(crate) fn has_room(&self) {
        self.pile.changed.notify_all();
    }

    /// How the job ended. Called once, when no worker is at it any more.
    pub(crate) fn ended(&self) -> Ended<W::Output> {
        if self.is_lost() {
            return Ended { result: Err(self.cancelled()), errors: Vec::new() };
        }
        // What nobody will do may hold files open.
        let waiting = std::mem::take(&mut self.pile.lock().waiting);
        drop(waiting);
        let (error, errors) = self.report.take();
        let result = error.map_or_else(|| Ok(self.work.output(self.report.progress())), Err);
        Ended { result, errors }
    }
}

/// The text of a panic.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
